import type { AccessToken, AuditEvent } from '../../../client/index.js';
import { announce } from '../announce.js';
import { isAnswered, useAction, useLoad } from '../load.js';
import { Button } from '../parts/button.js';
import { Details } from '../parts/details.js';
import { FormDialog } from '../parts/form-dialog.js';
import { useOpening } from '../parts/opening.js';
import { Page } from '../parts/page.js';
import { Pager } from '../parts/pager.js';
import { Problem } from '../parts/problem.js';
import { Time } from '../parts/time.js';
import { usePlace } from '../router.js';
import { lk } from '../service.js';
import { useMe } from '../session.js';
import * as texts from '../words/sessions.js';
import * as words from '../words.js';
import { browserIn } from './sessions/browser.js';
import { ChangePassword } from './sessions/password.js';

/** Sessions of a page; where each was opened takes a request of its own. */
const PAGE = 20;

/** A session, and the login that opened it. */
interface Opened {
  session: AccessToken;
  login: AuditEvent | undefined;
}

async function openedSessions(
  signal: AbortSignal,
  cursor: string,
): Promise<{ items: Opened[]; nextCursor: string | null }> {
  const query = { tokenType: 'session', state: 'active', sort: '-lastUsedAt', limit: PAGE } as const;
  const page = await lk.listAccessTokens({ query: { ...query, ...(cursor !== '' && { cursor }) }, signal });
  const items = await Promise.all(
    page.items.map(async (session) => {
      const events = await lk.listAccessTokenEvents({ path: { token_id: session.id }, signal });
      return { session, login: events.items.find(({ action }) => action === 'session.opened') };
    }),
  );
  return { items, nextCursor: page.nextCursor };
}

export function SessionsPage() {
  const { me } = useMe();
  const cursor = usePlace().query.get('after') ?? '';
  const list = useLoad((signal) => openedSessions(signal, cursor), [cursor]);
  const counts = useLoad((signal) => lk.countAccessTokens({ query: { tokenType: 'session' }, signal }), []);
  const { open, close, button } = useOpening<'ask'>();
  const others = (counts.data?.active ?? 1) - 1;
  const reload = (): void => {
    list.reload();
    counts.reload();
  };
  const current = me.session.sessionId;
  // This one first, whenever the others were used.
  const items = list.data?.items.toSorted(
    (a, b) => Number(b.session.id === current) - Number(a.session.id === current),
  );
  return (
    <Page title={texts.title} lead={<p>{texts.lead}</p>} actions={others > 0 && button('ask', texts.endAll, 'danger')}>
      <Problem error={list.error ?? counts.error} retry={reload} />
      {isAnswered(list) && isAnswered(counts) && (
        <>
          <ul class="cards">
            {items?.map((opened) => (
              <SessionCard
                key={opened.session.id}
                {...opened}
                isCurrent={opened.session.id === current}
                ended={reload}
              />
            ))}
          </ul>
          {others === 0 && <p class="quiet">{texts.only}</p>}
          <Pager next={list.data?.nextCursor ?? null} />
          <ChangePassword changed={reload} />
        </>
      )}
      {open !== undefined && (
        <FormDialog
          isDangerous
          title={texts.endAllTitle(others)}
          submit={texts.endAll}
          onClose={close}
          onSubmit={async () => {
            const body = { filter: { tokenType: 'session' as const } };
            const { revokedCount } = await lk.revokeAccessTokens({ body });
            announce(texts.endedAll(revokedCount));
            reload();
          }}
        >
          <p>{texts.endAllWhy}</p>
        </FormDialog>
      )}
    </Page>
  );
}

function SessionCard({ session, login, isCurrent, ended }: Opened & { isCurrent: boolean; ended: () => void }) {
  const name = browserIn(login?.userAgent ?? null);
  const end = useAction(async () => {
    await lk.revokeAccessToken({ path: { token_id: session.id } });
    announce(texts.ended);
    ended();
  });
  return (
    <li class="card">
      <div class="card-head">
        <h2>
          {name} {isCurrent && <span class="badge active">{texts.current}</span>}
        </h2>
        {!isCurrent && (
          <Button label={texts.endOf(name)} isDisabled={end.isRunning} onClick={end.run}>
            {texts.end}
          </Button>
        )}
      </div>
      <Problem error={end.error} />
      <Details
        rows={[
          [texts.opened, <Time key="opened" instant={session.createdAt} show="short" />],
          [texts.from, login?.address && <code>{login.address}</code>],
          [
            texts.lastUsed,
            session.lastUsedAt === null ? words.tokens.neverUsed : <Time instant={session.lastUsedAt} />,
          ],
        ]}
      />
    </li>
  );
}
