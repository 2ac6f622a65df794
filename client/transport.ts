import type { Client } from '../generated/client/types.gen.js';
import * as sdk from '../generated/sdk.gen.js';
import { dataOf, type RawAnswer, requestIdOf } from './answer.js';
import { createCookieSession } from './cookie-session.js';
import { exchange, exchangeStream, type Fetch } from './exchange.js';
import type { Answer, CallOptions, EventBytes, HeaderInput, OperationId, OtherMediaTypes } from './operations.js';
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
  deleteExternalUser: null,
  deleteWebhook: null,
  exportAuditEvents: 'application/jsonl',
  followEvents: 'text/event-stream',
  getOpenApiYaml: 'application/yaml',
  logOut: null,
  openBrowserSession: null,
  refreshBrowserSession: null,
  revokeAccessToken: null,
  revokeCurrentAccessToken: null,
  revokeOAuthToken: null,
  revokePrivateToken: null,
};

/** Operations that get a generated `Idempotency-Key` if the caller passes none. */
const ONCE_ONLY: ReadonlySet<OperationId> = new Set<OperationId>([
  'createAccessToken',
  'createPrivateToken',
  'rotateAccessToken',
  'rotateCurrentAccessToken',
]);

/** POST operations that can be repeated without a key, because a second one changes nothing further. */
const HARMLESS: ReadonlySet<OperationId> = new Set<OperationId>([
  'introspectToken',
  'revokeOAuthToken',
  'verifyAccessToken',
  'verifyAccessTokens',
]);

export interface LatchkeyOptions {
  /**
   * URL of the service, such as `https://tokens.example.org`, with the path below which it runs, if any. Plain http is
   * rejected unless the host is this machine (`localhost`, `127.0.0.0/8`, `::1`).
   */
  baseUrl: string;
  /**
   * Personal access token or session token to send as `Authorization: Bearer`, or a function that returns one. The
   * function is called for each attempt, and the call rejects with whatever it throws. After `logIn` the session is used
   * instead, until `logOut`. Without this option the client is anonymous. An explicit undefined is rejected, so that an
   * environment variable that is not set cannot make the client anonymous.
   */
  token?: TokenOption;
  /**
   * For a page of the service's own origin: authenticates by the cookies that `openBrowserSession` sets, which script cannot
   * read. If a call gets 401, the client refreshes the cookies and repeats the call; tabs take turns. Cannot be combined
   * with `token`.
   */
  cookies?: boolean | undefined;
  /** Replaces the global `fetch`. It is called with a URL and options, once for each attempt. */
  fetch?: Fetch | undefined;
  /** Milliseconds that each attempt may take, including the answer's body: 30000 by default, 0 for no limit. */
  timeoutMs?: number | undefined;
  /**
   * Most retries after a network fault, a time-out or status 408, 429, 500, 502, 503 or 504: 2 by default, 0 for none.
   * Only requests that are safe to send twice are retried: GET, DELETE, verifying, introspecting and revoking, and also
   * creating and rotating, which the service executes once because of their `Idempotency-Key`. The pauses are 0.5 s, 1 s,
   * 2 s and so on up to 8 s, shortened at random by up to a quarter, and never shorter than `Retry-After`. If
   * `Retry-After` is more than 60 seconds or cannot be read, the call rejects at once.
   */
  maxRetries?: number | undefined;
  /** Headers of every request. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** Allows plain http to any host. Others on the network can then read the credential. */
  allowInsecureHttp?: boolean | undefined;
}

const NOBODY: Credential = { token: undefined };

/** Options of any operation. */
export interface CallInput extends CallOptions, HeaderInput {
  body?: unknown;
  path?: unknown;
  query?: unknown;
}

