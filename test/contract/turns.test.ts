import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { toSummary } from '../../contract/index.js';
import type { SmallReply } from './planted/small.js';
import { body, document, tested } from './small/document.js';

// A run prepares a request while the server works on the one before, but sends one at a time.

const number = (maximum: number) => ({ type: 'integer', minimum: 1, maximum });
const parameters = ['a', 'b', 'c'].map((name) => ({ name, in: 'query', schema: number(9) }));
const spec = document({
  '/sums': {
    get: { operationId: 'getSum', parameters, responses: { 200: body(number(27)), 400: { description: 'no' } } },
  },
});

const sum = (query: URLSearchParams): SmallReply => {
  const values = ['a', 'b', 'c'].flatMap((name) => query.getAll(name));
  const isRight = values.every((each) => /^[1-9]$/.test(each));
  return isRight ? { status: 200, body: values.length === 0 ? 1 : 2 } : { status: 400 };
};

test('a server gets one request at a time, and a fault is that of its own request', { timeout: 60_000 }, async () => {
  let now = 0;
  let most = 0;
  const report = await tested(
    spec,
    async ({ query }) => {
      most = Math.max(most, ++now);
      await wait(1);
      now--;
      return query.get('b') === '9' ? { status: 500 } : sum(query);
    },
    { fuzzRuns: 3 },
  );
  expect(most).toBe(1);
  expect(
    report.failures.map(({ check, curl }) => [check, curl.includes('b=9')]),
    toSummary(report),
  ).toEqual([['server-error', true]]);
});

test('a hook sees each answer before the next request', { timeout: 60_000 }, async () => {
  const seen: string[] = [];
  const report = await tested(spec, ({ query }) => sum(query), {
    fuzzRuns: 3,
    hooks: {
      request({ target }) {
        seen.push(target);
        return undefined;
      },
      answer(_, { request: { target } }) {
        seen.push(target);
        return undefined;
      },
    },
  });
  expect(report.failures, toSummary(report)).toEqual([]);
  expect(seen.length).toBe(report.requests * 2);
  expect(seen.filter((_, index) => index % 2 === 0)).toEqual(seen.filter((_, index) => index % 2 === 1));
});
