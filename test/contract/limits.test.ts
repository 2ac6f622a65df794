import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { toSummary } from '../../contract/index.js';
import type { SmallReply, SmallRequest } from './planted/small.js';
import { body, document, tested } from './small/document.js';

// Things of which only a few may exist, so that a run cannot make one for each request: a right server, and one that is
// wrong in the letter case of ids.

const no = { description: 'no' };
const name = { type: 'string', minLength: 1, maxLength: 20 };
const Thing = {
  type: 'object',
  required: ['id', 'name'],
  properties: { id: { type: 'string', format: 'uuid' }, name },
};
const id = { name: 'id', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } };
const spec = document({
  '/things': {
    get: { operationId: 'listThings', responses: { 200: body({ type: 'array', items: Thing }) } },
    post: {
      operationId: 'createThing',
      requestBody: {
        required: true,
        ...body({ type: 'object', required: ['name'], properties: { name }, additionalProperties: false }),
      },
      responses: { 201: body(Thing), 400: no, 409: no },
    },
  },
  '/things/{id}': {
    parameters: [id],
    get: { operationId: 'getThing', responses: { 200: body(Thing), 400: no, 404: no } },
    delete: { operationId: 'deleteThing', responses: { 204: no, 400: no, 404: no } },
  },
});
const MOST = 12;

function things(isRight: boolean): (request: SmallRequest) => SmallReply {
  const all = new Map<string, { id: string; name: string }>();

  function create({ body: sent, type }: SmallRequest): SmallReply {
    try {
      const wish = JSON.parse(sent) as { name?: unknown };
      const { name: wanted, ...others } = wish;
      const isName = typeof wanted === 'string' && wanted !== '' && Array.from(wanted).length <= 20;
      if (!/^application\/json/i.test(type) || !isName || Object.keys(others).length > 0) return { status: 400 };
      if (all.size >= MOST) return { status: 409 };
      const thing = { id: randomUUID(), name: wanted };
      all.set(thing.id, thing);
      return { status: 201, body: thing };
    } catch {
      return { status: 400 };
    }
  }

  return (request) => {
    const { method, path } = request;
    const [, collection, own] = /^\/(things)(?:\/([^/]+))?$/.exec(path) ?? [];
    if (collection === undefined) return { status: 404 };
    if (own === undefined) return method === 'POST' ? create(request) : { status: 200, body: [...all.values()] };
    if (!/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(own)) return { status: 400 };
    const key = isRight ? own.toLowerCase() : own;
    const thing = all.get(key);
    if (thing === undefined) return { status: 404 };
    if (method !== 'DELETE') return { status: 200, body: thing };
    all.delete(key);
    return { status: 204 };
  };
}

const options = { laws: { practices: ['uuid-case' as const] }, fuzzRuns: 3 };

describe('things of which few may exist', { timeout: 60_000 }, () => {
  test('an id that nobody has is not told to be lost by its capitals', async () => {
    const report = await tested(spec, things(true), options);
    expect(report.failures, toSummary(report)).toEqual([]);
    expect(
      report.operations.find(({ operation }) => operation === 'createThing')?.seen,
      toSummary(report),
    ).toHaveProperty('409');
    expect(report.held, toSummary(report)).toBe(true);
  });

  test('an id that is found in small letters alone is', async () => {
    const report = await tested(spec, things(false), options);
    expect(
      report.failures.map(({ operation, message }) => `${operation}: ${message}`),
      toSummary(report),
    ).toContain('getThing: an id in capitals is not found');
  });
});
