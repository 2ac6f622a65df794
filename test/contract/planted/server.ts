import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { listAudit } from './audit.js';
import type { Call, Reply } from './call.js';
import { checkCredentials, type Has, Refusal, readForm } from './check.js';
import type { Fault } from './faults.js';
import { createKey, listKeys, onKey, onOwnKey, verifyKey } from './keys.js';
import { createStore, type Store, USER } from './store.js';

const document = readFileSync(fileURLToPath(new URL('openapi.yaml', import.meta.url)), 'utf8');

/** What a faulty server takes any caller for. */
const ANYBODY = 'anybody';

const METHODS: [RegExp, string[]][] = [
  [/^\/sessions$/, ['POST']],
  [/^\/sessions\/logout$/, ['POST']],
  [/^\/me$/, ['GET']],
  [/^\/audit$/, ['GET']],
  [/^\/keys$/, ['GET', 'POST']],
  [/^\/keys\/current$/, ['DELETE']],
  [/^\/keys\/verify$/, ['POST']],
  [/^\/keys\/[^/]+$/, ['GET', 'PATCH', 'DELETE']],
  [/^\/keys\/[^/]+\/rotate$/, ['POST']],
  [/^\/oauth\/revoke$/, ['POST']],
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
  const { headers } = request;
  const method = request.method === 'HEAD' ? 'GET' : (request.method ?? '');
  const apiKey = has('X-Api-Key opens nothing') ? '' : String(headers['x-api-key'] ?? '');
  const token =
    path === '/oauth/revoke'
      ? tokenOf(headers, has)
      : headers.authorization === undefined
        ? apiKey
        : bearerOf(headers.authorization);
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

const bearerOf = (authorization: string) => /^Bearer (.+)$/i.exec(authorization)?.[1] ?? '';

/** The token, or what stands for it as the password of Basic. */
function tokenOf({ authorization = '' }: IncomingMessage['headers'], has: Has): string {
  const [, basic] = /^Basic (.*)$/.exec(authorization) ?? [];
  if (basic === undefined) return bearerOf(authorization);
  if (has('any password opens by Basic')) return ANYBODY;
  return has('Basic opens nothing')
    ? ''
    : Buffer.from(basic, 'base64')
        .toString()
        .replace(/^[^:]*:/, '');
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
  const operation = `${call.method} ${call.path.replace(/^\/keys\/(?!current|verify)[^/]+/, '/keys/{id}')}`;
  if (operation === 'POST /sessions') return openSession(call, store, has);
  const open =
    (has('the list needs no credential') && operation === 'GET /keys') ||
    (has('revoking needs no credential') && operation === 'DELETE /keys/{id}');
  const { 'x-api-key': key, authorization } = call.headers;
  if (key !== undefined && authorization !== undefined) throw new Refusal(401, 'There are two credentials.');
  if (!open && call.token !== ANYBODY && !store.opens(call.token)) {
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
    case 'POST /keys/verify':
      return verifyKey(call, store, has);
    case 'POST /oauth/revoke':
      return revokeBySecret(call, store, has);
    case 'DELETE /keys/current':
    case 'POST /keys/current/rotate':
      return onOwnKey(call, store, has);
    default:
      return onKey(call, store, has);
  }
}

function openSession(call: Call, store: Store, has: Has): Reply {
  const { email, password } = checkCredentials(call, has);
  if (email !== USER.email || (password !== USER.password && !has('any password logs in'))) {
    throw new Refusal(401, 'Wrong e-mail or password.');
  }
  return { status: 201, body: { accessToken: store.openSession() } };
}

function revokeBySecret(call: Call, store: Store, has: Has): Reply {
  const { token, ...others } = readForm(call, has);
  if (token === undefined || token === '' || Array.from(token).length > 200)
    throw new Refusal(422, 'token must have 1 to 200 characters.');
  if (has('an unknown field of a form is refused') && Object.keys(others).length > 0)
    throw new Refusal(422, 'There is an unknown field.');
  const entry = store.holderOf(token);
  if (entry && !has('revoking by the secret does nothing')) store.revoke(entry, call.token);
  return { status: 200 };
}
