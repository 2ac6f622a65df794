import { describe, expect, test } from 'vitest';
import { testContract, toSummary } from '../../contract/index.js';
import { FAULTS, type Fault } from './planted/faults.js';
import { startPlanted } from './planted/server.js';
import { USER } from './planted/store.js';

const faults = Object.entries(FAULTS).map(([fault, [check, only]]) => ({ fault: fault as Fault, check, only }));

async function run(fault?: Fault, only?: string) {
  const server = await startPlanted(fault);
  try {
    const login = { username: USER.email, password: USER.password };
    return await testContract({
      url: server.url,
      spec: `${server.url}/openapi.yaml`,
      login,
      seed: 20,
      // What RFC 9110 recommends alone is planted as well.
      laws: { practices: ['method'] },
      ...(only !== undefined && { only }),
    });
  } finally {
    await server.close();
  }
}

test('a server without a fault holds', { timeout: 60_000 }, async () => {
  const report = await run();
  expect(report.failures, toSummary(report)).toEqual([]);
  expect([...report.warnings, ...report.notes]).toEqual([]);
  expect(report.held).toBe(true);
  for (const { operation, seen } of report.operations) expect(Object.keys(seen), operation).toContain('401');
});

describe('planted faults', { concurrent: true, timeout: 60_000 }, () => {
  test.each(faults)('$fault: found by the check $check', async ({ fault, check, only }) => {
    const report = await run(fault, only);
    expect(report.held).toBe(false);
    expect(
      report.failures.map((failure) => failure.check),
      toSummary(report),
    ).toContain(check);
  });
});
