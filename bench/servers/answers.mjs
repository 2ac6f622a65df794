// @ts-check
import { randomUUID } from 'node:crypto';
import { holds } from './rows.mjs';

// How the floors read requests and write answers, whatever their database.

/**
 * @typedef {import('./store.mjs').Answer} Answer
 * @typedef {import('./store.mjs').Caller} Caller
 */

export const ROOT = '/api/v1/access-tokens';
const MOST_BYTES = 65_536;

export const UNAUTHORIZED = {
  headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
  body: { detail: 'Authentication is required: send a valid token.', code: 'unauthorized' },
};

/** @param {import('node:http').ServerResponse} response */
export function sendHealth(response) {
  response.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8' }).end('{"status":"ok"}');
}

/**
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 * @param {Caller} caller
 * @param {string} scope
 * @param {(body: any) => void} use
 */
export function withBody(request, response, caller, scope, use) {
  if (!holds(caller, scope)) {
    refuse(response, 403, caller);
    return;
  }
  /** @type {Buffer[]} */
  const chunks = [];
  let bytes = 0;
  request.on('data', (/** @type {Buffer} */ chunk) => {
    bytes += chunk.length;
    if (bytes <= MOST_BYTES) chunks.push(chunk);
  });
  request.on('end', () => {
    const body = bytes <= MOST_BYTES && isJson(request) ? parse(Buffer.concat(chunks)) : undefined;
    if (body === undefined) refuse(response, 400, caller);
    else use(body);
  });
}

/** @param {import('node:http').IncomingMessage} request */
function isJson({ headers }) {
  return headers['content-type']?.startsWith('application/json') === true;
}

/** @param {Buffer} bytes @returns {Record<string, unknown> | undefined} */
function parse(bytes) {
  try {
    const body = JSON.parse(bytes.toString());
    return typeof body === 'object' && body !== null && !Array.isArray(body) ? body : undefined;
  } catch {
    return undefined;
  }
}

/** @param {any} body */
export function isWish({ name, expiresInDays, description = '', metadata = {} }) {
  return (
    isText(name, 1, 255) &&
    (expiresInDays == null || (Number.isInteger(expiresInDays) && expiresInDays >= 1 && expiresInDays <= 365)) &&
    isText(description, 0, 1_024) &&
    typeof metadata === 'object'
  );
}

/** @param {unknown} value @param {number} least @param {number} most */
export function isText(value, least, most) {
  return typeof value === 'string' && value.length >= least && value.length <= most;
}

/** @param {import('node:http').ServerResponse} response @param {number} status @param {Caller} caller */
export function refuse(response, status, caller) {
  send(response, status, { body: { detail: 'Refused.', code: 'refused' } }, caller);
}

/**
 * @param {import('node:http').ServerResponse} response
 * @param {number} status
 * @param {Answer} answer
 * @param {Caller} [caller]
 */
export function send(response, status, { headers, body }, caller) {
  /** @type {Record<string, string | number>} */
  const all = {
    'X-Request-Id': randomUUID(),
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-store',
    ...headers,
  };
  if (caller !== undefined && caller.expiresAt !== null) {
    all['Latchkey-Token-Expires-At'] = new Date(caller.expiresAt).toISOString();
  }
  if (body === undefined) {
    response.writeHead(status, all).end();
    return;
  }
  const text = JSON.stringify(body);
  all['Content-Type'] = 'application/json; charset=utf-8';
  all['Content-Length'] = Buffer.byteLength(text);
  response.writeHead(status, all).end(text);
}
