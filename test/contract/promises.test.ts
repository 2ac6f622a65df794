import { expect, test } from 'vitest';
import type { ContractReport } from '../../contract/index.js';
import type { SmallReply, SmallRequest } from './planted/small.js';
import { body, document, tested } from './small/document.js';

// What public documents do not promise, and what a right server therefore may do; and beside each the server that is
// wrong in just that point.

const TOKEN = 'the-credential-of-the-run-0002';
const bearer = { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } };
const text = { type: 'string', minLength: 1, maxLength: 20 };
const ok = { 200: body({ type: 'object' }) };
const idOf = { name: 'id', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } };

const told = ({ failures }: ContractReport) => failures.map(({ check, message }) => `${check}: ${message}`);
const warned = ({ warnings }: ContractReport) => warnings.map(({ check, message }) => `${check}: ${message}`);

function isGood({ headers }: SmallRequest): boolean {
  return headers.authorization?.replace(/^bearer/i, 'Bearer') === `Bearer ${TOKEN}`;
}

test('a refusal that is not listed is a warning where the operation lists none for such a request', async () => {
  const operation = (responses: object) => ({
    operationId: 'putThing',
    security: [{ bearer: [] }],
    parameters: [idOf],
    requestBody: { required: true, ...body({ type: 'object', required: ['name'], properties: { name: text } }) },
    responses,
  });
  const answer = (request: SmallRequest): SmallReply => {
    if (!isGood(request)) return { status: 401, body: {} };
    if (!/\/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(request.path)) return { status: 404, body: {} };
    if (!/^application\/json/i.test(request.type)) return { status: 415, body: {} };
    try {
      const { name } = JSON.parse(request.body) as { name?: unknown };
      const isName = typeof name === 'string' && name !== '' && Array.from(name).length <= 20;
      return isName ? { status: 200, body: {} } : { status: 400, body: { about: 'name' } };
    } catch {
      return { status: 400, body: {} };
    }
  };
  const spec = (responses: object) => document({ '/things/{id}': { put: operation(responses) } }, bearer);
  const right = await tested(spec(ok), answer, { token: TOKEN });
  expect(told(right)).toEqual([]);
  expect(right.complete).toBe(true);
  const statuses = [400, 401, 415].map((status) => `status: ${String(status)} is not documented`);
  expect(warned(right)).toEqual(expect.arrayContaining(statuses));
  const listed = { ...ok, 401: { description: 'who' }, 404: { description: 'none' }, 415: { description: 'what' } };
  const wrong = await tested(spec({ ...listed, 422: body({ type: 'object' }) }), answer, { token: TOKEN });
  expect(told(wrong)).toEqual(['status: 400 is not documented']);
});

test('a 204 has no media type, whatever the document says of it', async () => {
  const spec = document({
    '/a': { get: { operationId: 'a', responses: { 200: body({ type: 'object' }), 204: body({ type: 'object' }) } } },
  });
  expect(told(await tested(spec, () => ({ status: 204 })))).toEqual([]);
  const wrong = await tested(spec, () => ({ status: 200 }));
  expect(told(wrong)).toContain('content-type: 200 comes without a media type');
});

test('an operation that lists no answer, or refusals alone, is held to what it lists', async () => {
  const spec = document({
    '/any': { get: { operationId: 'any', responses: {} } },
    '/gone': {
      get: { operationId: 'gone', responses: { 400: { description: 'never' }, 503: { description: 'off' } } },
    },
  });
  const right = await tested(spec, ({ path }) => ({ status: path === '/any' ? 200 : 503 }));
  expect(told(right)).toEqual([]);
  expect(right.notes).toContain('any: the document lists no answers');
  expect(right.complete).toBe(true);
  const wrong = await tested(spec, ({ path }) => ({ status: path === '/any' ? 200 : 500 }));
  expect(told(wrong)).toEqual(['server-error: the server fails with 500']);
});

const event = { type: 'object', required: ['eventId', 'name'], properties: { eventId: idOf.schema, name: text } };
const events = document({
  '/events': {
    get: { operationId: 'listEvents', responses: { 200: body({ type: 'array', items: event }) } },
    post: {
      operationId: 'addEvent',
      requestBody: { required: true, ...body({ type: 'object', required: ['name'], properties: { name: text } }) },
      responses: { 201: body(event), 400: { description: 'no' } },
    },
  },
  '/events/{eventId}': {
    parameters: [{ ...idOf, name: 'eventId' }],
    get: { operationId: 'getEvent', responses: { 200: body(event), 404: { description: 'none' } } },
    delete: { operationId: 'dropEvent', responses: { 204: { description: 'done' }, 404: { description: 'none' } } },
  },
  '/events/{eventId}/photo': {
    parameters: [{ ...idOf, name: 'eventId' }],
    delete: { operationId: 'dropPhoto', responses: { 204: { description: 'done' }, 404: { description: 'none' } } },
  },
});

/** Keeps events; `lists` says whether they are listed, `drops` whether they end. */
function calendar({ lists = true, drops = true } = {}) {
  const all = new Map<string, object>();
  return ({ method: asked, path, type, body: sent }: SmallRequest): SmallReply => {
    const method = asked === 'HEAD' ? 'GET' : asked;
    const [, , id = '', part] = path.split('/');
    if (id === '' && method === 'GET') return { status: 200, body: lists ? [...all.values()] : [] };
    if (id === '') {
      const name = type.startsWith('application/json') ? nameIn(sent) : undefined;
      if (name === undefined) return { status: 400, body: { about: 'name' } };
      const made = { eventId: crypto.randomUUID(), name };
      all.set(made.eventId, made);
      return { status: 201, body: made };
    }
    if (!all.has(id)) return { status: 404 };
    if (method === 'GET') return { status: 200, body: all.get(id) };
    if (part === undefined && drops) all.delete(id);
    return { status: 204 };
  };
}

