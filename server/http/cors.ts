import type { IncomingMessage } from 'node:http';

// CORS, as in the Fetch standard, for web pages of other origins. Such a page must send its token in a header. No answer
// allows credentials, so a browser shows such a page nothing that was authenticated by a cookie.

/** Seconds that a browser remembers a preflight's answer; the longest that Chromium allows. */
const MAX_AGE = 7_200;

export const METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
const REQUEST_HEADERS = [
  'Authorization',
  'X-API-Key',
  'Content-Type',
  'Idempotency-Key',
  'If-Match',
  'If-None-Match',
  'X-Request-Id',
];
const ANSWER_HEADERS = ['ETag', 'Location', 'X-Request-Id', 'Retry-After', 'Latchkey-Token-Expires-At'];

/** The CORS headers of answers, as a list of names and values in turn. */
export interface Cors {
  /** The headers of every answer to `request`. */
  headersFor(request: IncomingMessage): readonly string[];
  /** The further headers of a preflight's answer; undefined if `request` is no preflight, or its origin is not allowed. */
  preflightHeaders(request: IncomingMessage): readonly string[] | undefined;
}

/** `origins` is `Config.corsOrigins`. If it is empty, no answer has CORS headers. */
export function createCors(origins: readonly string[]): Cors {
  const all = origins.includes('*');
  const named = new Set(origins);
  const others = origins.length === 0 ? [] : ['Vary', 'Origin'];
  const exposed = ['Access-Control-Expose-Headers', ANSWER_HEADERS.join(', ')];
  const preflight = [
    ...['Access-Control-Allow-Methods', METHODS.join(', ')],
    ...['Access-Control-Allow-Headers', REQUEST_HEADERS.join(', ')],
    ...['Access-Control-Max-Age', String(MAX_AGE)],
  ];
  const isAllowed = (origin: string | undefined): origin is string =>
    origin !== undefined && (all || named.has(origin));
  return {
    headersFor({ headers: { origin } }) {
      if (!isAllowed(origin)) return others;
      return ['Vary', 'Origin', 'Access-Control-Allow-Origin', all ? '*' : origin, ...exposed];
    },
    preflightHeaders({ method, headers }) {
      const isPreflight = method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
      return isPreflight && isAllowed(headers.origin) ? preflight : undefined;
    },
  };
}
