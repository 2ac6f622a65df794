import type { IncomingMessage } from 'node:http';
import type { Session } from '../../generated/types.gen.js';
import type { Handlers } from '../contract/contract.js';
import type { Deps } from '../deps.js';
import { ServiceError, unauthorized } from '../errors.js';
import { isFromOwnPage } from '../http/origin.js';
import { toInstant } from '../instants.js';
import { Plaintext } from '../tokens/plaintext.js';
import { changeOwnPassword } from '../users/own-password.js';
import { logIn, logOut, type OpenedSession, refreshSession } from '../users/sessions.js';
import { getUser } from '../users/users.js';
import { textOf } from './reveal.js';
import { browserCookies, noSessionCookies, refreshTokenIn, sessionCookie } from './session-cookie.js';

export const sessions = {
  async logIn(deps, { actor, body: { username, password }, raw }) {
    const session = await logIn(deps, actor, username, password);
    return { headers: cookieOf(deps, raw, session), body: toSession(session) };
  },

  async refreshSession(deps, { actor, body, raw }) {
    const session = await refreshSession(deps, actor, new Plaintext(body.refresh_token));
    return { headers: cookieOf(deps, raw, session), body: toSession(session) };
  },

  async openBrowserSession(deps, { actor, body: { username, password }, raw }) {
    requireOwnPage(deps, raw);
    return { headers: browserCookies(deps, raw, await logIn(deps, actor, username, password)) };
  },

  async refreshBrowserSession(deps, { actor, raw }) {
    requireOwnPage(deps, raw);
    const refreshToken = refreshTokenIn(raw);
    if (refreshToken === undefined) throw unauthorized('missing', { credentialSent: false });
    const session = await refreshSession(deps, actor, refreshToken, { mayRepeat: true });
    return { headers: browserCookies(deps, raw, session) };
  },

  async logOut(deps, { actor, raw }) {
    await logOut(deps, actor);
    return { headers: noSessionCookies(deps, raw) };
  },

  async changePassword(deps, { actor, body }) {
    await changeOwnPassword(deps, actor, body);
    return {};
  },

  async getMe(deps, { caller }) {
    const user = await getUser(deps, caller.ownerId);
    const { uuid, name, slug } = user.organization;
    // Whoever finds the key of an external owner learns nothing of the owner.
    const isExternal = user.kind === 'external';
    return {
      body: {
        session: {
          // Basic opens the OAuth operations alone.
          authMethod: caller.authMethod === 'basic' ? 'bearer' : caller.authMethod,
          organization: { id: uuid, name, slug, tenantStatus: 'active' },
          organizationId: uuid,
          sessionId: caller.tokenType === 'session' ? caller.tokenUuid : null,
          tokenType: caller.tokenType,
        },
        user: {
          id: user.id,
          email: isExternal ? null : user.email || null,
          emailVerified: user.kind === 'person',
          fullName: isExternal ? '' : user.fullName,
          isAdmin: user.isAdmin,
          createdAt: toInstant(user.createdAt),
        },
      },
    };
  },
} satisfies Partial<Handlers>;

/** Throws `cross_site_request` unless a page of this origin sent the request: another site could log its visitor in. */
function requireOwnPage({ config }: Deps, raw: IncomingMessage): void {
  if (isFromOwnPage(raw, config)) return;
  const detail = 'Only a page of this origin may open or refresh a browser session.';
  throw new ServiceError('cross_site_request', { detail });
}

function toSession({ user, accessToken, refreshToken }: OpenedSession): Session {
  return {
    id: user.id,
    email: user.email,
    username: user.email,
    company_id: user.organization.uuid,
    token_access: textOf(accessToken),
    access_token: textOf(accessToken),
    refresh_token: textOf(refreshToken),
    // An operator adds users, and answers for their addresses.
    is_verified: true,
    profile: { full_name: user.fullName, kyc_enabled: false, terms_and_policy_accepted_at: null },
  };
}

function cookieOf(deps: Deps, raw: IncomingMessage, { accessToken, lifetime }: OpenedSession) {
  return sessionCookie(deps, raw, accessToken, lifetime / 1_000);
}
