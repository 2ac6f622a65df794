import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type Check, type ContractOptions, type ContractReport, toSummary } from '../../contract/index.js';
import type { SmallReply, SmallRequest } from './planted/small.js';
import { body, document, tested } from './small/document.js';

// Correct documents that are easily misread: a server that serves one right has no fault, and one that is wrong in
// exactly that point is found.

type Server = (request: SmallRequest) => SmallReply;

interface Reading {
  spec: { paths: object; [name: string]: unknown };
  right: Server;
  wrong: Server;
  finds: Check;
  options?: Partial<ContractOptions>;
  /** A line that the report of the right server has. */
  note?: RegExp;
}

const refusals = { 400: body({}), 404: body({}), 405: { description: 'no' }, 415: body({}) };
const answers = { 200: body({ type: 'object' }), ...refusals };
const REFUSED: SmallReply = { status: 400, body: {} };
const object = (required: string[], properties: object, more: object = {}) => ({
  type: 'object',
  required,
  properties,
  ...more,
});

/** A document with one operation that takes a body of JSON. */
function taker(schema: object, schemas: object = {}, openapi = '3.0.3') {
  const post = { operationId: 'put', requestBody: { required: true, ...body(schema) }, responses: answers };
  return { ...document({ '/a': { post } }, { schemas }), openapi };
}

/** A document with one operation that only answers. */
function teller(response: object, openapi = '3.0.3') {
  const get = { operationId: 'get', responses: { ...refusals, 200: response } };
  return { ...document({ '/a': { get } }), openapi };
}

type Value = Record<string, unknown>;

/** Takes the bodies of JSON that `fits` lets pass. */
function taking(fits: (value: Value) => boolean): Server {
  return ({ body: sent, type }) => {
    if (!/^application\/json/i.test(type)) return REFUSED;
    try {
      const value: unknown = JSON.parse(sent);
      const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
      return isObject && fits(value as Value) ? { status: 200, body: {} } : REFUSED;
    } catch {
      return REFUSED;
    }
  };
}

const telling =
  (value: unknown, headers: Record<string, string> = {}): Server =>
  () => ({ status: 200, body: value, headers });

const isInteger = (value: unknown): value is number => Number.isInteger(value);

const cat = object(['kind', 'lives'], { kind: { type: 'string' }, lives: { type: 'integer', minimum: 1, maximum: 9 } });
const dog = object(['kind', 'barks'], { kind: { type: 'string' }, barks: { type: 'boolean' } });
const isCat = ({ lives }: Value) => isInteger(lives) && lives >= 1 && lives <= 9;
const isDog = ({ barks }: Value) => typeof barks === 'boolean';
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const pet = object(['kind'], { kind: { type: 'string' } }, { discriminator: { propertyName: 'kind' } });
const heirs = {
  Pet: pet,
  Cat: { allOf: [ref('Pet'), object(['lives'], { lives: { type: 'integer', minimum: 1, maximum: 9 } })] },
  Dog: { allOf: [ref('Pet'), object(['barks'], { barks: { type: 'boolean' } })] },
};

const streamed = body({ type: 'string' }, 'text/event-stream');
/** Writes now and then for as long as somebody listens. */
const endless = (type: string): Server => {
  return () => ({
    status: 200,
    headers: { 'Content-Type': type },
    write(response) {
      response.write('data: 1\n\n');
      const timer = setInterval(() => response.write('data: 1\n\n'), 50);
      response.on('close', () => {
        clearInterval(timer);
      });
    },
  });
};

const packed = (value: unknown, encoding: string, pack: (text: string) => Buffer): Server => {
  return () => ({
    status: 200,
    headers: { 'Content-Type': 'application/json', 'Content-Encoding': encoding },
    write: (response) => response.end(pack(JSON.stringify(value))),
  });
};

