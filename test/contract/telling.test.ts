import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import {
  type Check,
  type ContractFinding,
  type ContractOptions,
  CouldNotRun,
  testContract,
  toSummary,
} from '../../contract/index.js';
import { FAULTS, type Fault } from './planted/faults.js';
import { startPlanted } from './planted/server.js';
import { USER } from './planted/store.js';

// How what is found is told: one bug once, the gravest first, and each with what shows it again.

async function runPlanted(fault: Fault, options: Partial<ContractOptions> = {}) {
  const server = await startPlanted(fault);
  try {
    const login = { username: USER.email, password: USER.password };
    return await testContract({ url: server.url, spec: `${server.url}/openapi.yaml`, login, seed: 20, ...options });
  } finally {
    await server.close();
  }
}

const titles = (findings: ContractFinding[]) =>
  findings.map(({ id, operation, message }) => `${id} ${operation}: ${message}`);

const firstOfEachCheck = Object.entries(FAULTS).filter(
  ([, [check]], index, all) => all.findIndex(([, [other]]) => other === check) === index,
) as [Fault, readonly [Check, string]][];

/** What shows at another operation than the one that is at fault, so that the whole run has to find it first. */
const FAR = new Set<Check>(['revocation', 'expiry', 'credential', 'sequence', 'method', 'authentication']);

describe('the line that shows a fault again', { timeout: 120_000 }, () => {
  test.each(firstOfEachCheck)('"%s" is found by it', async (fault, [check, operation]) => {
    const options: Partial<ContractOptions> = { laws: { practices: ['method'] }, fuzzRuns: 3 };
    const whole = await runPlanted(fault, FAR.has(check) ? options : { ...options, only: operation });
    const found = whole.failures.find((failure) => failure.check === check && failure.follows === undefined);
    expect(found, toSummary(whole)).toBeDefined();
    const { seed = 0, only = '', message } = found ?? {};
    const again = await runPlanted(fault, { ...options, seed, ...(only !== '' && { only }) });
    expect(again.failures, `only ${only}: ${toSummary(again)}`).toContainEqual(
      expect.objectContaining({ operation: found?.operation, message }),
    );
  });
});

test('a missing authentication check is one bug, with what follows from it', async () => {
  const report = await runPlanted('the list needs no credential', { only: 'listKeys' });
  expect(titles(report.failures.filter(({ follows }) => follows === undefined))).toEqual([
    '1 listKeys: a request without a credential gets 200',
  ]);
  expect(report.failures.length).toBeGreaterThan(3);
  expect(report.failures.every(({ follows }, index) => follows === (index === 0 ? undefined : '1'))).toBe(true);
  const summary = toSummary(report);
  expect(summary).toMatch(/^1\. listKeys: a request without a credential gets 200/m);
  expect(summary).toMatch(/^ {3}hence {5}listKeys: an unknown token by \w+ gets 200$/m);
  expect(summary).toMatch(/: 1 fault[, ]/);
});

test('what ends the server is told first, and the silence after it is part of it', async () => {
  const responses = { 200: { description: 'ok' }, 400: { description: 'no' } };
  const body = { content: { 'application/json': { schema: { type: 'integer', minimum: 0, maximum: 9 } } } };
  const document = {
    openapi: '3.1.0',
    info: { title: 'Fragile', version: '1' },
    paths: {
      '/a': { get: { operationId: 'a', responses } },
      '/b': { post: { operationId: 'b', requestBody: body, responses } },
      '/c': {
        get: { operationId: 'c', parameters: [{ name: 'q', in: 'query', schema: { type: 'string' } }], responses },
      },
    },
  };
  const server = createServer((request, response) => {
    void text(request).then((sent) => {
      if (request.url === '/a') response.writeHead(418);
      else if (sent === '10') {
        server.close();
        server.closeAllConnections();
        return;
      } else response.writeHead(request.url === '/b' && !/^\d$/.test(sent) ? 400 : 200);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const report = await testContract({ url, spec: document, seed: 1, answerTimeoutMs: 1_000 });
  expect(report.failures[0]?.message).toMatch(/^there is no answer: /);
  const silent = report.failures.filter(({ check }) => check === 'answer');
  expect(silent.length).toBeGreaterThan(1);
  expect(silent.map(({ follows }) => follows)).toEqual([undefined, ...silent.slice(1).map(() => '1')]);
  expect(titles(report.failures)).toContain('2 a: 418 is not documented');
});

test('good practice alone is a warning, unless a law states it, and a 404 for every undeclared method is one note', async () => {
  const untrue = await runPlanted('Allow has a method too many', { only: 'getMe' });
  expect(titles(untrue.warnings)).toEqual(['1 getMe: Allow has PATCH, which is not documented']);
  expect(untrue).toMatchObject({ held: true, failures: [] });
  const strict = await runPlanted('Allow has a method too many', { only: 'getMe', laws: { practices: ['method'] } });
  expect(titles(strict.failures)).toEqual(['1 getMe: Allow has PATCH, which is not documented']);
  const unknown = await runPlanted('an undeclared method is 404');
  expect(unknown).toMatchObject({ held: true, failures: [] });
  expect(unknown.warnings.filter(({ check }) => check === 'method')).toEqual([]);
  expect(unknown.notes).toContain('undeclared methods get 404; RFC 9110 recommends 405 with Allow');
  // What many operations have in common is one warning.
  const own = unknown.warnings.filter(({ follows }) => follows === undefined).map(({ message }) => message);
  expect(new Set(own).size).toBe(own.length);
});

test('checks are chosen and left out by name', async () => {
  const none = await runPlanted('an unknown id is 410', { only: 'getKey', excludeChecks: ['status', 'acceptance'] });
  expect(titles(none.failures)).toEqual([]);
  const one = await runPlanted('an unknown id is 410', { only: 'getKey', checks: ['status'] });
  expect(titles(one.failures)).toEqual(['1 getKey: 410 is not documented']);
  const unknown = runPlanted('an unknown id is 410', { checks: ['stats' as Check] });
  await expect(unknown).rejects.toThrow(CouldNotRun);
  await expect(unknown).rejects.toThrow(/no check stats; the checks are answer, server-error/);
});
