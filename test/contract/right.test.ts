import { expect, onTestFinished, test } from 'vitest';
import { testContract, toSummary } from '../../contract/index.js';
import { RIGHT } from './right/index.js';

// Right servers, each with its own document, as their frameworks make them: none is told to be wrong, and warned is only
// of what its framework does against RFC 9110.

test.each(Object.entries(RIGHT))('%s', { timeout: 60_000 }, async (_, start) => {
  const { url, options, warnings, close } = await start();
  onTestFinished(close);
  const report = await testContract({ url, seed: 3, fuzzRuns: 3, ...options });
  expect(report.failures, toSummary(report)).toEqual([]);
  expect(report.warnings.map(({ message }) => message).sort()).toEqual([...warnings].sort());
  expect(report.held, toSummary(report)).toBe(true);
});
