import { expect, test } from 'vitest';
import { toSummary } from '../../contract/index.js';
import { body, document, tested } from './small/document.js';
import { isInstant } from './small/instant.js';

// A list whose rows were made quickly: those in its middle were made in one millisecond after the other.

const START = Date.parse('2026-01-02T03:04:05Z');
const ROWS = [0, 9_000, 9_001, 9_002, 9_003, 9_004].map((after, id) => ({
  id,
  createdAt: new Date(START + after).toISOString(),
}));

const instant = { type: 'string', format: 'date-time' };
const Row = {
  type: 'object',
  required: ['id', 'createdAt'],
  properties: { id: { type: 'integer' }, createdAt: instant },
};
const parameter = (name: string) => ({ name, in: 'query', schema: instant });
const spec = document({
  '/rows': {
    get: {
      operationId: 'listRows',
      parameters: [parameter('createdAfter'), parameter('createdBefore')],
      responses: { 200: body({ type: 'array', items: Row }), 400: { description: 'no instant' } },
    },
  },
});

async function run(ignored?: string) {
  return await tested(
    spec,
    ({ query }) => {
      let rows = ROWS;
      for (const [name, given] of query) {
        if (!isInstant(given)) return { status: 400 };
        if (name === ignored) continue;
        const at = Math.round(Date.parse(given) / 1_000) * 1_000;
        rows = rows.filter(({ createdAt }) => (name === 'createdAfter') === Date.parse(createdAt) >= at);
      }
      return { status: 200, body: rows };
    },
    { fuzzRuns: 1 },
  );
}

test('a server that rounds to seconds is told no fault', async () => {
  const report = await run();
  expect(report.failures, toSummary(report)).toEqual([]);
});

test.each(['createdAfter', 'createdBefore'])('finds that %s is ignored', async (name) => {
  const report = await run(name);
  const found = report.failures.filter(({ message }) => message === `${name} returns rows that do not match`);
  expect(found.length, toSummary(report)).toBe(1);
});
