import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type ContractOptions, toSummary } from '../../contract/index.js';
import type { SmallReply, SmallRequest } from './planted/small.js';
import { body, document, tested } from './small/document.js';

// Notes of two users: a right server that promises every practice, and servers that are wrong in one point each.

const members = {
  title: { type: 'string', minLength: 1, maxLength: 40 },
  text: { type: 'string', maxLength: 40, default: '' },
};
const Note = {
  type: 'object',
  required: ['id', 'title', 'text'],
  properties: { id: { type: 'string', format: 'uuid' }, ...members },
};
const Page = {
  type: 'object',
  required: ['items', 'nextCursor'],
  properties: { items: { type: 'array', items: Note }, nextCursor: { type: 'string', nullable: true } },
};
const no = { description: 'no' };
const refusals = { 400: no, 401: no, 413: no, 415: no };
const id = { name: 'id', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } };
const asked = (required: string[]) => ({
  required: true,
  content: {
    'application/json': { schema: { type: 'object', required, properties: members, additionalProperties: false } },
  },
});
const text = { type: 'string', minLength: 1, maxLength: 60 };
const security = [{ bearer: [] }];
const spec = document(
  {
    '/login': {
      post: {
        operationId: 'logIn',
        requestBody: {
          required: true,
          ...body({
            type: 'object',
            required: ['username', 'password'],
            properties: { username: text, password: text },
            additionalProperties: false,
          }),
        },
        responses: {
          200: body({ type: 'object', required: ['access_token'], properties: { access_token: { type: 'string' } } }),
          ...refusals,
        },
      },
    },
    '/document': { get: { operationId: 'getDocument', responses: { 200: body({ type: 'object' }), 400: no } } },
    '/notes': {
      get: {
        operationId: 'listNotes',
        security,
        parameters: [
          { name: 'pageSize', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 50, default: 20 } },
          { name: 'cursor', in: 'query', schema: { type: 'string', maxLength: 40 } },
        ],
        responses: { 200: body(Page), 400: no, 401: no },
      },
      post: {
        operationId: 'createNote',
        security,
        requestBody: asked(['title']),
        responses: { 201: body(Note), ...refusals },
      },
    },
    '/notes/{id}': {
      parameters: [id],
      get: { operationId: 'getNote', security, responses: { 200: body(Note), 400: no, 401: no, 404: no } },
      patch: {
        operationId: 'editNote',
        security,
        requestBody: asked([]),
        responses: { 200: body(Note), 404: no, ...refusals },
      },
    },
  },
  { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
);

const FAULTS = {
  'the published document lacks a path': /published document differs from the one that is tested at #\/paths\/~1notes/,
  'a header has the new token': /the header x-token contains a secret/,
  'an unknown user is told so': /told apart by their answers/,
  'an unknown user is told sooner': /told apart by their time/,
  'two equal creates at once are one': /two equal creates at once make one thing/,
  'the later of two edits brings the rest back': /of two edits at once that of \w+ is lost/,
  'an id in capitals is unknown': /an id in capitals is not found/,
  'an id needs no hyphens': /path parameter id.* gets 200/,
  'a misspelt parameter is ignored': /an unknown or repeated parameter gets 200/,
  'text is taken as JSON': /a body of an undocumented media type gets 20\d/,
  'bodies have no bound': /a body of 2001 bytes gets 20\d/,
  'bodies have half the bound': /a body of 2000 bytes gets 413/,
  'a cursor is for everybody': /a cursor shows its first caller's rows to another identity/,
  'a token needs no scheme': /a credential without a scheme is accepted/,
  'a token is the password of Basic too': /as the password of the scheme Basic is accepted/,
  'notes are listed newest first': /the default order does not sort by title/,
  'a byte order mark comes before the JSON': /begins with a byte order mark/,
  'a note may expire, and is gone': /a note stays.*gets 404/,
} as const;
type Fault = keyof typeof FAULTS;

interface Row {
  id: string;
  title: string;
  text: string;
  owner: string;
  madeAt: number;
}

const USERS: Record<string, string> = { ada: 'the password of ada', bob: 'the password of bob' };
const ADA = 'token-of-ada-0123456789';
const MOST_BYTES = 2_000;

