import type { Client } from '../generated/client/types.gen.js';
import * as sdk from '../generated/sdk.gen.js';
import { dataOf, requestIdOf } from './answer.js';
import { exchange, type Fetch } from './exchange.js';
import type { Answer, CallOptions, HeaderInput, OperationId, OtherMediaTypes } from './operations.js';
import { withRetries } from './patience.js';
import {
  bearer,
  bodyOf,
  checkedBaseUrl,
  checkToken,
  type GeneratedRequest,
  headersOf,
  mergedHeaders,
  urlOf,
} from './request.js';
import { type Credential, createSessions, isUnauthorized, type TokenOption } from './session.js';

const OTHER_MEDIA_TYPES: OtherMediaTypes = {
  changePassword: null,
  getOpenApiYaml: 'application/yaml',
  logOut: null,
  revokeAccessToken: null,
  revokeCurrentAccessToken: null,
  revokeOAuthToken: null,
  revokePrivateToken: null,
};

/** Operations that take an `Idempotency-Key`, and get one where the caller gives none. */
const ONCE_ONLY: ReadonlySet<OperationId> = new Set<OperationId>([
  'createAccessToken',
  'createPrivateToken',
  'rotateAccessToken',
  'rotateCurrentAccessToken',
]);

/** POSTs that may be sent twice as they are: they ask, or what they do is done already. */
const HARMLESS: ReadonlySet<OperationId> = new Set<OperationId>([
  'introspectToken',
  'revokeOAuthToken',
  'verifyAccessToken',
  'verifyAccessTokens',
]);

export interface LatchkeyOptions {
  /**
   * Where the service runs, such as `https://tokens.example.org`, with a path where it stands below one. Plain http is
   * refused but for this machine (`localhost`, `127.0.0.0/8`, `::1`).
   */
  baseUrl: string;
  /**
   * The personal access token or session token to send as `Authorization: Bearer`, or a function that gives one and is
   * called for each attempt; what it throws, the call rejects with. `logIn` takes its place until `logOut`. Left out, the
   * client is anonymous; undefined is refused, since a variable that is not set must not make it so.
   */
  token?: TokenOption;
  /** Sends the requests instead of the global `fetch`. It is called with a URL and options, anew for each attempt. */
  fetch?: Fetch | undefined;
  /** Milliseconds that each attempt may take, its body included: 30000 by default, 0 for no limit. */
  timeoutMs?: number | undefined;
  /**
   * How often an attempt is repeated that met a network fault, a time-out or status 408, 429, 500, 502, 503 or 504: 2 by
   * default, 0 for never. Only what may safely be sent twice is: GET, DELETE, verifying, introspecting and revoking, and
   * creating and rotating, whose `Idempotency-Key` makes the service do them once. The pauses are 0.5 s, 1 s, 2 s and so
   * on up to 8 s, less up to a quarter at random, and never shorter than `Retry-After`; where that is more than a minute,
   * or no number of seconds and no date, the call rejects at once.
   */
  maxRetries?: number | undefined;
  /** Headers for every request. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** Allows plain http to any host: everyone on the way then reads the credential. */
  allowInsecureHttp?: boolean | undefined;
}

const NOBODY: Credential = { token: undefined };

/** Any operation's options. */
export interface Wish extends CallOptions, HeaderInput {
  body?: unknown;
  path?: unknown;
  query?: unknown;
}

