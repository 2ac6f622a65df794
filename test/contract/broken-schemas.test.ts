import { expect, test } from 'vitest';
import { toSummary } from '../../contract/index.js';
import { body, document, tested } from './small/document.js';
import { answers, object, QUICK, refusals, type Server, teller, telling } from './small/reading.js';

// Schemas that no value can be validated against, and one that looks like it.

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
