import { expect, test } from 'vitest';
import { toSummary } from '../../contract/index.js';
import type { SmallReply, SmallRequest } from './planted/small.js';
import { body, document, tested } from './small/document.js';

// Things that only a PUT creates, under an id that its caller chooses.

const NAME = { type: 'object', required: ['name'], properties: { name: { type: 'string', maxLength: 9 } } };
const id = { name: 'thing_id', in: 'path', required: true, schema: { type: 'string', minLength: 1, maxLength: 99 } };
const missing = { 404: body({ type: 'object' }), 422: body({ type: 'object' }) };
const spec = document({
  '/things/{thing_id}': {
    parameters: [id],
    get: { operationId: 'getThing', responses: { 200: body(NAME), ...missing } },
    put: {
      operationId: 'putThing',
      requestBody: { ...body(NAME), required: true },
      responses: { 200: body(NAME), 201: body(NAME), 422: body({ type: 'object' }) },
    },
    delete: { operationId: 'deleteThing', responses: { 204: { description: 'gone' }, ...missing } },
  },
});

/** A server of things, which `put` stores. */
function serving(put: (things: Map<string, unknown>, path: string, thing: unknown) => void) {
  const things = new Map<string, unknown>();
  return ({ method, path, body: text }: SmallRequest): SmallReply => {
    if (method !== 'PUT') {
      const thing = things.get(path);
      if (thing === undefined) return { status: 404, body: {} };
      if (method !== 'DELETE') return { status: 200, body: thing };
      things.delete(path);
      return { status: 204 };
    }
    const thing = parsed(text) as { name?: unknown } | undefined;
    if (typeof thing?.name !== 'string' || thing.name.length > 9) return { status: 422, body: {} };
    const status = things.has(path) ? 200 : 201;
    put(things, path, thing);
    return { status, body: thing };
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const QUICK = { fuzzRuns: 1, checks: ['server-error' as const] };

test('are created for the operations on them', async () => {
  const report = await tested(
    spec,
    serving((things, path, thing) => things.set(path, thing)),
    QUICK,
  );
  expect(report.untested, toSummary(report)).toEqual([]);
  const some = expect.any(Number) as number;
  const seen = Object.fromEntries(report.operations.map((each) => [each.operation, each.seen]));
  expect(seen).toMatchObject({ getThing: { 200: some, 404: some }, deleteThing: { 204: some } });
});

test('are not found if the server forgets them, and the report says so', async () => {
  const report = await tested(
    spec,
    serving(() => undefined),
    QUICK,
  );
  expect(report.untested.map(({ operation }) => operation).sort(), toSummary(report)).toEqual([
    'deleteThing',
    'getThing',
  ]);
});
