import type { ComponentType } from 'preact';
import { CreatePage } from './pages/create.js';
import { EventsPage } from './pages/events.js';
import { PolicyPage } from './pages/policy.js';
import { ServicesPage } from './pages/services.js';
import { SessionsPage } from './pages/sessions.js';
import { TokenPage } from './pages/token.js';
import { TokensPage } from './pages/tokens.js';
import { UserPage } from './pages/user.js';
import { UsersPage } from './pages/users.js';
import { NewWebhookPage } from './pages/webhook/new.js';
import { WebhookPage } from './pages/webhook.js';
import { WebhooksPage } from './pages/webhooks.js';
import type { PageProps } from './route.js';
import * as words from './words.js';

interface Route {
  /** The address below `/console`; a part that begins with a colon can be any text. */
  path: string;
  page: ComponentType<PageProps>;
  /** The scope that the session must have; without it the page does not exist. */
  scope?: string;
}

/** Every page of the console. The first route that fits an address is taken. */
export const ROUTES: readonly Route[] = [
  { path: '/', page: TokensPage },
  { path: '/tokens', page: TokensPage },
  { path: '/tokens/new', page: CreatePage },
  { path: '/tokens/:id', page: TokenPage },
  { path: '/sessions', page: SessionsPage },
  { path: '/services', page: ServicesPage },
  { path: '/users', page: UsersPage, scope: 'users:admin' },
  { path: '/users/:id', page: UserPage, scope: 'users:admin' },
  { path: '/events', page: EventsPage, scope: 'audit:read' },
  { path: '/webhooks', page: WebhooksPage, scope: 'webhooks:admin' },
  { path: '/webhooks/new', page: NewWebhookPage, scope: 'webhooks:admin' },
  { path: '/webhooks/:id', page: WebhookPage, scope: 'webhooks:admin' },
  { path: '/policy', page: PolicyPage, scope: 'policy:admin' },
];

interface Link {
  path: string;
  text: string;
  scope?: string;
  /** Whether only those see it who manage a service. */
  isForManagers?: boolean;
}

/** The links of the navigation, in order. */
export const LINKS: readonly Link[] = [
  { path: '/tokens', text: words.nav.tokens },
  { path: '/sessions', text: words.nav.sessions },
  { path: '/services', text: words.nav.services, isForManagers: true },
  { path: '/users', text: words.nav.users, scope: 'users:admin' },
  { path: '/events', text: words.nav.events, scope: 'audit:read' },
  { path: '/webhooks', text: words.nav.webhooks, scope: 'webhooks:admin' },
  { path: '/policy', text: words.nav.policy, scope: 'policy:admin' },
];

/** The page at `path` for a session with `scopes`; undefined if there is none. */
export function findPage(
  path: string,
  scopes: readonly string[],
): { page: ComponentType<PageProps>; props: PageProps } | undefined {
  const parts = path.split('/');
  for (const { path: pattern, page, scope } of ROUTES) {
    const names = pattern.split('/');
    if (names.length !== parts.length || (scope !== undefined && !scopes.includes(scope))) continue;
    const fits = names.every((name, at) => name.startsWith(':') || name === parts[at]);
    if (!fits) continue;
    const props = names.flatMap((name, at) => (name.startsWith(':') ? [[name.slice(1), parts[at] ?? '']] : []));
    return { page, props: Object.fromEntries(props) as PageProps };
  }
  return undefined;
}
