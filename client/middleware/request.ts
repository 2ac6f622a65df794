/** Where a credential may stand: `Authorization: Bearer`, `X-API-Key`, or a cookie. */
export type AuthMethod = 'bearer' | 'apiKey' | 'cookie';

/** What is looked at of a request, whatever framework it came through. */
export interface GuardedRequest {
  readonly method: string;
  /** The value of a header, by its name in lower case; of several with this name all, joined by commas. */
  header(name: string): string | undefined;
  /** Scheme, host and port that the client sees this server at, such as `https://api.example.org`; undefined if unknown. */
  origin(): string | undefined;
  /** What the callbacks are given: the framework's own request or context. */
  readonly source: unknown;
}

/** The one token of a request, or why there is none. */
export type Credential = { token: string; authMethod: AuthMethod } | 'missing' | 'several';

/**
 * Reads the places of `methods` and no others. A token in several of them must be the same (RFC 6750, section 2), and so
 * must one in a header that is sent twice: that arrives joined by commas, which no token contains.
 */
export function readCredential(
  request: GuardedRequest,
  methods: ReadonlySet<AuthMethod>,
  cookieName: string,
): Credential {
  const sent: Exclude<Credential, string>[] = [];
  if (methods.has('bearer')) {
    for (const value of splitList(request.header('authorization'))) {
      // Another scheme, or none, is a credential too: one that is malformed.
      sent.push({ token: /^bearer +(\S+)$/i.exec(value)?.[1] ?? '', authMethod: 'bearer' });
    }
  }
  if (methods.has('apiKey')) {
    for (const token of splitList(request.header('x-api-key'))) sent.push({ token, authMethod: 'apiKey' });
  }
  if (methods.has('cookie')) {
    for (const pair of request.header('cookie')?.split(/[;,]/) ?? []) {
      const [name, ...value] = pair.trim().split('=');
      if (name === cookieName) sent.push({ token: value.join('='), authMethod: 'cookie' });
    }
  }
  const [first] = sent;
  if (first === undefined) return 'missing';
  return sent.every(({ token }) => token === first.token) ? first : 'several';
}

function splitList(value: string | undefined): string[] {
  return value === undefined ? [] : value.split(',').map((entry) => entry.trim());
}

/**
 * Whether a browser sent this request from a page of another origin, which it would add a cookie to all the same. Without
 * `Sec-Fetch-Site` and `Origin` it was no browser. What only reads may come from anywhere: its answer is not shown there.
 */
export function isCrossSite(request: GuardedRequest, trustedOrigins: ReadonlySet<string>): boolean {
  if (request.method === 'GET' || request.method === 'HEAD') return false;
  const origin = request.header('origin');
  if (origin !== undefined && trustedOrigins.has(origin)) return false;
  const site = request.header('sec-fetch-site');
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  return origin !== undefined && origin !== request.origin();
}

/** A browser's question whether it may send a request: it carries no credential, whatever the request will. */
export function isPreflight(request: GuardedRequest): boolean {
  const headers = ['origin', 'access-control-request-method'];
  return request.method === 'OPTIONS' && headers.every((name) => request.header(name) !== undefined);
}
