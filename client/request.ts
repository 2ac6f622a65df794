import { inputError } from './errors.js';
import type { HeaderInput, HeaderNames } from './operations.js';

type Parameter = string | number | boolean | undefined;

/** The request that a generated operation passes to its client. */
export interface GeneratedRequest {
  url: string;
  path?: Record<string, Parameter>;
  query?: Record<string, Parameter | Parameter[]>;
  body?: unknown;
  headers?: Record<string, string>;
  /** Absent if the operation needs no credential. */
  security?: readonly unknown[];
}

const CREDENTIAL_HEADERS = ['Authorization', 'X-API-Key', 'Cookie'];
const HEADER_NAMES: HeaderNames = { ifMatch: 'If-Match', idempotencyKey: 'Idempotency-Key' };
const LOOPBACK = /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/**
 * Validates `baseUrl` and returns it without a trailing slash. Throws a `TypeError` that does not contain the URL, because
 * a URL can contain a password.
 */
export function checkedBaseUrl(baseUrl: string, allowInsecureHttp: boolean): string {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new TypeError('baseUrl must be an absolute http or https URL, such as https://tokens.example.org');
  }
  if (url.username + url.password + url.search + url.hash !== '') {
    throw new TypeError('baseUrl must have no user, password, query or fragment; pass the credential as token');
  }
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname) && !allowInsecureHttp) {
    throw new TypeError(
      `baseUrl is plain http to ${url.hostname}, so others on the network could read the credential: use https, or set allowInsecureHttp`,
    );
  }
  return url.href.replace(/\/+$/, '');
}

/** The body as text: JSON or a form. Members that are undefined are left out of both. */
export function bodyOf({ body, headers }: GeneratedRequest): string | undefined {
  if (body === undefined) return undefined;
  if (headers?.['Content-Type'] !== 'application/x-www-form-urlencoded') return JSON.stringify(body);
  const fields = Object.entries(body as Record<string, string | undefined>);
  return new URLSearchParams(fields.filter((field): field is [string, string] => field[1] !== undefined)).toString();
}

/**
 * Converts header parameters to headers. Throws `invalid_input` for an empty or undefined `ifMatch`: without the
 * condition, the call would overwrite other people's edits.
 */
export function headersOf(input: HeaderInput): Record<string, string> {
  if ('ifMatch' in input && !input.ifMatch)
    throw inputError('ifMatch', 'must be an entity tag, not empty or undefined');
  const names = Object.keys(HEADER_NAMES) as (keyof HeaderNames)[];
  return Object.fromEntries(names.flatMap((name) => (input[name] ? [[HEADER_NAMES[name], input[name]]] : [])));
}

/** Merges headers; a later value replaces an earlier one. Throws a `TypeError` for a header that carries a credential. */
export function mergedHeaders(...all: (Readonly<Record<string, string>> | undefined)[]): Headers {
  const headers = new Headers();
  for (const some of all) {
    for (const [name, value] of Object.entries(some ?? {})) {
      if (CREDENTIAL_HEADERS.some((one) => one.toLowerCase() === name.toLowerCase())) {
        throw new TypeError(`headers must not contain ${name}: pass the credential as token`);
      }
      headers.set(name, value);
    }
  }
  return headers;
}

/**
 * The value of `Authorization` for `token`. Throws a `TypeError` for characters that no header can contain; `fetch` would
 * show the token in its own error.
 */
export function bearer(token: string): string {
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new TypeError(
      'token must be visible ASCII characters without white space; check that it was not read with its line end',
    );
  }
  return `Bearer ${token}`;
}

/** Throws a `TypeError` if the option `token` is neither a token nor a function. */
export function checkToken(token: unknown): void {
  if (typeof token === 'string') bearer(token);
  else if (typeof token !== 'function') {
    throw new TypeError(
      'token must be a token, or a function that returns one; check that the variable it comes from is set',
    );
  }
}

/**
 * Builds the URL of a request. Throws `invalid_input` for an id that would lead to another path: an empty id turns
 * `DELETE /x/{id}` into `DELETE /x/`, and URL parsers resolve `.` and `..`.
 */
export function urlOf({ url, path = {}, query = {} }: GeneratedRequest, baseUrl: string): string {
  const filled = url.replace(/\{(\w+)\}/g, (_, name: string) => {
    const id = toText(path[name]);
    if (['', '.', '..'].includes(id)) throw inputError(name, 'must be an id, not empty, . or ..');
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
    throw inputError(field, 'must not contain a lone surrogate, which no URL can represent');
  }
}