function notes(fault?: Fault): (request: SmallRequest) => Promise<SmallReply> {
  const has = (name: Fault) => fault === name;
  const rows: Row[] = [];
  const cursors = new Map<string, string>();
  const tokens = new Map([[ADA, 'ada']]);
  const making = new Map<string, Promise<Row>>();
  let edits = 0;
  const shown = ({ id: own, title, text: words }: Row) => ({ id: own, title, text: words });

  function callerOf({ headers: { authorization = '' } }: SmallRequest): string | undefined {
    const [, token = '', basic = ''] = /^(?:bearer (\S+)|basic (\S+))$/i.exec(authorization) ?? [];
    const password = Buffer.from(basic, 'base64').toString().split(':')[1] ?? '';
    const open = has('a token needs no scheme') ? tokens.get(authorization) : undefined;
    return (
      tokens.get(token) ?? open ?? (has('a token is the password of Basic too') ? tokens.get(password) : undefined)
    );
  }

  function read({ body: sent, type }: SmallRequest): Record<string, string> | number {
    const bound = has('bodies have half the bound') ? MOST_BYTES / 2 : MOST_BYTES;
    if (!has('bodies have no bound') && Buffer.byteLength(sent) > bound) return 413;
    const isJson = /^application\/json/i.test(type);
    if (!isJson && !(has('text is taken as JSON') && type.startsWith('text/plain'))) return 415;
    try {
      const value: unknown = JSON.parse(sent);
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return 400;
      const isRight = Object.values(value).every((each) => typeof each === 'string' && Array.from(each).length <= 60);
      return isRight ? (value as Record<string, string>) : 400;
    } catch {
      return 400;
    }
  }

  async function logIn(request: SmallRequest): Promise<SmallReply> {
    const wish = read(request);
    if (typeof wish === 'number') return { status: wish };
    const { username = '', password = '' } = wish;
    const isKnown = Object.keys(wish).every((name) => name === 'username' || name === 'password');
    if (username === '' || password === '' || !isKnown) return { status: 400, body: { username: '', password: '' } };
    if (has('an unknown user is told sooner') && username in USERS && USERS[username] !== password) await wait(400);
    if (USERS[username] !== password) {
      const reason = has('an unknown user is told so') && !(username in USERS) ? 'There is no such user.' : 'Wrong.';
      return { status: 401, body: { reason } };
    }
    const token = randomUUID();
    tokens.set(token, username);
    return {
      status: 200,
      body: { access_token: token },
      ...(has('a header has the new token') && { headers: { 'X-Token': token } }),
    };
  }

  function list({ query }: SmallRequest, caller: string): SmallReply {
    const limit = Number(query.get('pageSize') ?? '20');
    const cursor = query.get('cursor');
    const names = [...query.keys()].filter((name) => !(has('a misspelt parameter is ignored') && name === 'page_size'));
    if (names.some((name) => !/^(pageSize|cursor)$/.test(name)) || new Set(names).size < names.length)
      return { status: 400 };
    if (!/^\d{1,2}$/.test(query.get('pageSize') ?? '20') || limit < 1 || limit > 50) return { status: 400 };
    const [owner = caller, from = '0'] = cursor === null ? [] : (cursors.get(cursor)?.split(' ') ?? []);
    if (cursor !== null && (!cursors.has(cursor) || (owner !== caller && !has('a cursor is for everybody'))))
      return { status: 400 };
    const own = rows.filter((row) => row.owner === owner).sort((a, b) => (a.title < b.title ? -1 : 1));
    if (has('notes are listed newest first')) own.sort((a, b) => b.madeAt - a.madeAt);
    const end = Number(from) + limit;
    const nextCursor = end < own.length ? randomUUID() : null;
    if (nextCursor !== null) cursors.set(nextCursor, `${owner} ${String(end)}`);
    return { status: 200, body: { items: own.slice(Number(from), end).map(shown), nextCursor } };
  }

  function isNote(wish: Record<string, string>): boolean {
    const { title = 'a', text: words = '' } = wish;
    const isKnown = Object.keys(wish).every((name) => Object.hasOwn(members, name));
    return isKnown && title !== '' && Array.from(title).length <= 40 && Array.from(words).length <= 40;
  }

  async function create(request: SmallRequest, caller: string): Promise<SmallReply> {
    const wish = read(request);
    if (typeof wish === 'number') return { status: wish };
    const { title } = wish;
    if (title === undefined || !isNote(wish)) return { status: 400 };
    const make = async () => {
      await wait(has('two equal creates at once are one') ? 20 : 0);
      const row = { id: randomUUID(), title, text: wish['text'] ?? '', owner: caller, madeAt: performance.now() };
      rows.push(row);
      return row;
    };
    const made = (has('two equal creates at once are one') ? making.get(request.body) : undefined) ?? make();
    making.set(request.body, made);
    const row = await made;
    making.delete(request.body);
    return { status: 201, body: shown(row) };
  }

  async function onOne(request: SmallRequest, own: string, caller: string): Promise<SmallReply> {
    const [, a, b, c, d, e] = /^(\w{8})-?(\w{4})-?(\w{4})-?(\w{4})-?(\w{12})$/.exec(own) ?? [];
    const isId = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(own);
    if (!isId && !(has('an id needs no hyphens') && a !== undefined)) return { status: 400 };
    const wanted = [a, b, c, d, e].join('-');
    const known = has('an id in capitals is unknown') ? wanted : wanted.toLowerCase();
    const row = rows.find((each) => each.id === known && each.owner === caller);
    if (row === undefined) return { status: 404 };
    if (has('a note may expire, and is gone') && row.title === 'to stay') return { status: 404 };
    if (request.method !== 'PATCH') return { status: 200, body: shown(row) };
    const wish = read(request);
    if (typeof wish === 'number') return { status: wish };
    if (!isNote(wish)) return { status: 400 };
    const before = { ...row };
    if (has('the later of two edits brings the rest back') && ++edits % 1 === 0) {
      await wait(20);
      Object.assign(row, before);
    }
    return { status: 200, body: shown(Object.assign(row, wish)) };
  }

  async function answer(request: SmallRequest): Promise<SmallReply> {
    const { path, method, query } = request;
    const isList = path === '/notes' && (method === 'GET' || method === 'HEAD');
    if (!isList && [...query.keys()].some((name) => name !== '')) return { status: 400 };
    if (path === '/login') return await logIn(request);
    if (path === '/document') {
      const { '/notes': list_, ...others } = spec.paths;
      const paths = has('the published document lacks a path') ? others : { '/notes': list_, ...others };
      return { status: 200, body: { ...spec, paths } };
    }
    const caller = callerOf(request);
    if (caller === undefined) return { status: 401, headers: { 'WWW-Authenticate': 'Bearer' } };
    if (path === '/notes') return request.method === 'POST' ? await create(request, caller) : list(request, caller);
    const [, own = ''] = /^\/notes\/([^/]+)$/.exec(path) ?? [];
    return own === '' ? { status: 404 } : await onOne(request, own, caller);
  }

  return async (request) => {
    const reply = await answer(request);
    if (!has('a byte order mark comes before the JSON') || reply.body === undefined) return reply;
    const marked = `\uFEFF${JSON.stringify(reply.body)}`;
    return {
      ...reply,
      headers: { ...reply.headers, 'Content-Type': 'application/json' },
      write: (response) => response.end(marked),
    };
  };
}

