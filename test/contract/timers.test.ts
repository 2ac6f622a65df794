import { afterEach, expect, test, vi } from 'vitest';
import { toSummary } from '../../contract/index.js';
import { body, document, tested } from './small/document.js';

// A run goes on under the fake timers of a test around it.

afterEach(() => {
  vi.useRealTimers();
});

test.each([
  ['that stand still', {}],
  ['at another date', { now: new Date('2099-01-01') }],
])('fake timers %s stop neither a run nor its time-outs', { timeout: 20_000 }, async (_, options) => {
  const responses = { 200: body({}), 400: body({}), 405: { description: 'no' } };
  const spec = document({
    '/quick': { get: { operationId: 'getQuick', responses } },
    '/endless': { get: { operationId: 'getEndless', responses } },
  });
  const startedAt = new Date().getUTCFullYear();
  vi.useFakeTimers(options);
  const report = await tested(
    spec,
    ({ path }) =>
      path === '/quick'
        ? { status: 200, body: {} }
        : { status: 200, headers: { 'Content-Type': 'application/json' }, write: (response) => response.write('[') },
    { answerTimeoutMs: 300, fuzzRuns: 1 },
  );
  expect(report.failures, toSummary(report)).toEqual([]);
  expect(report.notes).toEqual(['getEndless: the body of 200 is not checked: the body does not end in time']);
  expect(report.durationMs).toBeGreaterThan(300);
  expect(new Date(report.startedAt).getUTCFullYear()).toBe(startedAt);
});