/** What every operation is sent by. Throws a `TypeError` for options that cannot be right. */
export function createTransport(options: LatchkeyOptions) {
  const { token, timeoutMs = 30_000, maxRetries = 2, headers, allowInsecureHttp = false } = options;
  // Looked up at each call, so that a `fetch` that is replaced later, as test libraries do, is the one used.
  const fetch: Fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init));
  const baseUrl = checkedBaseUrl(options.baseUrl, allowInsecureHttp);
  checkLimits({ timeoutMs, maxRetries });
  mergedHeaders(headers);
  if ('token' in options) checkToken(token);

  const sessions = createSessions(token, (refreshToken, callOptions) =>
    send('refreshSession', { ...callOptions, body: { refresh_token: refreshToken } }),
  );

  /** Calls the generated operation with a client of this call's own, which sends what the operation makes of `input`. */
  async function send<T>(
    id: OperationId,
    { signal, timeoutMs, maxRetries, headers, ...input }: Wish = {},
  ): Promise<Answer<T>> {
    const { body, path, query } = input;
    const by = (method: string) => (request: GeneratedRequest) =>
      perform(id, method, request, { signal, timeoutMs, maxRetries, headers });
    const client = { get: by('GET'), post: by('POST'), put: by('PUT'), patch: by('PATCH'), delete: by('DELETE') };
    const operation = sdk[id] as unknown as (options: unknown) => Promise<Answer<T>>;
    return await operation({ body, path, query, headers: headersOf(input), client: client as unknown as Client });
  }

  async function perform(id: OperationId, method: string, request: GeneratedRequest, call: CallOptions) {
    const limits = { timeoutMs, maxRetries, ...defined(call) };
    checkLimits(limits);
    const url = urlOf(request, baseUrl);
    const allHeaders = mergedHeaders(headers, request.headers, call.headers);
    // One for all attempts, so that what is asked for is done once, however often it is asked for.
    if (ONCE_ONLY.has(id) && !allHeaders.has('Idempotency-Key')) allHeaders.set('Idempotency-Key', newKey());
    const body = bodyOf(request);
    const repeatable = !['POST', 'PATCH'].includes(method) || ONCE_ONLY.has(id) || HARMLESS.has(id);
    let used: Credential | undefined;

    const attempt = async (credential: Credential): Promise<Answer<unknown>> => {
      used = credential;
      const mask = maskOf(credential.token, request.body);
      const answer = await exchange(
        fetch,
        {
          method,
          url,
          headers: {
            ...Object.fromEntries(allHeaders),
            ...(credential.token !== undefined && { authorization: bearer(credential.token) }),
          },
          body,
        },
        limits.timeoutMs,
        call.signal,
        mask,
      );
      const mediaType = id in OTHER_MEDIA_TYPES ? OTHER_MEDIA_TYPES[id as keyof OtherMediaTypes] : 'application/json';
      const forbidden = id === 'logIn' ? 'user_disabled' : 'insufficient_scope';
      const data = dataOf(answer, { mediaType, forbidden }, mask);
      const etag = answer.headers.get('ETag') ?? undefined;
      return { data, status: answer.status, headers: answer.headers, etag, requestId: requestIdOf(answer) };
    };
    const authenticated = async () => {
      call.signal?.throwIfAborted();
      const credential = request.security === undefined ? NOBODY : await sessions.credential(used, call.signal);
      try {
        return await attempt(credential);
      } catch (error) {
        const revived = isUnauthorized(error) ? await sessions.revive(credential, call.signal) : undefined;
        if (revived === undefined) throw error;
        return await attempt(revived);
      }
    };
    return await withRetries(authenticated, repeatable ? limits.maxRetries : 0, call.signal);
  }

  return { send, sessions };
}

function defined({ timeoutMs, maxRetries }: CallOptions) {
  return { ...(timeoutMs !== undefined && { timeoutMs }), ...(maxRetries !== undefined && { maxRetries }) };
}

function checkLimits(limits: { timeoutMs: number; maxRetries: number }): void {
  for (const [name, value] of Object.entries(limits)) {
    // The longest time that a timer takes; a longer one fires at once.
    if (!(Number.isInteger(value) && value >= 0 && value < 2 ** 31)) {
      throw new TypeError(`${name} must be an integer from 0 to ${String(2 ** 31 - 1)}`);
    }
  }
}

/** 128 random bits; `crypto.randomUUID` is not there on pages without https. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Hides what this request carries in secrets, should an error text repeat it. */
function maskOf(token: string | undefined, body: unknown): (text: string) => string {
  const { password, refresh_token: refreshToken, token: asked, tokens } = (body ?? {}) as Record<string, unknown>;
  const batch = Array.isArray(tokens) ? tokens.map((one: { token?: unknown } | null) => one?.token) : [];
  // What is shorter than any password of the service is a part of common words, and no secret.
  const isSecret = (value: unknown): value is string => typeof value === 'string' && value.length >= 8;
  const secrets = [token, password, refreshToken, asked, ...batch].filter(isSecret);
  // The longest first: of a secret that begins with another its end would stay.
  secrets.sort((a, b) => b.length - a.length);
  return (text) => secrets.reduce((masked, secret) => masked.replaceAll(secret, '[hidden]'), text);
}
