// @ts-check
import { createServer } from 'node:http';
import { isText, isWish, ROOT, refuse, send, sendHealth, UNAUTHORIZED, withBody } from './answers.mjs';
import { holds } from './rows.mjs';
import { openStore } from './store.mjs';

// The floor: the most that Node and SQLite can do. It implements the measured operations with Latchkey's look-ups, checks,
// writes and answers on the same tables, without framework, validator and log.
//
//   node bench/servers/floor.mjs DATABASE

/**
 * @typedef {import('./store.mjs').Answer} Answer
 * @typedef {import('./store.mjs').Caller} Caller
 */

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

const store = openStore(process.argv[2] ?? '');

const server = createServer((request, response) => {
  const { method, url = '' } = request;
  if (url === '/healthz') {
    sendHealth(response);
    return;
  }
  const caller = store.authenticate(request.headers.authorization);
  if (caller === undefined) {
    send(response, 401, UNAUTHORIZED);
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
