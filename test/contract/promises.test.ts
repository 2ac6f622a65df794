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
  expect(wrong).toContain('revocation: after dropEvent the thing is still there');
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
  expect(secrets(warned(right))).toEqual(['secrets: an answer with 200 contains a secret']);
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

test('a status below 200 is no answer that could be held to', async () => {
  const spec = (status: number) =>
    document({ '/a': { get: { operationId: 'a', responses: { [status]: { description: 'now' } } } } });
  const right = await tested(spec(100), () => ({ status: 200 }));
  expect(told(right)).toEqual([]);
  expect(right.complete).toBe(true);
  expect(told(await tested(spec(204), () => ({ status: 200 })))).toEqual(['status: 200 is not documented']);
});

const KNOWN = new Set(['name', 'parent', 'colour', 'password', 'client_secret']);

/** Keeps things in memory, and says of each what `shown` makes of it. */
function shop(shown: (thing: Record<string, unknown>, method: string) => object, path = '/things') {
  const all = new Map<string, Record<string, unknown>>();
  return ({ method: asked, path: at, type, body: sent }: SmallRequest): SmallReply => {
    const method = asked === 'HEAD' ? 'GET' : asked;
    const id = at.slice(path.length + 1);
    if (id !== '' && !all.has(id)) return { status: 404 };
    if (method === 'GET') {
      const rows = [...all.values()].map((thing) => shown(thing, method));
      return { status: 200, body: id === '' ? rows : shown(all.get(id) ?? {}, method) };
    }
    const said = type.startsWith('application/json') ? objectIn(sent) : undefined;
    if (said === undefined) return { status: 400, body: { about: 'body' } };
    const wrong = Object.entries(said).find(([name, value]) => KNOWN.has(name) && typeof value !== 'string');
    if (wrong !== undefined) return { status: 400, body: { about: wrong[0] } };
    const made = { ...(id === '' ? { id: crypto.randomUUID() } : all.get(id)), ...said };
    all.set(String(made['id']), made);
    return { status: id === '' ? 201 : 200, body: shown(made, method) };
  };
}

