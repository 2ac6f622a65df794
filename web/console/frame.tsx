import { useState } from 'preact/hooks';
import type { Me } from '../../client/index.js';
import { useAction } from './load.js';
import { useLookUpManaged, useManaged } from './managed.js';
import { MissingPage } from './pages/missing.js';
import { Button } from './parts/button.js';
import { Icon } from './parts/icon.js';
import { Problem } from './parts/problem.js';
import { BASE, usePlace } from './router.js';
import { findPage, LINKS } from './routes.js';
import { logOut } from './session.js';
import * as words from './words.js';

/** What surrounds every page: the navigation, and who is logged in. */
export function Frame({ me, scopes }: { me: Me; scopes: readonly string[] }) {
  const { path } = usePlace();
  useLookUpManaged(scopes);
  const found = findPage(path, scopes);
  const Page = found?.page ?? MissingPage;
  return (
    <div class="frame">
      <a class="skip" href="#content">
        {words.skip}
      </a>
      <Navigation key={path} path={path} me={me} scopes={scopes} />
      <main id="content" tabIndex={-1}>
        <Page key={path} {...found?.props} />
      </main>
    </div>
  );
}

function Navigation({ path, me, scopes }: { path: string; me: Me; scopes: readonly string[] }) {
  const [isOpen, setOpen] = useState(false);
  const leaving = useAction(logOut);
  const isManager = useManaged().length > 0;
  const links = LINKS.filter(
    ({ scope, isForManagers = false }) =>
      (scope === undefined || scopes.includes(scope)) && (isManager || !isForManagers),
  );
  const here = path === '/' ? '/tokens' : path;
  return (
    <header class="bar">
      <div class="brand">
        <a href={BASE}>
          <Icon name="key" />
          {words.brand}
        </a>
        <button
          type="button"
          class="button menu"
          aria-expanded={isOpen}
          aria-controls="menu"
          onClick={() => {
            setOpen(!isOpen);
          }}
        >
          <Icon name="menu" />
          {words.menu}
        </button>
      </div>
      <div id="menu" class={isOpen ? 'open' : ''}>
        <nav aria-label={words.nav.label}>
          <ul>
            {links.map(({ path: to, text }) => (
              <li key={to}>
                <a
                  href={BASE + to}
                  aria-current={here === to ? 'page' : here.startsWith(`${to}/`) ? 'true' : undefined}
                >
                  {text}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <div class="who">
          <a href="/reference">{words.nav.reference}</a>
          <p>
            <bdi title={me.user.email ?? ''}>{me.user.email}</bdi>
          </p>
          <Button isDisabled={leaving.isRunning} onClick={leaving.run}>
            {words.nav.logOut}
          </Button>
          <Problem error={leaving.error} />
        </div>
      </div>
    </header>
  );
}
