import { expect, test } from 'vitest';
import type { ContractReport } from '../../contract/index.js';
import type { SmallReply, SmallRequest } from './planted/small.js';
import { body, document, tested } from './small/document.js';

// What a run tells of a server that lets its credential make nothing, or that lets it wait.

const TOKEN = 'the-credential-of-the-run-0003';
const bearer = { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } };
const thing = {
  type: 'object',
  required: ['id', 'name'],
  properties: { id: { type: 'string' }, name: { type: 'string' } },
};
const refusal = body({ type: 'object' });
const idOf = { name: 'id', in: 'path', required: true, schema: { type: 'string' } };
const told = ({ failures }: ContractReport) => failures.map(({ check, message }) => `${check}: ${message}`);

const isGood = ({ headers }: SmallRequest) =>
  /^bearer +the-credential-of-the-run-0003$/i.test(headers.authorization ?? '');
/** A server of two things, to which nobody may add; `get` answers for one. */
const catalogue =
  (get: (id: string) => SmallReply) =>
  (request: SmallRequest): SmallReply => {
    if (!isGood(request)) return { status: 401, body: {} };
    if (request.query.getAll('includeRevoked').some((flag) => !/^(true|false)$/.test(flag)))
      return { status: 400, body: {} };
    if (request.method === 'POST' || request.method === 'DELETE') return { status: 403, body: {} };
    const [, id] = /^\/things\/([^/]+)$/.exec(request.path) ?? [];
    if (id !== undefined) return get(id);
    const rows = ['red-1', 'blue-2'].map((each) => ({ id: each, name: each, revokedAt: null }));
    return { status: 200, body: { items: rows } };
  };
const right = (id: string): SmallReply =>
  ['red-1', 'blue-2'].includes(id) ? { status: 200, body: { id, name: id } } : { status: 404, body: {} };

const row = { ...thing, properties: { ...thing.properties, revokedAt: { type: ['string', 'null'] } } };
const refusals = { 400: refusal, 401: refusal, 403: refusal, 404: refusal };
const readable = document(
  {
    '/things': {
      get: {
        operationId: 'listThings',
        security: [{ bearer: [] }],
        parameters: [{ name: 'includeRevoked', in: 'query', schema: { type: 'boolean' } }],
        responses: { 200: body({ type: 'object', properties: { items: { type: 'array', items: row } } }), ...refusals },
      },
      post: {
        operationId: 'createThing',
        security: [{ bearer: [] }],
        requestBody: { ...body({ type: 'object' }), required: true },
        responses: { 201: body(thing), ...refusals },
      },
    },
    '/things/{id}': {
      get: {
        operationId: 'getThing',
        security: [{ bearer: [] }],
        parameters: [idOf],
        responses: { 200: body(thing), ...refusals },
      },
      delete: {
        operationId: 'revokeThing',
        security: [{ bearer: [] }],
        parameters: [idOf],
        responses: { 204: { description: 'gone' }, ...refusals },
      },
    },
  },
  bearer,
  { openapi: '3.1.0' },
);

test('what a list has is got by its id, where nothing can be made', async () => {
  const report = await tested(readable, catalogue(right), { token: TOKEN, fuzzRuns: 3 });
  expect(told(report)).toEqual([]);
  expect(report.untested).toEqual([]);
  expect(report.operations.find(({ operation }) => operation === 'getThing')?.seen['200']).toBeGreaterThan(0);
  const wrong = await tested(
    readable,
    catalogue((id) => (right(id).status === 200 ? { status: 200, body: { id: 'red-1' } } : right(id))),
    { token: TOKEN, fuzzRuns: 3 },
  );
  expect(told(wrong)).toContainEqual(expect.stringContaining("must have required property 'name'"));
});

test('a law about what the credential may not call tells nothing', async () => {
  const laws = {
    workflows: [{ rule: 'a thing has a name', steps: [{ operation: 'createThing', status: 201 }] }],
  };
  const options = { token: TOKEN, fuzzRuns: 3, laws };
  expect(told(await tested(readable, catalogue(right), options))).toEqual([]);
  let made = 0;
  const whimsical = (request: SmallRequest): SmallReply =>
    request.method === 'POST' && isGood(request) && made++ === 0
      ? { status: 201, body: { id: 'red-1', name: 'red-1' } }
      : catalogue(right)(request);
  expect(told(await tested(readable, whimsical, options))).toContain('law: by a law (a thing has a name): gets 403');
});

test('a request that asks the server to wait may go without an answer, and no other', async () => {
  const waiting = { name: 'waitMs', in: 'query', schema: { type: 'integer', minimum: 0, maximum: 60_000, default: 0 } };
  const spec = document({
    '/events': {
      get: { operationId: 'getEvents', parameters: [waiting], responses: { 200: body({ type: 'object' }) } },
    },
  });
  const never = { status: 200, write: () => undefined } as SmallReply;
  const hang = () => new Promise<SmallReply>((resolve) => setTimeout(resolve, 1_500, never).unref());
  const poll = ({ query }: SmallRequest) => {
    const [wait = '0', ...more] = query.getAll('waitMs');
    if (more.length > 0 || !/^\d+$/.test(wait) || Number(wait) > 60_000) return { status: 400, body: {} };
    return Number(wait) > 300 ? hang() : { status: 200, body: {} };
  };
  const options = { answerTimeoutMs: 300, fuzzRuns: 3 };
  const patient = await tested(spec, poll, options);
  expect(told(patient)).toEqual([]);
  expect(patient.notes).toContainEqual(
    expect.stringMatching(/^getEvents: answers that requests ask the server to delay/),
  );
  let count = 0;
  const hanging = await tested(spec, (request) => (count++ === 5 ? hang() : poll(request)), options);
  expect(told(hanging)).toContainEqual(expect.stringMatching(/^answer: there is no answer: it takes too long/));
});
