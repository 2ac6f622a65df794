import type { IncomingHttpHeaders } from 'node:http';
import type { TokenType } from './database/index.js';
import type { Deps } from './deps.js';
import { unauthorized } from './errors.js';
import { verifyToken } from './tokens/verify.js';
import { toUuid } from './uuid.js';

export const SESSION_COOKIE = 'vai_token';

/** How a credential was sent. */
export type AuthMethod = 'bearer' | 'apiKey' | 'cookie';

/** Who sends a request, by the token that it carries. */
export interface Caller {
  ownerId: number;
  tokenId: number;
  tokenUuid: string;
  tokenType: TokenType;
  /** The first of these ways in which the token was sent. */
  authMethod: AuthMethod;
}

/**
 * The caller of a request with these headers. Rejects with `unauthorized`, outside alike for every reason; the error's
 * cause is the reason, for the log. Rejects with the driver's error where the database does not answer, which must
 * never look like a refusal.
 */
export async function authenticate(deps: Deps, headers: IncomingHttpHeaders): Promise<Caller> {
  const credential = readCredential(headers);
  if (credential === undefined) throw unauthorized('missing', { credentialSent: false });
  if (credential === 'several') throw unauthorized(credential, { credentialSent: true });
  const verdict = await verifyToken(deps, credential.token);
  if (!verdict.valid) throw unauthorized(verdict.refusal, { credentialSent: true });
  const { id, uuid, type, ownerId } = verdict.token;
  return {
    ownerId,
    tokenId: id,
    tokenType: type,
    authMethod: credential.authMethod,
    get tokenUuid() {
      return toUuid(uuid);
    },
  };
}

interface Credential {
  token: string;
  authMethod: AuthMethod;
}

/**
 * The one token in the headers: undefined where none was sent, `several` where they disagree (RFC 6750, section 2). A
 * header that is sent twice arrives as one, joined by commas, which no token contains.
 */
function readCredential(headers: IncomingHttpHeaders): Credential | 'several' | undefined {
  const sent: Credential[] = [];
  for (const value of splitList(headers.authorization)) {
    // Another scheme, or none, is a credential too: one that is malformed.
    sent.push({ token: /^bearer +(\S+)$/i.exec(value)?.[1] ?? '', authMethod: 'bearer' });
  }
  for (const token of splitList(headers['x-api-key'])) sent.push({ token, authMethod: 'apiKey' });
  for (const pair of headers.cookie?.split(';') ?? []) {
    const [name, ...value] = pair.trim().split('=');
    if (name === SESSION_COOKIE) sent.push({ token: value.join('='), authMethod: 'cookie' });
  }
  const [first] = sent;
  return sent.every(({ token }) => token === first?.token) ? first : 'several';
}

function splitList(value: string | string[] | undefined): string[] {
  return typeof value === 'string' ? value.split(',').map((entry) => entry.trim()) : [];
}
