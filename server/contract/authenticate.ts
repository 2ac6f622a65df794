import type { IncomingHttpHeaders } from 'node:http';
import type { TokenType } from '../database/index.js';
import type { Deps } from '../deps.js';
import { ServiceError, unauthorized } from '../errors.js';
import { cookiesNamed } from '../http/cookies.js';
import type { AuthMethod, Caller, SecretState } from '../tokens/caller.js';
import { type Digest, Plaintext } from '../tokens/plaintext.js';
import { holds } from '../tokens/scopes.js';
import { type ProvenSecret, verifyToken } from '../tokens/verify.js';

/** The name of the cookie in which a browser can send a token. */
export const SESSION_COOKIE = 'vai_token';

/** The credentials that an operation accepts. */
export interface AcceptedCredentials {
  /** The names of the contract's security schemes that the operation accepts. */
  schemes: ReadonlySet<string>;
  /**
   * Whether to accept an earlier secret after its grace period. A caller whose rotation ended its own secret needs
   * this, to repeat the rotation if the answer was lost.
   */
  ended: boolean;
}

/**
 * Returns the caller of a request.
 *
 * Rejects with `unauthorized` if the request has no valid token that the operation accepts. The answer is the same
 * for every reason; the error's `cause` names the reason, and only the log shows it. Rejects with the driver's error if
 * the database does not answer, because an outage must never look like a wrong token.
 */
export async function authenticate(
  deps: Deps,
  { headers, requestId }: { headers: IncomingHttpHeaders; requestId: string },
  accepted: AcceptedCredentials,
): Promise<Caller> {
  const { schemes } = accepted;
  const credential = readCredential(headers, schemes.has('basic'));
  if (credential === undefined) throw notAuthenticated('missing', schemes);
  if (credential === 'several') throw notAuthenticated(credential, schemes, 'bearer');
  const { authMethod } = credential;
  if (!schemes.has(authMethod)) throw notAuthenticated('scheme', schemes);
  const plaintext = new Plaintext(credential.token);
  const verdict = await verifyToken(deps, { requestId }, plaintext);
  const ended = !verdict.valid && verdict.reason === 'secret_ended' && accepted.ended;
  if (!verdict.valid && !ended) throw notAuthenticated(verdict.reason, schemes, authMethod);
  const { secret } = verdict;
  if (secret === undefined) throw notAuthenticated('unknown', schemes, authMethod);
  return new TokenCaller(secret, plaintext, credential, ended ? 'ended' : secret.isNewest ? 'newest' : 'earlier');
}

class TokenCaller implements Caller {
  readonly organizationId: number;
  readonly ownerId: number;
  readonly tokenId: number;
  readonly tokenUuid: string;
  readonly secretDigest: Digest;
  readonly tokenType: TokenType;
  readonly expiresAt: number | null;
  readonly authMethod: AuthMethod;
  readonly hasCookie: boolean;
  readonly secret: SecretState;
  readonly #proven: ProvenSecret;
  readonly #plaintext: Plaintext;

  constructor(proven: ProvenSecret, plaintext: Plaintext, { authMethod, hasCookie }: Credential, secret: SecretState) {
    this.organizationId = proven.organizationId;
    this.ownerId = proven.ownerId;
    this.tokenId = proven.id;
    this.tokenUuid = proven.uuid;
    this.secretDigest = proven.digest;
    this.tokenType = proven.type;
    this.expiresAt = proven.expiresAt;
    this.authMethod = authMethod;
    this.hasCookie = hasCookie;
    this.secret = secret;
    this.#proven = proven;
    this.#plaintext = plaintext;
  }

  holds(scope: string): boolean {
    return holds(this.#proven, scope);
  }

  deriveKey(salt: string): Uint8Array {
    return this.#plaintext.deriveKey(salt, 'latchkey idempotent answer');
  }
}

/**
 * Creates a 401 with the challenge of the scheme `tried` (RFC 6749, section 5.2), or of all schemes if none was tried.
 */
function notAuthenticated(reason: string, schemes: ReadonlySet<string>, tried?: AuthMethod): ServiceError {
  const error = unauthorized(reason, { credentialSent: tried !== undefined });
  if (!schemes.has('basic')) return error;
  const challenges =
    tried === undefined ? `Bearer, ${BASIC_CHALLENGE}` : tried === 'basic' ? BASIC_CHALLENGE : undefined;
  if (challenges !== undefined) error.headers['WWW-Authenticate'] = challenges;
  return error;
}

const BASIC_CHALLENGE = 'Basic realm="Latchkey"';

/** Whether a request has a credential of any kind, valid or not. */
export function hasCredential(headers: IncomingHttpHeaders): boolean {
  return readCredential(headers, true) !== undefined;
}

/** A token, and how the request sent the token. */
interface Credential {
  token: string;
  authMethod: AuthMethod;
  hasCookie: boolean;
}

/**
 * Returns the token in the headers. Returns undefined if the headers contain no token, and `several` if they contain
 * different tokens (RFC 6750, section 2). Node joins the values of a header that was sent twice with a comma, which no
 * token contains.
 */
function readCredential(headers: IncomingHttpHeaders, basic: boolean): Credential | 'several' | undefined {
  const sent: Pick<Credential, 'token' | 'authMethod'>[] = [];
  for (const value of splitList(headers.authorization)) {
    const password = basic ? basicPassword(value) : undefined;
    if (password !== undefined) sent.push({ token: password, authMethod: 'basic' });
    // Any other `Authorization` counts as a malformed token, which is empty here.
    else sent.push({ token: /^bearer +(\S+)$/i.exec(value)?.[1] ?? '', authMethod: 'bearer' });
  }
  for (const token of splitList(headers['x-api-key'])) sent.push({ token, authMethod: 'apiKey' });
  for (const token of cookiesNamed(headers, SESSION_COOKIE)) sent.push({ token, authMethod: 'cookie' });
  const [first] = sent;
  if (first === undefined) return undefined;
  if (sent.some(({ token }) => token !== first.token)) return 'several';
  return { ...first, hasCookie: sent.some(({ authMethod }) => authMethod === 'cookie') };
}

/**
 * Returns the password of `Basic`, which OAuth clients encode like a value of a form (RFC 6749, section 2.3.1). Returns
 * an empty string for malformed credentials, and undefined for another scheme.
 */
function basicPassword(value: string): string | undefined {
  const [scheme = '', encoded = '', ...rest] = value.split(/ +/);
  if (scheme.toLowerCase() !== 'basic') return undefined;
  if (rest.length > 0 || !/^[\w+/-]+=*$/.test(encoded)) return '';
  const [, ...password] = Buffer.from(encoded, 'base64').toString('latin1').split(':');
  try {
    return decodeURIComponent(password.join(':').replaceAll('+', ' '));
  } catch {
    return '';
  }
}

function splitList(value: string | string[] | undefined): string[] {
  return typeof value === 'string' ? value.split(',').map((entry) => entry.trim()) : [];
}
