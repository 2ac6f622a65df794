import { answered, asked, B, credentialOf, json, parse, told, USUAL } from '../making.js';
import type { Asked } from '../proxy.js';
import { type Faults, later, one, tokenNow } from './parts.js';

// Statuses, headers, media types, methods and paths.

export const ANSWERS: Faults = {
  'creating a private token answers 200 instead of 201': () =>
    answered('createPrivateToken', (reply) => {
      if (reply.status === 201) reply.status = 200;
    }),
  'revoking a token answers 200 with an empty object': () =>
    answered('revokeAccessToken', (reply) => {
      if (reply.status === 204) Object.assign(reply, json(200, {}));
    }),
  // Paths match exactly, so that this leads to 404.
  'the Location of a new token ends with a slash': () =>
    answered('createAccessToken', ({ headers }) => {
      if (headers.location !== undefined) headers.location += '/';
    }),
  'the Location of a new user names the user before': () =>
    answered('createUser', (reply) => {
      const id = Number(parse(reply.text)?.user?.id);
      if (reply.status === 201) reply.headers.location = `/api/v1/users/${String(id - 1)}`;
    }),
  "the request's own X-Request-Id is replaced where it has a dot": () => ({
    tell({ headers }, each) {
      if (one(each.headers['x-request-id']).includes('.')) headers['x-request-id'] = 'a-new-one';
    },
  }),
  'an X-Request-Id is cut at 64 characters': () => ({
    tell({ headers }) {
      headers['x-request-id'] = one(headers['x-request-id']).slice(0, 64);
    },
  }),
  'a request id with white space or quotes is sent back': () => ({
    tell({ headers }, each) {
      const own = one(each.headers['x-request-id']);
      if (own !== '') headers['x-request-id'] = own;
    },
  }),
  'a missing token may be kept by caches': () =>
    answered('getAccessToken', ({ status, headers }) => {
      if (status === 404) headers['cache-control'] = 'public, max-age=300';
    }),
  'introspection lacks Cache-Control': () =>
    answered('introspectToken', ({ headers }) => {
      delete headers['cache-control'];
    }),
  'answers without a body lack nosniff': () => ({
    tell({ status, headers }) {
      if (status === 204) delete headers['x-content-type-options'];
    },
  }),
  'the list of users is sent as text/html': () =>
    answered('listUsers', ({ status, headers }) => {
      if (status === 200) headers['content-type'] = 'text/html; charset=utf-8';
    }),
  'a conflict is sent as application/problem+json': () => ({
    tell({ status, headers }) {
      if (status === 409) headers['content-type'] = 'application/problem+json';
    },
  }),
  'HEAD of a token is 405': () =>
    answered('getAccessToken', (reply, { method }) => {
      if (method === 'HEAD') Object.assign(reply, { status: 405, headers: { ...USUAL, allow: 'GET, DELETE, PATCH' } });
    }),
  'HEAD needs no credential': () => ({
    tell(reply, { method }) {
      if (method === 'HEAD' && reply.status === 401) {
        reply.status = 200;
        delete reply.headers['www-authenticate'];
      }
    },
  }),
  'OPTIONS answers 200 with an empty object': () => ({
    tell(reply, { method }) {
      if (method === 'OPTIONS' && reply.status === 204)
        Object.assign(reply, json(200, {}, { allow: one(reply.headers.allow) }));
    },
  }),
  'Allow leaves out PATCH': () => ({
    tell({ headers }) {
      if (headers.allow !== undefined) headers.allow = headers.allow.replace(/, PATCH|PATCH, /, '');
    },
  }),
  'a method that is not allowed is 404': () => ({
    tell(reply) {
      if (reply.status === 405) Object.assign(reply, json(404, { detail: 'Not found.', code: 'not_found' }));
    },
  }),
  'PUT edits a token as PATCH does': () => ({
    ask(each) {
      if (each.method === 'PUT' && each.path.startsWith(`${B}/`)) each.method = 'PATCH';
    },
  }),
  'POST with X-HTTP-Method-Override: DELETE revokes': () => ({
    ask(each) {
      const meant = one(each.headers['x-http-method-override']);
      if (each.method === 'POST' && meant !== '') each.method = meant.toUpperCase();
    },
  }),
  'DELETE with an empty id revokes everything': () => ({
    ask(each) {
      if (each.method === 'DELETE' && each.path === `${B}/`) each.path = B;
    },
  }),
  'a path without its last slash redirects to the one with it': () => ({
    ask: ({ path }) =>
      path === '/api/v1/auth/private_tokens'
        ? { status: 301, headers: { ...USUAL, location: `${path}/` }, text: '' }
        : undefined,
  }),
  'the letter case of a path does not matter': () => ({
    ask(each) {
      each.path = each.path.toLowerCase();
    },
  }),
  'two slashes in a path count as one': () => ({
    ask(each) {
      each.path = each.path.replace(/\/\/+/g, '/');
    },
  }),
  'Latchkey-Token-Expires-At is a day late': () => ({
    tell({ headers }) {
      const at = one(headers['latchkey-token-expires-at']);
      if (at !== '') headers['latchkey-token-expires-at'] = later(at, 86_400_000);
    },
  }),
  'refusals lack Latchkey-Token-Expires-At': () => ({
    tell({ status, headers }) {
      if (status === 403) delete headers['latchkey-token-expires-at'];
    },
  }),
  // The tag of an edit must serve for the next one.
  'an edit answers with the ETag of before': () => {
    const before = new WeakMap<Asked, string>();
    return {
      async ask(each, service) {
        if (each.operation !== 'updateAccessToken') return;
        const { headers } = await service('GET', each.path, { as: credentialOf(each) });
        if (headers.etag !== undefined) before.set(each, headers.etag);
      },
      tell(reply, each) {
        const tag = before.get(each);
        if (tag !== undefined && reply.status === 200) reply.headers.etag = tag;
      },
    };
  },
  // The ETag changes with no use of the token.
  'the ETag changes whenever the token is looked at': () => {
    const real = new Map<string, string>();
    return {
      ask(each) {
        const known = real.get(one(each.headers['if-match']));
        if (known !== undefined) each.headers['if-match'] = known;
      },
      tell({ headers }, { operation, count }) {
        if (operation !== 'getAccessToken' || headers.etag === undefined) return;
        const tag = `"${String(count).padStart(16, 'x')}"`;
        real.set(tag, headers.etag);
        headers.etag = tag;
      },
    };
  },
  'the token in use has no ETag': () =>
    answered('getCurrentAccessToken', ({ headers }) => {
      delete headers.etag;
    }),
  // RFC 8259, section 8.1: JSON on the network has no byte order mark.
  'the caller is told with a byte order mark': () =>
    answered('getMe', (reply) => {
      if (reply.text !== '') reply.text = `\uFEFF${reply.text}`;
    }),
  'the session cookie can be read by scripts': () =>
    answered('logIn refreshSession', ({ headers }) => {
      headers['set-cookie'] = headers['set-cookie']?.map((cookie) => cookie.replace(/; HttpOnly/i, ''));
    }),
  'the session cookie is good under /api/v1/auth alone': () =>
    answered('logIn', ({ headers }) => {
      headers['set-cookie'] = headers['set-cookie']?.map((cookie) => cookie.replace(/Path=\//i, 'Path=/api/v1/auth'));
    }),
  'the refreshed session is not set as the cookie': () =>
    answered('refreshSession', ({ headers }) => {
      delete headers['set-cookie'];
    }),
  'logging out leaves the cookie in the browser': () =>
    answered('logOut', ({ headers }) => {
      delete headers['set-cookie'];
    }),
  'a session that rotates itself by cookie gets no new cookie': () =>
    answered('rotateCurrentAccessToken rotateAccessToken', ({ headers }) => {
      delete headers['set-cookie'];
    }),
  'every origin may read answers with credentials': () => ({
    tell({ headers }, each) {
      const { origin } = each.headers;
      if (origin === undefined) return;
      headers['access-control-allow-origin'] = origin;
      headers['access-control-allow-credentials'] = 'true';
    },
  }),
  'a list of more than 8 KiB ends in its middle': () =>
    answered('listAccessTokens', (reply) => {
      if (reply.text.length > 8192) reply.cut = 8192;
    }),
  'the contract as JSON leaves out the users': () =>
    answered('getOpenApiJson', (reply) => {
      const document: unknown = reply.status === 200 && reply.text !== '' ? JSON.parse(reply.text) : undefined;
      if (typeof document !== 'object' || document === null || !('paths' in document)) return;
      const paths = Object.entries(document.paths ?? {}).filter(([path]) => !path.startsWith('/api/v1/users'));
      reply.text = JSON.stringify({ ...document, paths: Object.fromEntries(paths) });
    }),
  // It is the document that the service validates against.
  'the contract as YAML allows 500 rows on a page': () =>
    answered('getOpenApiYaml', (reply) => {
      reply.text = reply.text.replaceAll('maximum: 200, default: 50', 'maximum: 500, default: 50');
    }),
  'the contract as YAML is sent as application/json': () =>
    answered('getOpenApiYaml', ({ status, headers }) => {
      if (status === 200) headers['content-type'] = 'application/json';
    }),
  // Unknown query parameters are refused everywhere.
  'health takes any query': () =>
    asked('getHealth', (each) => {
      for (const name of [...each.query.keys()]) each.query.delete(name);
    }),
  'readiness tells its delay as a fraction of seconds': () =>
    told('getReadiness', (body) => {
      body.eventLoopDelayMs = ((body.eventLoopDelayMs ?? 0) + 1) / 1000;
    }),
  'readiness leaves out the lost log lines': () =>
    told('getReadiness', (body) => {
      Reflect.deleteProperty(body, 'lostLogLines');
    }),
  'the token in use is that with the newest creation': () =>
    told('getCurrentAccessToken', async (body, each, service) => {
      const { text } = await service('GET', `${B}?limit=1`, { as: credentialOf(each) });
      const newest = parse(text)?.items?.[0];
      if (newest !== undefined) Object.assign(body, newest);
    }),
  'a token that is edited is answered as it was before': () => {
    const before = new WeakMap<Asked, object>();
    return {
      async ask(each, service) {
        const now = each.operation === 'updateAccessToken' ? await tokenNow(each, service) : undefined;
        if (now !== undefined) before.set(each, now);
      },
      tell(reply, each) {
        const known = before.get(each);
        if (known !== undefined && reply.status === 200) reply.text = JSON.stringify(known);
      },
    };
  },
};