/** Makes things, and lists the first five of them, or as many as `most` makes of the limit. */
function listing(most: (limit: number) => number): Server {
  let made = 0;
  return ({ method, query }) => {
    if (method === 'POST') return { status: 201, body: { id: ++made } };
    const limit = query.get('limit') ?? '5';
    if (!/^[1-9]$/.test(limit)) return REFUSED;
    const ids = Array.from({ length: Math.min(made, most(Number(limit))) }, (_, index) => ({ id: index + 1 }));
    return { status: 200, body: ids };
  };
}

const digit = { type: 'integer', minimum: 1, maximum: 9 };
const inPath = { name: 'id', in: 'path', required: true, schema: digit };
const whole = object(['n'], { n: { type: 'integer', minimum: 0, maximum: 18014398509481983 } });
const letters = (pattern: string) => object(['code'], { code: { type: 'string', pattern, maxLength: 4 } });
const listed = { members: [{ value: '7', $ref: 'https://example.com/scim/v2/Users/7' }] };
const members = { type: 'array', items: { type: 'object', properties: { $ref: { type: 'string' } } } };
const twice = (example: object) => ({
  get: {
    responses: {
      405: { description: 'no' },
      200: {
        description: 'ok',
        content: { 'application/json': { schema: object(['$id'], { $id: { type: 'string' } }), example } },
      },
    },
  },
});

