import type { IncomingMessage } from 'node:http';
import { SESSION_COOKIE } from '../contract/authenticate.js';
import type { Deps } from '../deps.js';
import { isSecure } from '../http/origin.js';
import type { Plaintext } from '../tokens/plaintext.js';
import { textOf } from './reveal.js';

/** The header that sets the session's cookie for `maxAge` seconds. */
export function sessionCookie(deps: Deps, raw: IncomingMessage, plaintext: Plaintext, maxAge: number) {
  return cookie(deps, raw, textOf(plaintext), maxAge);
}

/** The header that deletes the session's cookie. */
export function noSessionCookie(deps: Deps, raw: IncomingMessage) {
  return cookie(deps, raw, '', 0);
}

function cookie({ config }: Deps, raw: IncomingMessage, value: string, maxAge: number) {
  const secure = isSecure(raw, config) ? '; Secure' : '';
  const attributes = `Path=/; Max-Age=${String(maxAge)}; HttpOnly; SameSite=Lax${secure}`;
  return { 'Set-Cookie': `${SESSION_COOKIE}=${value}; ${attributes}` };
}