/** Creates the function that sends every operation. Throws a `TypeError` for invalid options. */
export function createTransport(options: LatchkeyOptions) {
  const { token, timeoutMs = 30_000, maxRetries = 2, headers, allowInsecureHttp = false, cookies = false } = options;
  // The global is read at each call, because test libraries replace it later.
  const fetch: Fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init));
  const baseUrl = checkedBaseUrl(options.baseUrl, allowInsecureHttp);
  checkLimits({ timeoutMs, maxRetries });
  mergedHeaders(headers);
  if ('token' in options) checkToken(token);
  if (cookies && 'token' in options) throw new TypeError('pass either token or cookies, not both');

  const sessions = createSessions(token, (refreshToken, callOptions) =>
    send('refreshSession', { ...callOptions, body: { refresh_token: refreshToken } }),
  );
  const { credential, revive } = cookies ? createCookieSession(() => send('refreshBrowserSession')) : sessions;

  /** Calls the generated operation with a client made for this call, which sends the request the operation builds. */
  async function send<T>(
    id: OperationId,
    { signal, timeoutMs, maxRetries, headers, ...input }: CallInput = {},
  ): Promise<Answer<T>> {
    const { body, path, query } = input;
    const by = (method: string) => (request: GeneratedRequest) =>
      perform(id, method, request, { signal, timeoutMs, maxRetries, headers });
    const get = by('GET');
    const client = { get, sse: { get }, post: by('POST'), put: by('PUT'), patch: by('PATCH'), delete: by('DELETE') };
    const operation = sdk[id] as unknown as (options: unknown) => Promise<Answer<T>>;
    return await operation({ body, path, query, headers: headersOf(input), client: client as unknown as Client });
  }

  async function perform(id: OperationId, method: string, request: GeneratedRequest, call: CallOptions) {
    const limits = { timeoutMs, maxRetries, ...defined(call) };
    checkLimits(limits);
    const url = urlOf(request, baseUrl);
    const allHeaders = mergedHeaders(headers, request.headers, call.headers);
    // All attempts share one key, so the service executes the request once.
    if (ONCE_ONLY.has(id) && !allHeaders.has('Idempotency-Key')) allHeaders.set('Idempotency-Key', newKey());
    const body = bodyOf(request);
    const repeatable = !['POST', 'PATCH'].includes(method) || ONCE_ONLY.has(id) || HARMLESS.has(id);
    let used: Credential | undefined;

    const attempt = async (credential: Credential): Promise<Answer<unknown>> => {
      used = credential;
      const mask = maskOf(credential.token, request.body);
      const send = id === 'followEvents' ? exchangeStream : exchange;
      const answer: RawAnswer & { events?: EventBytes } = await send(
        fetch,
        {
          method,
          url,
          headers: {
            ...Object.fromEntries(allHeaders),
            ...(credential.token !== undefined && { authorization: bearer(credential.token) }),
          },
          body,
          ...(cookies && { credentials: 'same-origin' }),
          // The refresh goes on if the page is closed meanwhile: the browser must get the new cookies.
          ...(id === 'refreshBrowserSession' && { keepalive: true }),
        },
        limits.timeoutMs,
        call.signal,
        mask,
      );
      const mediaType = id in OTHER_MEDIA_TYPES ? OTHER_MEDIA_TYPES[id as keyof OtherMediaTypes] : 'application/json';
      const forbidden = id === 'logIn' ? 'user_disabled' : 'insufficient_scope';
      const data = answer.events ?? dataOf(answer, { mediaType, forbidden }, mask);
      const etag = answer.headers.get('ETag') ?? undefined;
      return { data, status: answer.status, headers: answer.headers, etag, requestId: requestIdOf(answer) };
    };
    const authenticated = async () => {
      call.signal?.throwIfAborted();
      const current = request.security === undefined ? NOBODY : await credential(used, call.signal);
      try {
        return await attempt(current);
      } catch (error) {
        // A call without a credential, such as a login, has nothing to renew.
        const mayRevive = current !== NOBODY && isUnauthorized(error);
        const revived = mayRevive ? await revive(current, call.signal) : undefined;
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
    // The longest delay of a timer, in milliseconds; a longer one fires at once.
    if (!(Number.isInteger(value) && value >= 0 && value < 2 ** 31)) {
      throw new TypeError(`${name} must be an integer from 0 to ${String(2 ** 31 - 1)}`);
    }
  }
}

/** 128 random bits in hex. `crypto.randomUUID` is missing on pages without https. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Returns a function that hides this request's secrets in error texts. */
function maskOf(token: string | undefined, body: unknown): (text: string) => string {
  const { password, refresh_token: refreshToken, token: asked, tokens } = (body ?? {}) as Record<string, unknown>;
  const batch = Array.isArray(tokens) ? tokens.map((one: { token?: unknown } | null) => one?.token) : [];
  // Texts below 8 characters, the shortest password, are no secrets and could occur in ordinary words.
  const isSecret = (value: unknown): value is string => typeof value === 'string' && value.length >= 8;
  const secrets = [token, password, refreshToken, asked, ...batch].filter(isSecret);
  // Longest first: otherwise the end of a secret that begins with another secret would remain visible.
  secrets.sort((a, b) => b.length - a.length);
  return (text) => secrets.reduce((masked, secret) => masked.replaceAll(secret, '[hidden]'), text);
}