const READINGS: Record<string, Reading> = {
  'an integer whose bounds are beyond 2^53': {
    spec: taker(whole),
    right: taking(({ n }) => isInteger(n) && n >= 0 && n <= 2 ** 54),
    wrong: taking(({ n }) => isInteger(n) && n >= 0 && n < 1_000),
    finds: 'acceptance',
  },
  'an integer of 64 bits': {
    spec: taker(object(['n'], { n: { type: 'integer', format: 'int64', minimum: -9223372036854775808 } })),
    right: taking(({ n }) => isInteger(n)),
    wrong: taking(({ n }) => typeof n === 'number'),
    finds: 'refusal',
  },
  'two examples with one $id': {
    spec: document({ '/a': twice({ $id: 'same', a: 1 }), '/b': twice({ $id: 'same', a: 2 }) }),
    right: telling({ $id: 'a' }),
    wrong: telling({ $id: 1 }),
    finds: 'body',
  },
  'a $ref in an example': {
    spec: teller(body(object(['members'], { members }, { example: listed }))),
    right: telling(listed),
    wrong: telling({ members: [{ $ref: 7 }] }),
    finds: 'body',
  },
  'a cookie with a pattern': {
    spec: document({
      '/a': {
        get: {
          operationId: 'get',
          parameters: [
            { name: 'sid', in: 'cookie', required: true, schema: { type: 'string', pattern: '^[^;]{3,8}$' } },
          ],
          responses: answers,
        },
      },
    }),
    right: ({ headers: { cookie = '' } }) => {
      const [, sid = ''] = /(?:^|; )sid=([^;]*)/.exec(cookie) ?? [];
      return Array.from(sid).length >= 3 && Array.from(sid).length <= 8 ? { status: 200, body: {} } : REFUSED;
    },
    wrong: () => ({ status: 200, body: {} }),
    finds: 'refusal',
  },
  'a stream of events without end': {
    spec: teller(streamed),
    right: endless('text/event-stream'),
    wrong: endless('text/plain'),
    finds: 'content-type',
    options: { answerTimeoutMs: 700 },
    note: /^get: the body of 200 is not checked: a stream has no end$/,
  },
  'a body that does not end': {
    spec: teller(body({ type: 'array' })),
    right: endless('application/json'),
    wrong: endless('text/html'),
    finds: 'content-type',
    options: { answerTimeoutMs: 700 },
    note: /^get: the body of 200 is not checked: the body does not end in time$/,
  },
  'a discriminator with a mapping': {
    spec: taker(
      {
        oneOf: [ref('Cat'), ref('Dog')],
        discriminator: { propertyName: 'kind', mapping: { purring: '#/components/schemas/Cat', barking: 'Dog' } },
      },
      { Cat: cat, Dog: dog },
    ),
    right: taking((pet) => (pet['kind'] === 'purring' ? isCat(pet) : pet['kind'] === 'barking' && isDog(pet))),
    wrong: taking((pet) => (pet['kind'] === 'Cat' ? isCat(pet) : pet['kind'] === 'Dog' && isDog(pet))),
    finds: 'acceptance',
  },
  'a discriminator without a mapping': {
    spec: taker({ oneOf: [ref('Cat'), ref('Dog')], discriminator: { propertyName: 'kind' } }, { Cat: cat, Dog: dog }),
    right: taking((pet) => (pet['kind'] === 'Cat' ? isCat(pet) : pet['kind'] === 'Dog' && isDog(pet))),
    wrong: taking((pet) => pet['kind'] === 'Dog' && isDog(pet)),
    finds: 'acceptance',
  },
  'a discriminator of a parent': {
    spec: taker(ref('Pet'), heirs),
    right: taking((pet) => {
      if (pet['kind'] === 'Pet') return true;
      return pet['kind'] === 'Cat' ? isCat(pet) : pet['kind'] === 'Dog' && isDog(pet);
    }),
    wrong: taking((pet) => pet['kind'] === 'Pet'),
    finds: 'acceptance',
  },
  'a discriminator of a parent with a mapping': {
    spec: taker(ref('Pet'), {
      ...heirs,
      Pet: {
        ...pet,
        discriminator: { propertyName: 'kind', mapping: { c: ref('Cat').$ref, d: ref('Dog').$ref } },
      },
    }),
    right: taking((pet) => (pet['kind'] === 'c' ? isCat(pet) : pet['kind'] === 'd' && isDog(pet))),
    wrong: taking((pet) => pet['kind'] === 'c' && isCat(pet)),
    finds: 'acceptance',
  },
  'an answer of cents': {
    spec: teller(body(object(['price'], { price: { type: 'number', multipleOf: 0.01 } }))),
    right: telling({ price: 19.99 }),
    wrong: telling({ price: 19.999 }),
    finds: 'body',
  },
  'a request of cents': {
    spec: taker(object(['price'], { price: { type: 'number', multipleOf: 0.01, minimum: 0, maximum: 500 } })),
    right: taking(
      ({ price }) =>
        typeof price === 'number' && price >= 0 && price <= 500 && /^\d+(\.\d\d?)?$/.test(price.toString()),
    ),
    wrong: taking(
      ({ price }) => typeof price === 'number' && price >= 0 && price <= 500 && Number.isInteger(price * 100),
    ),
    finds: 'acceptance',
  },
  'a pattern with a flag in it': {
    spec: taker(letters('(?i)^[a-f]{4}$')),
    right: taking(({ code }) => typeof code === 'string' && /^[a-f]{4}$/i.test(code)),
    wrong: taking(({ code }) => typeof code === 'string'),
    finds: 'refusal',
    options: { allowIncomplete: true },
    note: /^patterns that are not ECMA-262 are not validated: \(\?i\)\^\[a-f\]\{4\}\$ at #\/paths/,
  },
  'a pattern with a POSIX class, and an example': {
    spec: taker(object(['code'], { code: { type: 'string', pattern: '^[[:alpha:]]+$', example: 'abc' } })),
    right: taking(({ code }) => typeof code === 'string' && /^[A-Za-z]+$/.test(code)),
    wrong: taking(() => false),
    finds: 'acceptance',
    note: /\^\[\[:alpha:\]\]\+\$/,
  },
  'null beside an enum that does not list it, refused': {
    spec: taker(object(['s'], { s: { type: 'string', nullable: true, enum: ['a', 'b'] } })),
    right: taking(({ s }) => s === 'a' || s === 'b'),
    wrong: taking(({ s }) => s === 'a'),
    finds: 'acceptance',
  },
  'null beside an enum that does not list it, taken': {
    spec: taker(object(['s'], { s: { type: 'string', nullable: true, enum: ['a', 'b'] } })),
    right: taking(({ s }) => s === 'a' || s === 'b' || s === null),
    wrong: taking(({ s }) => typeof s === 'string' || s === null),
    finds: 'refusal',
  },
  'null beside an enum that lists it': {
    spec: taker(object(['s'], { s: { type: 'string', nullable: true, enum: ['a', null] } })),
    right: taking(({ s }) => s === 'a' || s === null),
    wrong: taking(({ s }) => s === 'a'),
    finds: 'acceptance',
  },
  'null beside allOf, refused': {
    spec: taker(object(['s'], { s: { nullable: true, allOf: [ref('S')] } }), { S: { type: 'string', enum: ['a'] } }),
    right: taking(({ s }) => s === 'a'),
    wrong: taking(() => false),
    finds: 'acceptance',
  },
  'null beside allOf, answered': {
    spec: {
      ...teller(body(object(['s'], { s: { nullable: true, allOf: [ref('S')] } }))),
      components: { schemas: { S: { type: 'string', enum: ['a'] } } },
    },
    right: telling({ s: null }),
    wrong: telling({ s: 'b' }),
    finds: 'body',
  },
  'a media type in other letters': {
    spec: teller(body({ type: 'object' })),
    right: telling({}, { 'Content-Type': 'Application/JSON; Charset=UTF-8' }),
    wrong: telling({}, { 'Content-Type': 'Application/JSON5' }),
    finds: 'content-type',
  },
  'a documented media type in other letters': {
    spec: teller(body({ type: 'object' }, 'Application/Vnd.Acme+JSON')),
    right: telling({}, { 'Content-Type': 'application/vnd.acme+json' }),
    wrong: telling([], { 'Content-Type': 'application/vnd.acme+json' }),
    finds: 'body',
  },
  'a path with a space': {
    spec: document({ '/my files/{id}': { get: { operationId: 'get', parameters: [inPath], responses: answers } } }),
    right: ({ path }) => (/^\/my%20files\/[1-9]$/.test(path) ? { status: 200, body: {} } : REFUSED),
    wrong: ({ path }) => (/^\/my%20files\/\d+$/.test(path) ? { status: 200, body: {} } : REFUSED),
    finds: 'refusal',
  },
  'a path beyond ASCII': {
    spec: document({ '/café/ключ': { get: { operationId: 'get', responses: answers } } }),
    right: ({ path }) =>
      path === `/${encodeURIComponent('café')}/${encodeURIComponent('ключ')}`
        ? { status: 200, body: {} }
        : { status: 404, body: {} },
    wrong: ({ path }) => (path.includes('%') ? { status: 200, body: [] } : { status: 404, body: {} }),
    finds: 'body',
  },
  'a 200 without content that has a body': {
    spec: teller({ description: 'ok' }),
    right: telling({ a: 1 }),
    wrong: () => ({ status: 201, body: { a: 1 } }),
    finds: 'status',
    note: /^get: 200 has a body that the document does not describe$/,
  },
  'an answer in gzip': {
    spec: teller(body(object(['a'], {}))),
    right: packed({ a: 1 }, 'gzip', gzipSync),
    wrong: packed({ b: 1 }, 'gzip', gzipSync),
    finds: 'body',
  },
  'an answer in deflate': {
    spec: teller(body(object(['a'], {}))),
    right: packed({ a: 1 }, 'deflate', deflateSync),
    wrong: packed({ b: 1 }, 'deflate', deflateSync),
    finds: 'body',
  },
  'an answer in Brotli': {
    spec: teller(body(object(['a'], {}))),
    right: packed({ a: 1 }, 'br', brotliCompressSync),
    wrong: packed({ b: 1 }, 'br', brotliCompressSync),
    finds: 'body',
  },
  'a list with a limit and no way on': {
    spec: document({
      '/a': {
        get: {
          operationId: 'list',
          parameters: [{ name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 9 } }],
          responses: { ...refusals, 200: body({ type: 'array', items: object(['id'], { id: { type: 'integer' } }) }) },
        },
        post: {
          operationId: 'make',
          responses: { ...refusals, 201: body(object(['id'], { id: { type: 'integer' } })) },
        },
      },
    }),
    right: listing((limit) => limit),
    wrong: listing((limit) => limit + 1),
    finds: 'paging',
  },
  'a required member that another branch calls readOnly': {
    spec: taker(
      { allOf: [ref('Base'), object(['id', 'name'], { name: { type: 'string', enum: ['ada', 'bob'] } })] },
      { Base: { type: 'object', properties: { id: { type: 'integer', readOnly: true } } } },
    ),
    right: taking(({ id, name }) => (name === 'ada' || name === 'bob') && (id === undefined || isInteger(id))),
    wrong: taking(({ id, name }) => (name === 'ada' || name === 'bob') && isInteger(id)),
    finds: 'acceptance',
  },
  'a form of several parts': {
    spec: document({
      '/a': {
        post: {
          operationId: 'put',
          requestBody: {
            required: true,
            ...body(object(['file'], { file: { type: 'string', format: 'binary' } }), 'multipart/form-data'),
          },
          responses: answers,
        },
      },
    }),
    right: ({ type, body: sent }) =>
      /^multipart\/form-data; ?boundary=/.test(type) && sent.includes('name="file"')
        ? { status: 200, body: {} }
        : REFUSED,
    wrong: ({ type }) => (/^multipart\/form-data/.test(type) ? { status: 200, body: {} } : REFUSED),
    finds: 'refusal',
  },
  'a body of XML': {
    spec: document({
      '/a': {
        post: {
          operationId: 'put',
          requestBody: {
            required: true,
            ...body(
              object(['a'], { a: { type: 'string', enum: ['one', 'two'] } }, { xml: { name: 'thing' } }),
              'application/xml',
            ),
          },
          responses: answers,
        },
      },
    }),
    right: ({ type, body: sent }) =>
      /^application\/xml/.test(type) && /<thing>\s*<a>(one|two)<\/a>/.test(sent) ? { status: 200, body: {} } : REFUSED,
    wrong: ({ type, body: sent }) =>
      /^application\/xml/.test(type) && /<a>one<\/a>/.test(sent) ? { status: 200, body: {} } : REFUSED,
    finds: 'acceptance',
  },
};

