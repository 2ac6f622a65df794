import type { IncomingMessage } from 'node:http';
import { SESSION_COOKIE } from '../contract/authenticate.js';
import type { Deps } from '../deps.js';
import { isSecure } from '../http/origin.js';

/** The header that sets the session's cookie for `maxAge` seconds; with 0 it goes. */
export function sessionCookie({ config }: Deps, raw: IncomingMessage, value: string, maxAge: number) {
  const secure = isSecure(raw, config) ? '; Secure' : '';
  const attributes = `Path=/; Max-Age=${String(maxAge)}; HttpOnly; SameSite=Lax${secure}`;
  return { 'Set-Cookie': `${SESSION_COOKIE}=${value}; ${attributes}` };
}
