import type { LatchkeyError } from '../errors.js';
import type { Fetch } from '../exchange.js';
import type { TokenOption } from '../session.js';
import type { FormatRefusal, Refusal } from './refusal.js';
import type { AuthMethod } from './request.js';

export interface VerifierOptions {
  /**
   * URL of the service, such as `https://tokens.example.org`. Plain http is rejected unless the host is this machine,
   * because the tokens of all callers are sent there.
   */
  baseUrl: string;
  /**
   * The verifier's own token, or a function that returns one and is called for each request to the service. The token
   * needs the scope `tokens:verify` only.
   */
  token: TokenOption;
  /** Milliseconds that a verification may take, including waiting and a second attempt: 1 to 60000, 2000 by default. */
  timeoutMs?: number | undefined;
  /**
   * Seconds that a verdict on a valid token is cached: 0 (the default) to 3600. With 0, a revocation takes effect at once.
   * With more, a revocation or any other change of the token can take that long to take effect; its expiry does not.
   */
  cacheSeconds?: number | undefined;
  /** Most verdicts in the cache: 1 to 1000000, 10000 by default. The least recently used one is removed first. */
  cacheEntries?: number | undefined;
  /** Most concurrent requests to the service: 1 to 1000, 2 by default. Further tokens wait and are sent as a batch. */
  maxConcurrency?: number | undefined;
  /** Places where a credential is accepted: `bearer`, `apiKey` and `cookie` by default. */
  authMethods?: readonly AuthMethod[] | undefined;
  /** Name of the cookie that contains a token, `vai_token` by default. */
  cookieName?: string | undefined;
  /**
   * Origins, such as `https://app.example.org`, whose pages may send requests with a cookie that change something. The
   * server's own origin always may.
   */
  trustedOrigins?: readonly string[] | undefined;
  /**
   * Accepts CORS preflights (`OPTIONS` with `Origin` and `Access-Control-Request-Method`) without a credential; `auth` is
   * then undefined. Off by default: put a CORS middleware before the adapter instead, if you can.
   */
  passPreflight?: boolean | undefined;
  /** `realm` of `WWW-Authenticate`; none by default. */
  realm?: string | undefined;
  /** Formats the bodies of 401, 403 and 503. By default they are JSON, `{"detail", "code"}`, like the service's own. */
  formatRefusal?: FormatRefusal | undefined;
  /** Called for each 401 and 403 with its reason, for logging. `request` is the framework's request or context. */
  onRefusal?: ((refusal: Refusal, request: unknown) => void) | undefined;
  /**
   * Called for each 503, when the service gave no verdict. The error's `cause` is the reason; its code `unauthorized` or
   * `insufficient_scope` refers to the verifier's own token.
   */
  onError?: ((error: LatchkeyError, request: unknown) => void) | undefined;
  /** Replaces the default transport, which is `node:http`, or the global `fetch` outside Node. */
  fetch?: Fetch | undefined;
  /** Allows plain http to any host. Others on the network can then read the tokens. */
  allowInsecureHttp?: boolean | undefined;
}

/** Requirements of one route. */
export interface GuardOptions {
  /** Scopes that the token must have: all of them, at most 64. */
  scopes?: readonly string[] | undefined;
  /** Accepts requests without a credential; `auth` is then undefined. An invalid credential still gets 401. */
  optional?: boolean | undefined;
}

type Known<Options> = Record<keyof Options, true>;

const VERIFIER_OPTIONS: Known<VerifierOptions> = {
  baseUrl: true,
  token: true,
  timeoutMs: true,
  cacheSeconds: true,
  cacheEntries: true,
  maxConcurrency: true,
  authMethods: true,
  cookieName: true,
  trustedOrigins: true,
  passPreflight: true,
  realm: true,
  formatRefusal: true,
  onRefusal: true,
  onError: true,
  fetch: true,
  allowInsecureHttp: true,
};
const GUARD_OPTIONS: Known<GuardOptions> = { scopes: true, optional: true };
const AUTH_METHODS: readonly AuthMethod[] = ['bearer', 'apiKey', 'cookie'];

/** Validates the options and adds their defaults. Throws a `TypeError` for an invalid one. */
export function checkedOptions(options: VerifierOptions) {
  assertKnown(options, VERIFIER_OPTIONS);
  const { timeoutMs = 2_000, cacheSeconds = 0, cacheEntries = 10_000, maxConcurrency = 2 } = options;
  const { authMethods = AUTH_METHODS, cookieName = 'vai_token', trustedOrigins = [] } = options;
  assertInteger('timeoutMs', timeoutMs, 1, 60_000);
  assertInteger('cacheSeconds', cacheSeconds, 0, 3_600);
  assertInteger('cacheEntries', cacheEntries, 1, 1_000_000);
  assertInteger('maxConcurrency', maxConcurrency, 1, 1_000);
  if (authMethods.length === 0 || !authMethods.every((method) => AUTH_METHODS.includes(method))) {
    throw new TypeError(`authMethods must be one or more of ${AUTH_METHODS.join(', ')}`);
  }
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(cookieName))
    throw new TypeError("cookieName must be letters, digits and !#$%&'*+.^_`|~-");
  for (const origin of trustedOrigins) {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
      throw new TypeError(
        'trustedOrigins must be origins such as https://app.example.org, without a path or trailing slash',
      );
    }
  }
  return {
    ...options,
    ...{ timeoutMs, cacheSeconds, cacheEntries, maxConcurrency, cookieName },
    authMethods: new Set(authMethods),
    trustedOrigins: new Set(trustedOrigins),
  };
}

/** Validates a route's options and adds their defaults. Throws a `TypeError` for an invalid or unknown one. */
export function checkedGuard(options: GuardOptions): { scopes: readonly string[]; optional: boolean } {
  assertKnown(options, GUARD_OPTIONS);
  return { scopes: checkedScopes(options.scopes), optional: options.optional ?? false };
}

/** Returns `scopes` sorted and without duplicates. Throws a `TypeError` for an invalid scope. */
export function checkedScopes(scopes: readonly string[] = []): readonly string[] {
  // From JavaScript, a single string would otherwise pass as a list of one-character scopes.
  if (typeof scopes === 'string' || scopes.length > 64 || !scopes.every(isScope)) {
    throw new TypeError(
      'scopes must be at most 64 texts of 1 to 100 letters, digits and . _ : / -, a letter or digit first',
    );
  }
  return [...new Set(scopes)].sort();
}

function isScope(scope: unknown): boolean {
  return typeof scope === 'string' && /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$/.test(scope);
}

/** Without this, JavaScript that says `scope` instead of `scopes` would silently leave a route without scopes. */
function assertKnown(options: object, known: object): void {
  for (const name of Object.keys(options))
    if (!(name in known))
      throw new TypeError(`option ${name} is not known; known are ${Object.keys(known).join(', ')}`);
}

function assertInteger(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new TypeError(`${name} must be an integer from ${String(least)} to ${String(most)}`);
  }
}