const QUICK = { fuzzRuns: 5 };

describe('a document that is easily misread', { concurrent: true }, () => {
  test.each(Object.entries(READINGS))('%s', async (_, { spec, right, wrong, finds, options, note }) => {
    const kept = await tested(spec, right, { ...QUICK, ...options });
    expect(kept.failures, toSummary(kept)).toEqual([]);
    expect(kept.held, toSummary(kept)).toBe(true);
    if (note !== undefined) expect(kept.notes.filter((line) => note.test(line))).toHaveLength(1);
    const broken = await tested(spec, wrong, { ...QUICK, ...options });
    expect(
      broken.failures.map(({ check }) => check),
      toSummary(broken),
    ).toContain(finds);
  });
});

test('merge keys of YAML are merged', async () => {
  const text = `
openapi: 3.0.3
info: { title: Merged, version: '1' }
x-common: &common
  400: { description: bad }
  405: { description: no }
paths:
  /a:
    get:
      operationId: get
      responses:
        <<: *common
        200: { description: ok, content: { application/json: { schema: { type: object, required: [a] } } } }
`;
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-merge-'));
  const file = join(folder, 'spec.yaml');
  await writeFile(file, text);
  const paths = { '/a': { get: {} } };
  const run = (answer: Server): Promise<ContractReport> => tested({ paths }, answer, { ...QUICK, spec: file });
  const right = await run(telling({ a: 1 }));
  expect(right.failures, toSummary(right)).toEqual([]);
  expect(right.operations[0]?.documented.toSorted()).toEqual(['200', '400', '405']);
  expect((await run(() => ({ status: 404, body: {} }))).failures.map(({ check }) => check)).toContain('status');
  await rm(folder, { recursive: true });
});

