/** How a credential can be sent: `Authorization: Bearer`, `X-API-Key`, or a cookie. */
export type AuthMethod = 'bearer' | 'apiKey' | 'cookie';

/** A request in the form that a guard checks. An adapter makes it from its framework's request. */
export interface GuardedRequest {
  readonly method: string;
  /** Value of a header by its name in lower case. If it was sent several times, all values joined by commas. */
  header(name: string): string | undefined;
  /** Origin at which clients reach this server, such as `https://api.example.org`; undefined if unknown. */
  origin(): string | undefined;
  /** The framework's own request or context, passed to the callbacks. */
  readonly source: unknown;
}

/** The token of a request, or the reason why it has no usable one. */
export type Credential = { token: string; authMethod: AuthMethod } | 'missing' | 'several';

/**
 * Reads the token from the places in `methods` only. Tokens in several places must be equal (RFC 6750, section 2), as must
 * those of a header that is sent twice: its values arrive joined by commas, and no token contains a comma.
 */
export function readCredential(
  request: GuardedRequest,
  methods: ReadonlySet<AuthMethod>,
  cookieName: string,
): Credential {
  const sent: Exclude<Credential, string>[] = [];
  if (methods.has('bearer')) {
    for (const value of splitList(request.header('authorization'))) {
      // Any other scheme counts as a malformed credential.
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
 * Whether a page of another origin made a browser send this request, to which the browser adds cookies. A request without
 * `Sec-Fetch-Site` and `Origin` does not come from a browser. GET and HEAD are accepted from any page, since they change
 * nothing and the page cannot read the answer.
 */
export function isCrossSite(request: GuardedRequest, trustedOrigins: ReadonlySet<string>): boolean {
  if (request.method === 'GET' || request.method === 'HEAD') return false;
  const origin = request.header('origin');
  if (origin !== undefined && trustedOrigins.has(origin)) return false;
  const site = request.header('sec-fetch-site');
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  return origin !== undefined && origin !== request.origin();
}

/** Whether this is a CORS preflight, which browsers always send without a credential. */
export function isPreflight(request: GuardedRequest): boolean {
  const headers = ['origin', 'access-control-request-method'];
  return request.method === 'OPTIONS' && headers.every((name) => request.header(name) !== undefined);
}
