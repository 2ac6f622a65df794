import type { LatchkeyError } from '../errors.js';
import type { Fetch } from '../exchange.js';
import type { TokenOption } from '../session.js';
import type { FormatRefusal, Refusal } from './refusal.js';
import type { AuthMethod } from './request.js';

export interface VerifierOptions {
  /**
   * Where the service runs, such as `https://tokens.example.org`. Plain http is refused but for this machine, since every
   * token of every caller crosses it.
   */
  baseUrl: string;
  /**
   * The verifier's own token, or a function that gives one and is called for each request to the service. It needs the
   * scope `tokens:verify` and no other.
   */
  token: TokenOption;
  /** Milliseconds that a question may take, waiting and a second attempt included: 1 to 60000, 2000 by default. */
  timeoutMs?: number | undefined;
  /**
   * Seconds that a verdict which lets a token pass is used again for: 0, the default, to 3600. With 0 a revocation is true
   * at once; with more it may be seen that much later, and so may any other change of the token, but not its expiry.
   */
  cacheSeconds?: number | undefined;
  /** The most verdicts that are kept, the least lately used leaving first: 1 to 1000000, 10000 by default. */
  cacheEntries?: number | undefined;
  /** The most requests to the service at a time, 1 to 1000, 2 by default. Further questions wait, and leave as a batch. */
  maxConcurrency?: number | undefined;
  /** The places where a credential is looked for: `bearer`, `apiKey` and `cookie` by default. */
  authMethods?: readonly AuthMethod[] | undefined;
  /** The cookie's name, `vai_token` by default. */
  cookieName?: string | undefined;
  /**
   * Origins, such as `https://app.example.org`, whose pages may change things by a cookie as this server's own pages may.
   */
  trustedOrigins?: readonly string[] | undefined;
  /**
   * Lets CORS preflights (`OPTIONS` with `Origin` and `Access-Control-Request-Method`) pass without a credential and
   * without `auth`. Off by default: what answers them is better placed before the adapter.
   */
  passPreflight?: boolean | undefined;
  /** The `realm` of `WWW-Authenticate`; none by default. */
  realm?: string | undefined;
  /** Makes the bodies of 401, 403 and 503; by default `{"detail", "code"}` as JSON, as the service itself answers. */
  formatRefusal?: FormatRefusal | undefined;
  /** Is told of each 401 and 403 with its reason, for the log. `request` is what the framework calls a request or context. */
  onRefusal?: ((refusal: Refusal, request: unknown) => void) | undefined;
  /**
   * Is told of each 503: the service could not be asked. The error's `cause` says why, the code `unauthorized` or
   * `insufficient_scope` of which means the verifier's own token.
   */
  onError?: ((error: LatchkeyError, request: unknown) => void) | undefined;
  /** Sends the requests instead of `node:http`, or of the global `fetch` where this is not Node. */
  fetch?: Fetch | undefined;
  /** Allows plain http to any host: everyone on the way then reads the tokens. */
  allowInsecureHttp?: boolean | undefined;
}

/** What one route takes. */
export interface GuardOptions {
  /** Scopes that the token must have, all of them: at most 64. */
  scopes?: readonly string[] | undefined;
  /** Lets requests without any credential pass, without `auth`. One that opens nothing is refused all the same. */
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

/** The options with their defaults. Throws a `TypeError` for what cannot be meant. */
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
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(cookieName)) throw new TypeError('cookieName must be the name of a cookie');
  for (const origin of trustedOrigins) {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
      throw new TypeError('trustedOrigins must be origins such as https://app.example.org, without a path');
    }
  }
  return {
    ...options,
    ...{ timeoutMs, cacheSeconds, cacheEntries, maxConcurrency, cookieName },
    authMethods: new Set(authMethods),
    trustedOrigins: new Set(trustedOrigins),
  };
}

/** The options with their defaults. Throws a `TypeError` for what cannot be meant: a route that nobody guards, say. */
export function checkedGuard(options: GuardOptions): { scopes: readonly string[]; optional: boolean } {
  assertKnown(options, GUARD_OPTIONS);
  return { scopes: checkedScopes(options.scopes), optional: options.optional ?? false };
}

/** `scopes` sorted, none twice. Throws a `TypeError` for what is no scope. */
export function checkedScopes(scopes: readonly string[] = []): readonly string[] {
  // A text has a length, too, and characters that are scopes.
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

/** From JavaScript, `scope` instead of `scopes` would otherwise guard less than it seems to. */
function assertKnown(options: object, known: object): void {
  for (const name of Object.keys(options)) if (!(name in known)) throw new TypeError(`option ${name} is not known`);
}

function assertInteger(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new TypeError(`${name} must be an integer from ${String(least)} to ${String(most)}`);
  }
}
