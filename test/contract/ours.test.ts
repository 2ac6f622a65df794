import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { type ContractOptions, type Laws, testContract, toSummary } from '../../contract/index.js';
import { createAccessToken } from '../../generated/index.js';
import { startLocal } from '../support/local-server.js';
import { ADMIN, answered, type Person, type Service, startService } from '../support/service.js';
import { startReverseProxy } from './right/reverse-proxy.js';

// Our own servers in every way that they are used, each of them right: none is told to be wrong.

const { laws } = parse(readFileSync('openapi.laws.yaml', 'utf8')) as { laws: Laws };
const administrator = { username: ADMIN.email, password: ADMIN.password };
const timeout = 120_000;

type Target = Pick<ContractOptions, 'url' | 'token' | 'login' | 'other'>;

/** An administrator's token with these scopes alone. */
async function tokenWith(service: Service, scopes: string[]): Promise<Target> {
  const { client } = await service.admin();
  const { plaintext } = await answered(createAccessToken({ client, body: { name: 'contract', scopes } }));
  return { url: service.url, token: plaintext };
}

async function throughProxy(service: Service, base: string): Promise<Target> {
  const proxy = await startReverseProxy(service.url, { base });
  onTestFinished(proxy.close);
  return { url: proxy.url, login: administrator };
}

const WAYS: Record<string, (service: Service) => Promise<Target>> = {
  'by a user who is no administrator': async (service) => {
    const [one, other] = [await service.newUser(), await service.newUser()];
    const loginOf = ({ email, password }: Person) => ({ username: email, password });
    return { url: service.url, login: loginOf(one), other: { login: loginOf(other) } };
  },
  'with a token that reads and verifies': (service) => tokenWith(service, ['tokens:read', 'tokens:verify']),
  'with a token that only reads': (service) => tokenWith(service, ['tokens:read']),
  'with a token that may do nothing': (service) => tokenWith(service, []),
  'behind a reverse proxy': (service) => throughProxy(service, ''),
  'below a base path': (service) => throughProxy(service, '/latchkey'),
};

test.each(Object.entries(WAYS))('the service is right, used %s', { timeout }, async (_, use) => {
  const service = await startService({ now: Date.now, trustProxy: 1 });
  const report = await testContract({ ...(await use(service)), laws, seed: 5, fuzzRuns: 3, timeMs: timeout });
  expect([...report.failures, ...report.warnings], toSummary(report)).toEqual([]);
  expect(report.held, toSummary(report)).toBe(true);
});

test('the control of a local server is right', { timeout }, async () => {
  const server = await startLocal();
  const report = await testContract({ url: server.url, spec: 'testing/openapi.yaml', seed: 5, timeMs: timeout });
  expect([...report.failures, ...report.warnings], toSummary(report)).toEqual([]);
  expect(report.held, toSummary(report)).toBe(true);
});