test('an integer beyond 2^53 stops neither timers nor the run', async () => {
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 10);
  const report = await tested(
    taker(whole),
    taking(({ n }) => isInteger(n) && n >= 0 && n <= 2 ** 54),
    { timeMs: 20_000 },
  );
  clearInterval(timer);
  expect(report.ended, toSummary(report)).toBeUndefined();
  expect(longest).toBeLessThan(1_000);
});

test.each([
  ['an open bound of 3.0 in 3.1', { type: 'integer', maximum: 3, exclusiveMaximum: true }, /exclusiveMaximum must be/],
  ['references in a ring', { $ref: '#/components/schemas/Ring' }, /refers to itself without end/],
  ['a length that is none', { type: 'string', maxLength: '5' }, /maxLength must be an integer from 0, not 5/],
  ['a type that there is not', { type: 'text' }, /type must be a JSON type or a list of them, not text/],
  ['a reference to nothing', { $ref: '#/components/schemas/None' }, /refers to #\/components\/schemas\/None/],
])('%s is told before the first request, and the rest is tested', async (_, schema, why) => {
  const paths = {
    '/bad': { get: { operationId: 'getBad', responses: { 200: body(object([], { deep: schema })), ...refusals } } },
    '/good': { get: { operationId: 'getGood', responses: answers } },
  };
  const ring = { Ring: { $ref: '#/components/schemas/Gnir' }, Gnir: { $ref: '#/components/schemas/Ring' } };
  const spec = { ...document(paths, { schemas: ring }), openapi: '3.1.0' };
  const asked: string[] = [];
  const answer = (value: unknown): Server => {
    return ({ path }) => {
      asked.push(path);
      return { status: 200, body: value };
    };
  };
  const kept = await tested(spec, answer({}), QUICK);
  expect(kept.failures, toSummary(kept)).toEqual([]);
  expect(kept).toMatchObject({ held: false, complete: false, ended: undefined });
  expect(kept.untested).toEqual([
    { operation: 'getBad', succeeded: false, reason: expect.stringMatching(/^#\/\S+ cannot be compiled: /) as string },
  ]);
  expect(kept.untested[0]?.reason).toMatch(why);
  // But for the question whether anybody is there.
  expect(asked.slice(1)).not.toContain('/bad');
  expect(await tested(spec, answer({}), { ...QUICK, allowIncomplete: true })).toMatchObject({ held: true });
  expect((await tested(spec, answer([]), QUICK)).failures.map(({ operation }) => operation)).toContain('getGood');
});

test('nullable without a type means nothing, and breaks nothing', async () => {
  const spec = teller(body(object(['a'], { a: { nullable: true } })));
  const right = await tested(spec, telling({ a: null }), QUICK);
  expect(right.failures, toSummary(right)).toEqual([]);
  expect(right.complete).toBe(true);
});

test('a base path of the document that the address lacks is told in one sentence', async () => {
  const spec = { ...teller(body({ type: 'object' })), servers: [{ url: '/api/v3' }] };
  const report = await tested({ ...spec, paths: { ...spec.paths, '/api/v3/a': { get: {} } } }, ({ path }) =>
    path === '/api/v3/a' ? { status: 200, body: {} } : { status: 404, body: {} },
  );
  expect(report).toMatchObject({ held: false, failures: [] });
  expect(report.ended).toMatch(
    /^the document has the base path \/api\/v3, which the URL lacks; use http:\/\/127\.0\.0\.1:\d+\/api\/v3$/,
  );
});
