import { refusedInput } from './errors.js';
import type { HeaderInput, HeaderNames } from './operations.js';

type Parameter = string | number | boolean | undefined;

/** What a generated operation gives to the client that it is called with. */
export interface GeneratedRequest {
  url: string;
  path?: Record<string, Parameter>;
  query?: Record<string, Parameter | Parameter[]>;
  body?: unknown;
  headers?: Record<string, string>;
  /** Absent for what needs no credential. */
  security?: readonly unknown[];
}

const CREDENTIAL_HEADERS = ['Authorization', 'X-API-Key', 'Cookie'];
const HEADER_NAMES: HeaderNames = { ifMatch: 'If-Match', idempotencyKey: 'Idempotency-Key' };
const LOOPBACK = /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** The base URL without a trailing slash. Throws a `TypeError`, which never shows the URL: it may hold a password. */
export function checkedBaseUrl(baseUrl: string, allowInsecureHttp: boolean): string {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new TypeError('baseUrl must be an absolute http or https URL, such as https://tokens.example.org');
  }
  if (url.username + url.password + url.search + url.hash !== '') {
    throw new TypeError('baseUrl must have no user, password, query or fragment; the credential belongs into token');
  }
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname) && !allowInsecureHttp) {
    throw new TypeError(
      `baseUrl is plain http to ${url.hostname}, which would show the credential to everyone on the way: use https, or set allowInsecureHttp`,
    );
  }
  return url.href.replace(/\/+$/, '');
}

/** The body as it is sent; in a form as in JSON what is undefined is not there. */
export function bodyOf({ body, headers }: GeneratedRequest): string | undefined {
  if (body === undefined) return undefined;
  if (headers?.['Content-Type'] !== 'application/x-www-form-urlencoded') return JSON.stringify(body);
  const fields = Object.entries(body as Record<string, string | undefined>);
  return new URLSearchParams(fields.filter((field): field is [string, string] => field[1] !== undefined)).toString();
}

/** Header parameters as headers. Rejects `ifMatch` without a value: ignored, it would overwrite what others have done. */
export function headersOf(input: HeaderInput): Record<string, string> {
  if ('ifMatch' in input && !input.ifMatch) throw refusedInput('ifMatch', 'An entity tag is not empty or undefined');
  const names = Object.keys(HEADER_NAMES) as (keyof HeaderNames)[];
  return Object.fromEntries(names.flatMap((name) => (input[name] ? [[HEADER_NAMES[name], input[name]]] : [])));
}

/** Merges headers; a later one wins. Throws a `TypeError` for a credential. */
export function mergedHeaders(...all: (Readonly<Record<string, string>> | undefined)[]): Headers {
  const headers = new Headers();
  for (const some of all) {
    for (const [name, value] of Object.entries(some ?? {})) {
      if (CREDENTIAL_HEADERS.some((one) => one.toLowerCase() === name.toLowerCase())) {
        throw new TypeError(`headers must not have ${name}: the credential belongs into token`);
      }
      headers.set(name, value);
    }
  }
  return headers;
}

/** The `Authorization` of `token`. Throws a `TypeError` where no header takes it, which would else be shown by `fetch`. */
export function bearer(token: string): string {
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new TypeError('token must be visible ASCII characters without white space; was it read with its line end?');
  }
  return `Bearer ${token}`;
}

/** Throws a `TypeError` for an option `token` that is neither a token nor a function. */
export function checkToken(token: unknown): void {
  if (typeof token === 'string') bearer(token);
  else if (typeof token !== 'function') {
    throw new TypeError('token must be a token, or a function that gives one: is the variable set that it comes from?');
  }
}

/**
 * The URL of a request. Rejects an id that would make another path of the operation's: an empty one turns
 * `DELETE /x/{id}` into `DELETE /x/`, and dots are folded away by every URL parser.
 */
export function urlOf({ url, path = {}, query = {} }: GeneratedRequest, baseUrl: string): string {
  const filled = url.replace(/\{(\w+)\}/g, (_, name: string) => {
    const id = toText(path[name]);
    if (['', '.', '..'].includes(id)) throw refusedInput(name, 'An id is not empty, . or ..');
    return encoded(id, name);
  });
  const search = Object.entries(query).flatMap(([name, value]) =>
    [value].flat().flatMap((one) => (one === undefined ? [] : `${name}=${encoded(toText(one), name)}`)),
  );
  return baseUrl + filled + (search.length > 0 ? '?' : '') + search.join('&');
}

function toText(value: Parameter): string {
  return value === undefined ? '' : String(value);
}

function encoded(text: string, field: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    throw refusedInput(field, 'A lone surrogate fits into no URL');
  }
}
