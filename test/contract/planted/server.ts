import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { checkCredentials, checkKey, integer, Refusal } from './check.js';
import type { Fault } from './faults.js';
import { createStore, type Key, type Store, USER } from './store.js';

const document = readFileSync(fileURLToPath(new URL('openapi.yaml', import.meta.url)), 'utf8');

interface Call {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: string;
  /** The credential that was sent. */
  token: string;
}

interface Reply {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

type Has = (fault: Fault) => boolean;

const METHODS: [RegExp, string[]][] = [
  [/^\/sessions$/, ['POST']],
  [/^\/sessions\/logout$/, ['POST']],
  [/^\/me$/, ['GET']],
  [/^\/audit$/, ['GET']],
  [/^\/keys$/, ['GET', 'POST']],
  [/^\/keys\/[^/]+$/, ['GET', 'DELETE']],
];

/** A small API of keys, right in everything that its document says but for the fault that it is given. */
export async function startPlanted(fault?: Fault): Promise<{ url: string; close(): Promise<void> }> {
  const has: Has = (name) => name === fault;
  const store = createStore(has);
  const server = createServer((request, response) => {
    void serve(request, response, store, has);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

async function serve(request: IncomingMessage, response: ServerResponse, store: Store, has: Has): Promise<void> {
  const [path = '', query = ''] = (request.url ?? '').split('?', 2);
  const { headers, method = '' } = request;
  const apiKey = has('X-Api-Key opens nothing') ? '' : String(headers['x-api-key'] ?? '');
  const token = headers.authorization?.replace(/^Bearer /, '') ?? apiKey;
  const call = { method, path, query: new URLSearchParams(query), headers, body: await text(request), token };
  if (call.path === '/openapi.yaml') {
    response.writeHead(200, { 'Content-Type': 'application/yaml' }).end(document);
    return;
  }
  if (has('the filter write breaks the connection') && call.query.get('kind') === 'write') {
    request.socket.destroy();
    return;
  }
  const { status, body, headers: more } = answer(call, store, has);
  const type = has('JSON is sent as text/html') ? 'text/html' : 'application/json';
  response.writeHead(status, { ...(body !== undefined && { 'Content-Type': type }), ...more });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

function answer(call: Call, store: Store, has: Has): Reply {
  try {
    if (has('malformed percent-encoding fails') && /%E0%A4%A/.test(call.path)) throw new URIError('malformed');
    const methods = METHODS.find(([pattern]) => pattern.test(call.path))?.[1];
    if (methods === undefined) throw new Refusal(404, 'There is no such path.');
    if (!methods.includes(call.method)) return refuseMethod(call, methods, has);
    return dispatch(call, store, has);
  } catch (error) {
    if (!(error instanceof Refusal)) return { status: 500, body: { detail: 'Internal error.' } };
    const { status, message: detail } = error;
    return { status, body: status === 404 && has('a 404 has another shape') ? { error: detail } : { detail } };
  }
}

function refuseMethod(call: Call, methods: string[], has: Has): Reply {
  if (has('an undeclared method is 404')) throw new Refusal(404, 'There is no such thing.');
  if (has('an undeclared PATCH is answered') && call.method === 'PATCH') return { status: 200, body: {} };
  const untrue = has('Allow has a method too many') ? [...methods, 'PATCH'] : methods;
  const allowed = has('Allow lacks a method') ? methods.slice(0, -1) : untrue;
  const headers: Record<string, string> = has('405 comes without Allow') ? {} : { Allow: allowed.join(', ') };
  return { status: 405, body: { detail: 'This method is not served here.' }, headers };
}

function dispatch(call: Call, store: Store, has: Has): Reply {
  const operation = `${call.method} ${call.path.replace(/^\/keys\/.*/, '/keys/{id}')}`;
  if (operation === 'POST /sessions') return openSession(call, store, has);
  const open =
    (has('the list needs no credential') && operation === 'GET /keys') ||
    (has('revoking needs no credential') && operation === 'DELETE /keys/{id}');
  if (!open && !store.opens(call.token)) {
    const told = has('a 401 tells the token that was sent') ? ` Not ${call.token}.` : '';
    throw new Refusal(401, `A valid credential is needed.${told}`);
  }
  switch (operation) {
    case 'POST /sessions/logout':
      store.endSession(call.token);
      return { status: 204 };
    case 'GET /me':
      return { status: 200, body: { email: USER.email } };
    case 'GET /audit':
      return listAudit(call, has);
    case 'GET /keys':
      return listKeys(call, store, has);
    case 'POST /keys':
      return createKey(call, store, has);
    default:
      return oneKey(call, store, has);
  }
}

function openSession(call: Call, store: Store, has: Has): Reply {
  const { email, password } = checkCredentials(call, has);
  if (email !== USER.email || (password !== USER.password && !has('any password logs in'))) {
    throw new Refusal(401, 'Wrong e-mail or password.');
  }
  return { status: 201, body: { accessToken: store.openSession() } };
}

function createKey(call: Call, store: Store, has: Has): Reply {
  const issued = store.create(checkKey(call, has));
  const location = has('Location is another path') ? '/keys' : `/keys/${String(issued.key.id)}`;
  return {
    status: has('creating answers 200 instead of 201') ? 200 : 201,
    body: issued,
    headers: has('Location is missing') ? {} : { Location: location },
  };
}

function oneKey(call: Call, store: Store, has: Has): Reply {
  const id = integer(call.path.slice('/keys/'.length), 1, Number.MAX_SAFE_INTEGER, 'id');
  const found = store.find(id);
  const isLost = has('a new key is not found') && found?.key.revokedAt === null && call.method === 'GET';
  if (found === undefined || isLost)
    throw new Refusal(has('an unknown id is 410') ? 410 : 404, 'There is no such key.');
  if (call.method === 'DELETE') {
    store.revoke(found.key, call.token);
    return { status: 204 };
  }
  const { createdAt, ...rest } = found.key;
  const headers: Record<string, string> = has('the key tells its secret in a header')
    ? { 'X-Debug': found.secret }
    : {};
  return { status: 200, body: has('the key lacks createdAt') ? rest : { ...rest, createdAt }, headers };
}

function listKeys({ query }: Call, store: Store, has: Has): Reply {
  const limit = integer(
    query.get('limit') ?? '50',
    has('limit 0 is accepted') ? 0 : 1,
    has('the limit 100 is refused') ? 99 : 100,
    'limit',
  );
  if (has('some limits fail') && limit >= 60 && limit < 90) throw new RangeError('a planted fault');
  const kind = query.get('kind');
  if (kind !== null && kind !== 'read' && kind !== 'write') throw new Refusal(422, 'kind must be read or write.');
  const flag = query.get('includeRevoked') ?? 'false';
  if (flag !== 'true' && flag !== 'false') throw new Refusal(422, 'includeRevoked must be true or false.');
  const after = integer(query.get('cursor') ?? '0', 0, Number.MAX_SAFE_INTEGER, 'cursor');
  const rows = store.list({ kind, includeRevoked: flag === 'true' }).filter(({ key }) => key.id > after);
  const taken = pageSize(limit, has);
  const page = rows.slice(0, taken);
  const items = page.map(({ key, secret }): Key & { secret?: string; owner?: string } => ({
    ...key,
    ...(has('the list tells the secrets') && { secret }),
    ...(has('a row has a member too many') && { owner: USER.email }),
  }));
  const step = has('the cursor repeats a row') ? -1 : has('the cursor loses a row') ? 1 : 0;
  const last = (page.at(-1)?.key.id ?? after) + step;
  const isMore = rows.length > taken || has('there is always another page');
  return { status: 200, body: { items, nextCursor: isMore ? String(last) : null } };
}

function pageSize(limit: number, has: Has): number {
  if (has('limit is ignored')) return 50;
  if (has('a page of one has none') && limit === 1) return 0;
  return has('a page has one row too many') ? limit + 1 : limit;
}

const EVENTS = Array.from({ length: 7 }, (_, index) => ({ id: index + 1, action: `event ${String(index + 1)}` }));

function listAudit({ query }: Call, has: Has): Reply {
  const page = integer(query.get('page') ?? '1', 1, 1000, 'page');
  const size = integer(query.get('page_size') ?? '20', 1, 20, 'page_size');
  const ordering = query.get('ordering') ?? 'id';
  if (ordering !== 'id' && ordering !== '-id') throw new Refusal(422, 'ordering must be id or -id.');
  const events = ordering === '-id' && !has('ordering is ignored') ? EVENTS.toReversed() : EVENTS;
  const start = Math.max(0, (page - 1) * size - (has('numbered pages overlap') ? page - 1 : 0));
  const results = events.slice(start, start + size);
  const isMore = start + size < events.length;
  const next = isMore ? `/audit?page=${String(page + 1)}&page_size=${String(size)}&ordering=${ordering}` : null;
  return { status: 200, body: { count: has('count counts the page') ? results.length : events.length, next, results } };
}
