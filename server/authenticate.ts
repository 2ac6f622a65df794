import type { IncomingHttpHeaders } from 'node:http';
import { stringify } from 'uuid';
import type { TokenType } from './database/index.js';
import type { Deps } from './deps.js';
import { ServiceError } from './errors.js';
import { verifyToken } from './tokens/verify.js';

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
  if (credential === undefined) throw unauthorized('Bearer', 'missing');
  if (credential === 'malformed' || credential === 'several') throw unauthorized(INVALID, credential);
  const verdict = await verifyToken(deps, credential.token);
  if (!verdict.valid) throw unauthorized(INVALID, verdict.refusal);
  const { id, uuid, type, ownerId } = verdict.token;
  return {
    ownerId,
    tokenId: id,
    tokenType: type,
    authMethod: credential.authMethod,
    get tokenUuid() {
      return stringify(uuid);
    },
  };
}

const INVALID = 'Bearer error="invalid_token"';

function unauthorized(challenge: string, reason: string): ServiceError {
  return new ServiceError('unauthorized', { headers: { 'WWW-Authenticate': challenge }, cause: reason });
}

type Credential = { token: string; authMethod: AuthMethod } | 'malformed' | 'several';

/**
 * The one token in the headers: undefined where none was sent, `several` where they disagree (RFC 6750, section 2). A
 * header that is sent twice arrives as one, joined by commas, which no token contains.
 */
function readCredential(headers: IncomingHttpHeaders): Credential | undefined {
  const { authorization, cookie } = headers;
  const apiKey = headers['x-api-key'];
  let credential: { token: string; authMethod: AuthMethod } | undefined;
  let several = false;

  const take = (token: string, authMethod: AuthMethod) => {
    if (credential === undefined) credential = { token, authMethod };
    else if (credential.token !== token) several = true;
  };

  for (const value of authorization === undefined ? [] : splitList(authorization)) {
    const [, token] = /^bearer +([^\s]+)$/i.exec(value) ?? [];
    if (token === undefined) return 'malformed';
    take(token, 'bearer');
  }
  for (const value of typeof apiKey === 'string' ? splitList(apiKey) : []) take(value, 'apiKey');
  if (cookie?.includes(SESSION_COOKIE)) {
    for (const pair of cookie.split(';')) {
      const equals = pair.indexOf('=');
      if (pair.slice(0, equals).trim() === SESSION_COOKIE) take(pair.slice(equals + 1).trim(), 'cookie');
    }
  }
  return several ? 'several' : credential;
}

function splitList(value: string): string[] {
  return value.split(',').map((entry) => entry.trim());
}
