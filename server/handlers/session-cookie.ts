import type { IncomingMessage } from 'node:http';
import { SESSION_COOKIE } from '../contract/authenticate.js';
import type { Deps } from '../deps.js';
import { cookiesNamed } from '../http/cookies.js';
import { isSecure } from '../http/origin.js';
import { Plaintext } from '../tokens/plaintext.js';
import type { OpenedSession } from '../users/sessions.js';
import { textOf } from './reveal.js';

const ACCESS = { name: SESSION_COOKIE, path: '/', sameSite: 'Lax' };
/** A page's refresh token. Browsers send it to the one operation that needs it. */
const REFRESH = { name: 'vai_refresh', path: '/api/v1/auth/browser-session/refresh', sameSite: 'Strict' };

/** The header that sets the session's cookie for `maxAge` seconds. */
export function sessionCookie(deps: Deps, raw: IncomingMessage, plaintext: Plaintext, maxAge: number) {
  return { 'Set-Cookie': cookie(deps, raw, ACCESS, textOf(plaintext), maxAge) };
}

/** The headers that set both cookies of a page's session. */
export function browserCookies(deps: Deps, raw: IncomingMessage, session: OpenedSession) {
  const { accessToken, refreshToken, lifetime } = session;
  const days = deps.config.refreshDays;
  return {
    'Set-Cookie': [
      cookie(deps, raw, ACCESS, textOf(accessToken), lifetime / 1_000),
      cookie(deps, raw, REFRESH, textOf(refreshToken), days * 86_400),
    ],
  };
}

/** The headers that delete both cookies. */
export function noSessionCookies(deps: Deps, raw: IncomingMessage) {
  return { 'Set-Cookie': [cookie(deps, raw, ACCESS, '', 0), cookie(deps, raw, REFRESH, '', 0)] };
}

/** The refresh token in the cookie of a page; undefined if there is none, or there are several. */
export function refreshTokenIn({ headers }: IncomingMessage): Plaintext | undefined {
  const [text, ...others] = new Set(cookiesNamed(headers, REFRESH.name));
  return text === undefined || others.length > 0 ? undefined : new Plaintext(text);
}

function cookie(
  { config }: Deps,
  raw: IncomingMessage,
  { name, path, sameSite }: typeof ACCESS,
  value: string,
  maxAge: number,
) {
  const secure = isSecure(raw, config) ? '; Secure' : '';
  return `${name}=${value}; Path=${path}; Max-Age=${String(maxAge)}; HttpOnly; SameSite=${sameSite}${secure}`;
}
