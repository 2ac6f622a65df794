// @ts-check
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { holds, openStore } from './store.mjs';

// The floor: the most that Node and SQLite can do. It implements the measured operations with Latchkey's look-ups, checks,
// writes and answers on the same tables, without framework, validator and log.
//
//   node bench/servers/floor.mjs DATABASE

/**
 * @typedef {import('./store.mjs').Answer} Answer
 * @typedef {import('./store.mjs').Caller} Caller
 */

const ROOT = '/api/v1/access-tokens';
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const MOST_BYTES = 65_536;

const UNAUTHORIZED = {
  detail: 'Authentication is required: send a valid token.',
  code: 'unauthorized',
};

const store = openStore(process.argv[2] ?? '');

const server = createServer((request, response) => {
  const { method, url = '' } = request;
  if (url === '/healthz') {
    response.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8' }).end('{"status":"ok"}');
    return;
  }
  const caller = store.authenticate(request.headers.authorization);
  if (caller === undefined) {
    send(response, 401, { headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' }, body: UNAUTHORIZED });
    return;
  }
  if (method === 'GET' && url === '/api/v1/auth/me') {
    send(response, 200, store.getMe(caller), caller);
  } else if (method === 'POST' && url === ROOT) {
    withBody(request, response, caller, 'tokens:write', (body) =>
      isWish(body) ? send(response, 201, store.create(caller, body), caller) : refuse(response, 422, caller),
    );
  } else if (method === 'POST' && url === `${ROOT}/verify`) {
    withBody(request, response, caller, 'tokens:verify', (body) =>
      isText(body.token, 1, 255)
        ? send(response, 200, store.verify(body.token), caller)
        : refuse(response, 422, caller),
    );
  } else if (method === 'GET' && (url === ROOT || url.startsWith(`${ROOT}?`))) {
    if (!holds(caller, 'tokens:read')) refuse(response, 403, caller);
    else list(response, caller, url);
  } else if (url.startsWith(`${ROOT}/`)) {
    const uuid = url.slice(ROOT.length + 1);
    if (!UUID.test(uuid)) refuse(response, 404, caller);
    else if (method === 'GET') withScope(response, caller, 'tokens:read', 200, () => store.getToken(caller, uuid));
    else withScope(response, caller, 'tokens:write', 204, () => store.revoke(caller, uuid));
  } else {
    refuse(response, 404, caller);
  }
});
server.keepAliveTimeout = 65_000;

server.listen(0, '127.0.0.1', () => {
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  console.log(`listening on http://127.0.0.1:${address.port}`);
});

process.once('SIGTERM', async () => {
  await store.close();
  process.exit();
});

/** @param {import('node:http').ServerResponse} response @param {Caller} caller @param {string} url */
function list(response, caller, url) {
  const query = new URLSearchParams(url.slice(ROOT.length + 1));
  const limit = Number(query.get('limit') ?? 50);
  const page =
    Number.isInteger(limit) && limit >= 1 && limit <= 200
      ? store.listTokens(caller, limit, query.get('cursor') ?? undefined)
      : undefined;
  if (page === undefined) refuse(response, 422, caller);
  else send(response, 200, page, caller);
}

/**
 * @param {import('node:http').ServerResponse} response
 * @param {Caller} caller
 * @param {string} scope
 * @param {number} status
 * @param {() => Answer | undefined} operation
 */
function withScope(response, caller, scope, status, operation) {
  const answer = holds(caller, scope) ? operation() : undefined;
  if (answer === undefined) refuse(response, holds(caller, scope) ? 404 : 403, caller);
  else send(response, status, answer, caller);
}

/**
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 * @param {Caller} caller
 * @param {string} scope
 * @param {(body: any) => void} use
 */
function withBody(request, response, caller, scope, use) {
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
function isWish({ name, expiresInDays, description = '', metadata = {} }) {
  return (
    isText(name, 1, 255) &&
    (expiresInDays == null || (Number.isInteger(expiresInDays) && expiresInDays >= 1 && expiresInDays <= 365)) &&
    isText(description, 0, 1_024) &&
    typeof metadata === 'object'
  );
}

/** @param {unknown} value @param {number} least @param {number} most */
function isText(value, least, most) {
  return typeof value === 'string' && value.length >= least && value.length <= most;
}

/** @param {import('node:http').ServerResponse} response @param {number} status @param {Caller} caller */
function refuse(response, status, caller) {
  send(response, status, { body: { detail: 'Refused.', code: 'refused' } }, caller);
}

/**
 * @param {import('node:http').ServerResponse} response
 * @param {number} status
 * @param {Answer} answer
 * @param {Caller} [caller]
 */
function send(response, status, { headers, body }, caller) {
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
