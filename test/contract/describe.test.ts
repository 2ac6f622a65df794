import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { describeContract } from '../../contract/vitest.js';
import { startPlanted } from './planted/server.js';
import { USER } from './planted/store.js';

const planted = await startPlanted();

describe('a server that keeps its contract passes', () => {
  // The server is there for the tests below, and ends with the process of this file.
  describeContract({
    url: planted.url,
    spec: 'test/contract/planted/openapi.yaml',
    login: () => ({ username: USER.email, password: USER.password }),
    seed: 3,
    fuzzRuns: 3,
    only: 'getMe',
  });
});

interface Results {
  testResults: { assertionResults: { fullName: string; status: string; failureMessages: string[] }[] }[];
}

test('there is one test for each operation, and a failure names the operation', { timeout: 60_000 }, async () => {
  const args = [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--root',
    'test/contract/describe',
    '--config',
    'vitest.config.ts',
  ];
  const { stdout } = await promisify(execFile)(process.execPath, [...args, '--reporter', 'json']).catch(
    (error: unknown) => error as { stdout: string },
  );
  const { testResults } = JSON.parse(stdout) as Results;
  const results = testResults.flatMap(({ assertionResults }) => assertionResults);
  expect(results.map(({ fullName, status }) => `${fullName}: ${status}`)).toEqual([
    'three getGood: passed',
    'three getBad: failed',
    'three getLeft (left out: it is slow): skipped',
    'three the run as a whole: passed',
  ]);
  const [message = ''] = results[1]?.failureMessages ?? [];
  expect(message).toMatch(/getBad: the server fails with 500\n/);
  expect(message).toMatch(/curl -i -X GET 'http:\/\/127\.0\.0\.1:\d+\/bad'/);
  expect(message).toMatch(/again {5}with seed: 4 and only: "getBad"/);
});