function objectIn(sent: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(sent) as unknown;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** A collection with things that are made and edited by these members, and are told by those. */
function things(members: Record<string, object>, told: Record<string, object>, required: string[] = []) {
  const sent = body({ type: 'object', properties: members, required });
  const thing = { type: 'object', required: ['id'], properties: { id: idOf.schema, ...told } };
  const no = { 400: body({ type: 'object' }), 404: { description: 'none' } };
  return document({
    '/things': {
      get: { operationId: 'listThings', responses: { 200: body({ type: 'array', items: thing }) } },
      post: {
        operationId: 'addThing',
        requestBody: { required: true, ...sent },
        responses: { 201: body(thing), ...no },
      },
    },
    '/things/{id}': {
      parameters: [idOf],
      get: { operationId: 'getThing', responses: { 200: body(thing), ...no } },
      patch: {
        operationId: 'editThing',
        requestBody: { required: true, ...body({ type: 'object', properties: members }) },
        responses: { 200: body(thing), ...no },
      },
    },
  });
}

const plain = { type: 'string' };
const hash = (value: unknown) => Array.from(String(value)).reduce((sum, each) => (sum * 31 + each.length) % 997, 7);

test('what an answer cannot tell as it was sent is not compared', async () => {
  const numbered = (thing: Record<string, unknown>) => ({
    ...thing,
    ...('parent' in thing && { parent: hash(thing['parent']) }),
  });
  const right = await tested(things({ parent: plain }, { parent: { type: 'integer' } }), shop(numbered));
  expect(told(right)).toEqual([]);
  const same = (thing: Record<string, unknown>) => ({ ...thing, ...('parent' in thing && { parent: 'ann' }) });
  const wrong = told(await tested(things({ parent: plain }, { parent: plain }), shop(same)));
  expect(wrong).toContain('sequence: after editThing, parent in the answer differs from what was sent');
});

test('what is left out of an edit may become its documented default', async () => {
  const colour = { type: 'string', default: 'red' };
  const keep = shop((thing) => thing);
  const resets = (to: string) => (request: SmallRequest) => {
    const said = request.method === 'PATCH' ? objectIn(request.body) : undefined;
    if (said === undefined || !request.type.startsWith('application/json')) return keep(request);
    return keep({ ...request, body: JSON.stringify({ colour: to, ...said }) });
  };
  const spec = things({ colour, name: plain }, { colour: plain, name: plain });
  const strayed = (messages: string[]) => messages.filter((message) => message.startsWith('unchanged'));
  expect(strayed(told(await tested(spec, resets('red'))))).toEqual([]);
  expect(strayed(told(await tested(spec, resets('blue'))))).toContain(
    'unchanged: after editThing, colour in the answer has changed, although it was not sent',
  );
});

test('a password that the run has made up is nowhere else, and an edit may tell a secret that is described', async () => {
  const members = { password: plain, name: plain, client_secret: plain };
  const spec = things(members, members, ['name']);
  const leaks = (messages: string[]) => messages.filter((message) => message.startsWith('secrets'));
  expect(
    leaks(
      told(
        await tested(
          spec,
          shop((thing) => thing),
        ),
      ),
    ),
  ).toEqual([]);
  const rest = { name: plain, client_secret: plain };
  const notes = shop((thing) => ({ ...thing, name: thing['password'] ?? thing['name'] }));
  expect(leaks(told(await tested(things(members, rest, ['name']), notes)))).toContain(
    'secrets: an answer with 200 contains $PASSWORD',
  );
});

const row = (members: object) => ({ type: 'object', properties: { id: idOf.schema, name: text, ...members } });
const query = (name: string, more: object = {}) => ({ name, in: 'query', schema: { type: 'string' }, ...more });
const count = { type: 'integer', minimum: 1, maximum: 100 };

/** A list of what is posted to it; `choose` says which of it an answer has. */
function listing(
  parameters: object[],
  answer: object,
  members: object,
  choose: (rows: object[], asked: URLSearchParams) => object,
) {
  const spec = document({
    '/things': {
      get: { operationId: 'listThings', parameters, responses: { 200: body(answer), 400: body({ type: 'object' }) } },
      post: {
        operationId: 'addThing',
        requestBody: {
          required: true,
          ...body({ type: 'object', required: ['name'], properties: { name: text, ...members } }),
        },
        responses: { 201: body(row(members)), 400: body({ type: 'object' }) },
      },
    },
  });
  const rows: object[] = [];
  return async () =>
    told(
      await tested(spec, ({ method, path, query: asked, type, body: sent }) => {
        if (method === 'POST') {
          const said = type.startsWith('application/json') && nameIn(sent) !== undefined ? objectIn(sent) : undefined;
          if (said === undefined) return { status: 400, body: { about: 'name' } };
          rows.push({ id: crypto.randomUUID(), ...said });
          return { status: 201, body: rows.at(-1) };
        }
        return { status: 200, body: path === '/things' ? choose(rows, asked) : {} };
      }),
    ).filter((message) => /^(paging|sequence|filter|default)/.test(message));
}

const list = { type: 'array', items: row({}) };
const page = (more: object) => ({ type: 'object', required: ['data'], properties: { data: list, ...more } });

test('a list is asked for the rows that it has: by its filter, from its start, on the way that the document tells', async () => {
  // Without a word about the next page, nobody can tell how a cursor is to be had.
  const cursor = [query('limit', { schema: count }), query('after')];
  const first = (rows: object[], asked: URLSearchParams) => ({
    data: rows.slice(0, Number(asked.get('limit') ?? 100)),
  });
  expect(await listing(cursor, page({}), {}, first)()).toEqual([]);
  expect(await listing(cursor, page({ next: { type: 'string' } }), {}, first)()).toContain(
    'paging: a row is missing between pages',
  );
  // What is demanded and chooses rows.
  const owner = { owner: text };
  const owned = { type: 'array', items: row(owner) };
  const demanded = [query('owner', { required: true, schema: text, example: 'nobody' })];
  const byOwner = (rows: object[], asked: URLSearchParams) =>
    rows.filter((each) => 'owner' in each && each.owner === asked.get('owner'));
  expect(await listing(demanded, owned, owner, byOwner)()).toEqual([]);
  expect(await listing([], list, {}, () => [])()).toContain('paging: a created row is not listed');
  // A place to begin at that cannot be left out.
  const offset = [query('offset', { required: true, schema: { type: 'integer', minimum: 0 }, example: 40 })];
  const fromOffset = (lost: number) => (rows: object[], asked: URLSearchParams) =>
    rows.slice(Number(asked.get('offset')), rows.length - lost);
  expect(await listing(offset, list, {}, fromOffset(0))()).toEqual([]);
  expect(await listing(offset, list, {}, fromOffset(1))()).toContain('paging: a created row is not listed');
  // A word to search for, and a language.
  const all = (rows: object[]) => rows;
  const language = [query('query', { description: 'An expression of the query language.' })];
  expect(await listing(language, list, {}, all)()).toEqual([]);
  expect(await listing([query('query')], list, {}, all)()).toContain('filter: query returns every row');
  // A text with the name of a limit says nothing about the number of rows.
  const size = [query('size', { schema: { type: 'string', enum: ['brief', 'whole'], default: 'whole' } })];
  expect(await listing(size, list, {}, all)()).toEqual([]);
  // A parameter with the name of a member, and with values that the member cannot have.
  const mode = [query('depth', { schema: { type: 'string', enum: ['always', 'never'] } })];
  const deep = (depth: object) => ({ type: 'array', items: row({ depth }) });
  const asNumber = (rows: object[]) => rows.map((each) => ({ ...each, depth: 3 }));
  expect(await listing(mode, deep({ type: 'integer' }), {}, asNumber)()).toEqual([]);
  const asWord = (rows: object[]) => rows.map((each) => ({ ...each, depth: 'never' }));
  expect(await listing(mode, deep({ type: 'string', enum: ['always', 'never'] }), {}, asWord)()).toContain(
    'filter: depth returns rows with another depth',
  );
});