const made = '$steps.made.response.body#/id';
const laws: ContractOptions['laws'] = {
  practices: [
    'documented-credentials',
    'published-document',
    'documented-secrets',
    'login-alike',
    'concurrent',
    'uuid-case',
    'unknown-parameters',
    'media-type',
  ],
  bodyBytes: MOST_BYTES,
  sorts: [{ operation: 'listNotes', member: 'title' }],
  workflows: [
    {
      rule: 'a note stays',
      steps: [
        { operation: 'logIn', body: { username: 'nobody at {$run.host}', password: 'none of theirs' }, status: 401 },
        { operation: 'logIn', as: 'session', body: { username: 'ada', password: USERS['ada'] ?? '' }, status: 200 },
        {
          operation: 'createNote',
          as: 'made',
          credential: '$steps.session.response.body#/access_token',
          body: { title: 'to stay' },
          status: 201,
        },
        {
          operation: 'getNote',
          waitMs: 20,
          parameters: { 'path.id': made },
          status: 200,
          expect: { '$response.body#/id': { startOf: `{${made}} and more` } },
        },
      ],
    },
  ],
};
const options: Partial<ContractOptions> = {
  laws,
  login: { username: 'ada', password: USERS['ada'] ?? '' },
  other: { login: { username: 'bob', password: USERS['bob'] ?? '' } },
  fuzzRuns: 3,
};

describe('notes', { timeout: 60_000 }, () => {
  test('a right server keeps every promise', async () => {
    const report = await tested(spec, notes(), options);
    expect(report.failures, toSummary(report)).toEqual([]);
    // Its errors say nothing at all.
    expect(report.warnings.filter(({ check }) => check !== 'place')).toEqual([]);
    expect(report.held, toSummary(report)).toBe(true);
  });

  test.each(Object.entries(FAULTS))('finds: %s', async (fault, message) => {
    const report = await tested(spec, notes(fault as Fault), options);
    const found = report.failures.filter((each) => message.test(each.message));
    expect(found.length, toSummary(report)).toBeGreaterThan(0);
  });

  test('a workflow goes on behind a login although the run itself cannot log in', async () => {
    const report = await tested(spec, notes('a note may expire, and is gone'), { laws, fuzzRuns: 3, token: ADA });
    expect(report.failures.map((each) => each.message)).toContainEqual(expect.stringMatching(/a note stays.*gets 404/));
  });

  test('what few servers promise is told of no server that does not promise it', async () => {
    for (const fault of [
      'an unknown user is told so',
      'an id in capitals is unknown',
      'text is taken as JSON',
    ] as const) {
      const report = await tested(spec, notes(fault), { ...options, laws: {} });
      expect(
        report.warnings.filter((each) => FAULTS[fault].test(each.message)),
        toSummary(report),
      ).toEqual([]);
    }
  });
});
