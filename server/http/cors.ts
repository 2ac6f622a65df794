import type { IncomingMessage } from 'node:http';

// Pages of other origins, by the Fetch standard's CORS protocol. They send a token in a header: no answer allows
// credentials, so that a browser gives such a page nothing that a cookie has opened.

/** Seconds that a browser remembers a preflight's answer; the longest that Chromium allows. */
const MAX_AGE = 7_200;

const METHODS = ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'];
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

/** Headers are names and values in turn. */
export interface Cors {
  /** What every answer to `request` carries. */
  headersFor(request: IncomingMessage): readonly string[];
  /** What an answer to a preflight carries besides; undefined for what is none, or comes from an origin not named. */
  preflightHeaders(request: IncomingMessage): readonly string[] | undefined;
}

/** `origins` as `Config.corsOrigins` has them; with none of them no request gets a header. */
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
