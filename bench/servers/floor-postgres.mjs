// @ts-check
import { createServer } from 'node:http';
import { isText, isWish, ROOT, refuse, send, sendHealth, UNAUTHORIZED, withBody } from './answers.mjs';
import { openPostgresStore } from './store-postgres.mjs';

// The floor on PostgreSQL: the most that Node and pg can do, for verify and create.
//
//   node bench/servers/floor-postgres.mjs URL

/** @typedef {import('./answers.mjs').Caller} Caller */

const store = await openPostgresStore(process.argv[2] ?? '');

const server = createServer(async (request, response) => {
  const { method, url = '', headers } = request;
  if (url === '/healthz') {
    sendHealth(response);
    return;
  }
  const caller = await store.authenticate(headers.authorization);
  if (caller === undefined) {
    send(response, 401, UNAUTHORIZED);
  } else if (method === 'POST' && url === ROOT) {
    withBody(request, response, caller, 'tokens:write', async (body) =>
      isWish(body) ? send(response, 201, await store.create(caller, body), caller) : refuse(response, 422, caller),
    );
  } else if (method === 'POST' && url === `${ROOT}/verify`) {
    withBody(request, response, caller, 'tokens:verify', async (body) =>
      isText(body.token, 1, 255)
        ? send(response, 200, await store.verify(body.token), caller)
        : refuse(response, 422, caller),
    );
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