function nameIn(sent: string): string | undefined {
  try {
    const { name } = JSON.parse(sent) as { name?: unknown };
    return typeof name === 'string' && name !== '' && Array.from(name).length <= 20 ? name : undefined;
  } catch {
    return undefined;
  }
}

test('a row is known by the name that its path has for it, and the end of a part ends no thing', async () => {
  expect(told(await tested(events, calendar()))).toEqual([]);
  expect(told(await tested(events, calendar({ lists: false })))).toContain(
    'sequence: what was just created is not listed',
  );
  const wrong = told(await tested(events, calendar({ drops: false })));
  expect(wrong).toContain('revocation: after dropEvent it is still there');
  expect(wrong.filter((message) => message.includes('dropPhoto'))).toEqual([]);
});

test('a secret that the document describes may be told by a GET, and no other', async () => {
  const model = (secret: string) => ({ type: 'object', properties: { [secret]: { type: 'string' } } });
  const spec = document({
    '/model': {
      get: { operationId: 'getModel', responses: { 200: body(model('api_key')) } },
      put: { operationId: 'putModel', requestBody: body(model('name')), responses: { 200: body(model('api_key')) } },
    },
    '/about': { get: { operationId: 'about', responses: { 200: body({ type: 'object' }) } } },
  });
  const answer =
    (about: object) =>
    ({ path }: SmallRequest): SmallReply => ({
      status: 200,
      body: path === '/model' ? { api_key: 'the-key-of-the-model-1' } : about,
    });
  const secrets = (messages: string[]) => messages.filter((message) => message.startsWith('secrets'));
  const right = await tested(spec, answer({}), { only: 'getModel' });
  expect(secrets(told(right))).toEqual([]);
  expect(secrets(warned(right))).toEqual(['secrets: an answer of 200 tells a secret']);
  const wrong = await tested(spec, answer({ hint: 'the-key-of-the-model-1' }));
  expect(wrong.failures.filter(({ check }) => check === 'secrets').map(({ operation }) => operation)).toContain(
    'about',
  );
});

test('a body of text may be empty, one of JSON may not', async () => {
  const note = (mediaType: string) =>
    document({
      '/note': {
        post: {
          operationId: 'note',
          requestBody: { required: true, content: { [mediaType]: { schema: {} } } },
          responses: { ...ok, 400: { description: 'no' }, 415: { description: 'what' } },
        },
      },
    });
  const takesAll = ({ type }: SmallRequest): SmallReply => ({ status: type === '' ? 400 : 200, body: {} });
  const missing = 'refusal: a request where the body is missing gets 200';
  expect(told(await tested(note('text/plain'), takesAll))).not.toContain(missing);
  expect(told(await tested(note('application/json'), takesAll))).toContain(missing);
});

test('what nothing on the wire tells apart is held to no answer of its own', async () => {
  const named = (name: string) => ({
    get: {
      operationId: name,
      responses: { 200: body({ type: 'object', required: [name], properties: { [name]: { type: 'string' } } }) },
    },
  });
  const either: SmallReply = { status: 200, body: { folder: 'a' } };
  const twins = document({ '/items#folder': named('folder'), '/items#file': named('file') });
  expect(told(await tested(twins, () => either))).toEqual([]);
  const apart = document({ '/items': named('folder'), '/others': named('file') });
  const wrong = await tested(apart, () => either);
  expect(wrong.failures.map(({ operation, check }) => [operation, check])).toEqual([['file', 'body']]);
});

test('an empty form is a body', async () => {
  const form = { type: 'object', properties: { note: text } };
  const spec = document({
    '/notes': {
      post: {
        operationId: 'addNote',
        requestBody: { required: true, ...body(form, 'application/x-www-form-urlencoded') },
        responses: { ...ok, 400: { description: 'no' } },
      },
    },
  });
  const answer =
    (most: number) =>
    ({ type, body: sent }: SmallRequest): SmallReply => {
      const note = new URLSearchParams(sent).getAll('note');
      const isNote = note.length === 0 || (note[0] !== '' && Array.from(note[0] ?? '').length <= most);
      return { status: type.includes('form') && isNote ? 200 : 400, body: { about: 'note' } };
    };
  expect(told(await tested(spec, answer(20)))).toEqual([]);
  expect(told(await tested(spec, answer(21))).join()).toMatch(/^refusal: a request where body: \/note/);
});

test('a secured operation whose schema is not in the document is left out, and the rest is tested', async () => {
  const lost = body({ $ref: '#/components/schemas/Lost' });
  const secured = { security: [{ bearer: [] }] };
  const spec = document(
    {
      '/a': { get: { ...secured, operationId: 'a', responses: { ...ok, 401: { description: 'who' } } } },
      '/b': {
        post: { ...secured, operationId: 'b', requestBody: lost, responses: { ...ok, 401: { description: 'who' } } },
      },
    },
    bearer,
  );
  const answer = (status: number) => (request: SmallRequest) => ({ status: isGood(request) ? 200 : status, body: {} });
  const right = await tested(spec, answer(401), { token: TOKEN });
  expect(told(right)).toEqual([]);
  expect(right.untested.map(({ operation }) => operation)).toEqual(['b']);
  expect(right.untested[0]?.reason).toMatch(/cannot be compiled: it refers to #\/components\/schemas\/Lost/);
  const wrong = await tested(spec, answer(200), { token: TOKEN });
  expect(new Set(wrong.failures.map(({ operation }) => operation))).toEqual(new Set(['a', 'b']));
});
