import { expect, test } from 'vitest';
import { toSummary } from '../../contract/index.js';
import type { SmallRequest } from './planted/small.js';
import { body, document, tested } from './small/document.js';

// Query parameters that exclude each other, by `x-dependencies`.

const integer = (name: string) => ({ name, in: 'query', schema: { type: 'integer', minimum: 1, maximum: 9 } });
const get = (more: object) => ({
  '/things': {
    get: {
      operationId: 'listThings',
      parameters: [integer('a'), integer('b'), integer('c')],
      responses: { 200: body({ type: 'array' }), 422: body({ type: 'object' }) },
      ...more,
    },
  },
});
const ZERO_OR_ONE = { 'x-dependencies': ['ZeroOrOne(a, b);', 'a OR c;'] };

const isNumber = (text: string | null) => text === null || /^[1-9]$/.test(text);

/** A server that rejects both parameters at once, or with `isLax` takes them. */
const serving =
  (isLax: boolean) =>
  ({ query }: SmallRequest) => {
    const isFine = ['a', 'b', 'c'].every((name) => isNumber(query.get(name)));
    const isBoth = query.has('a') && query.has('b');
    return isFine && (isLax || !isBoth) ? { status: 200, body: [] } : { status: 422, body: {} };
  };

test('a request with both is expected to be rejected, and no other', async () => {
  const right = await tested(document(get(ZERO_OR_ONE)), serving(false));
  expect(right.failures, toSummary(right)).toEqual([]);
  expect(right.operations[0]?.seen).toMatchObject({ 200: expect.any(Number) as number });

  const lax = await tested(document(get(ZERO_OR_ONE)), serving(true));
  expect(
    lax.failures.map(({ check }) => check),
    toSummary(lax),
  ).toContain('refusal');

  const unnamed = await tested(document(get({})), serving(false));
  expect(
    unnamed.failures.map(({ check }) => check),
    toSummary(unnamed),
  ).toContain('acceptance');
});
