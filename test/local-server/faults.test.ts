import { describe, expect, test } from 'vitest';
import { type Fault, InvalidArgument, type TestingServer } from '../../server/index.js';
import { send } from '../support/http.js';
import { plaintextOf, startLocal } from '../support/local-server.js';

const create = (server: TestingServer, name = 'made') =>
  send(server, 'POST /api/v1/access-tokens', { token: plaintextOf(server, 'deploy bot'), json: { name } });
const list = (server: TestingServer) =>
  send(server, 'GET /api/v1/access-tokens', { token: plaintextOf(server, 'deploy bot') });
const namesOf = async (server: TestingServer) =>
  ((await list(server)).body as { items: { name: string }[] }).items.map(({ name }) => name);

test.each([
  [429, 'too_many_requests', '7'],
  [500, 'internal_error', undefined],
  [503, 'service_unavailable', '7'],
] as const)('%i hits as often as planned, in the shape of the operation', async (status, code, retryAfter) => {
  const server = await startLocal();
  const detail = 'A test planned this fault.';
  server.faults.add({ operationId: 'createAccessToken', times: 2, status, retryAfterSeconds: 7 });
  for (let hit = 0; hit < 2; hit++) {
    const answer = await create(server);
    expect(answer).toMatchObject({ status, body: { detail, code } });
    expect(answer.headers['retry-after']).toBe(retryAfter);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
    });
    expect(answer.headers['x-request-id']).toBeDefined();
  }
  expect((await create(server)).status).toBe(201);
  expect(await namesOf(server)).toEqual(
    ['made', 'deploy bot', 'old'].sort((a, b) => (a === 'made' ? -1 : b === 'made' ? 1 : 0)),
  );

  server.faults.add({ operationId: 'createPrivateToken', status });
  const other = await send(server, 'POST /api/v1/auth/private_tokens/', { json: {} });
  expect(other).toMatchObject({ status, body: { detail } });
  expect(other.body).not.toHaveProperty('code');
});

test.each([
  [502, 'Bad Gateway\n'],
  [504, 'Gateway Timeout\n'],
] as const)('%i is answered as a proxy does', async (status, text) => {
  const server = await startLocal();
  server.faults.add({ status });
  const answer = await create(server);
  expect(answer).toMatchObject({ status, text });
  expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
});

test('a fault hits its operation alone, and before the credential is looked at', async () => {
  const server = await startLocal();
  server.faults.add({ operationId: 'listAccessTokens', status: 503 });
  expect((await create(server)).status).toBe(201);
  expect((await send(server, 'GET /api/v1/access-tokens')).status).toBe(503);
});

test('a fault without an operation hits any, one without times once', async () => {
  const server = await startLocal();
  server.faults.add({ status: 500 });
  expect((await send(server, 'GET /healthz')).status).toBe(500);
  expect((await send(server, 'GET /healthz')).status).toBe(200);
});

test('of several faults the first planned that fits hits', async () => {
  const server = await startLocal();
  server.faults.add({ status: 500 });
  server.faults.add({ status: 503, times: 2 });
  const statuses = [];
  for (let request = 0; request < 4; request++) statuses.push((await send(server, 'GET /healthz')).status);
  expect(statuses).toEqual([500, 503, 503, 200]);
});

test('a delay comes before the answer, and with a status before that', async () => {
  const server = await startLocal();
  server.faults.add({ delayMs: 60 });
  server.faults.add({ delayMs: 60, status: 503 });
  for (const status of [200, 503]) {
    const from = performance.now();
    expect((await send(server, 'GET /healthz')).status).toBe(status);
    expect(performance.now() - from).toBeGreaterThanOrEqual(55);
  }
});

describe('a dropped connection', () => {
  test('before the handler has done nothing', async () => {
    const server = await startLocal();
    server.faults.add({ operationId: 'createAccessToken', drop: 'before-handler' });
    await expect(create(server)).rejects.toThrow(/socket hang up|ECONNRESET/);
    expect(await namesOf(server)).not.toContain('made');
    expect((await create(server)).status).toBe(201);
  });

  test('after the commit has done everything', async () => {
    const server = await startLocal();
    const id = server.faults.add({ operationId: 'createAccessToken', drop: 'after-commit' });
    await expect(create(server)).rejects.toThrow(/socket hang up|ECONNRESET/);
    expect(await namesOf(server)).toContain('made');
    const record = await server.requests.waitFor(({ operationId }) => operationId === 'createAccessToken');
    expect(record).toMatchObject({ outcome: 'dropped', status: 201, fault: id });
  });
});

test('a probability is drawn from the seed: the same each time, and about as often as it says', async () => {
  const draw = async (randomSeed: number) => {
    const server = await startLocal({ testing: { randomSeed } });
    const round = async () => {
      server.faults.add({ probability: 0.3, status: 503 });
      const statuses: number[] = [];
      for (let request = 0; request < 60; request++) statuses.push((await send(server, 'GET /healthz')).status);
      return statuses;
    };
    const first = await round();
    await server.reset();
    expect(await round()).toEqual(first);
    return first;
  };
  const [one, two] = [await draw(1), await draw(2)];
  expect(one).not.toEqual(two);
  for (const statuses of [one, two]) {
    const hits = statuses.filter((status) => status === 503).length;
    expect(hits).toBeGreaterThan(6);
    expect(hits).toBeLessThan(34);
  }
});

test('faults are listed with what is left of them, and can be called off', async () => {
  const server = await startLocal();
  const first = server.faults.add({ operationId: 'getHealth', times: 3, status: 500 });
  const second = server.faults.add({ operationId: 'getMe', probability: 0.5, drop: 'before-handler' });
  await send(server, 'GET /healthz');
  expect(server.faults.all()).toEqual([
    { id: first, operationId: 'getHealth', times: 3, status: 500, hits: 1, left: 2 },
    { id: second, operationId: 'getMe', probability: 0.5, drop: 'before-handler', hits: 0, left: null },
  ]);
  expect(server.faults.remove(first)).toBe(true);
  expect(server.faults.remove(first)).toBe(false);
  expect((await send(server, 'GET /healthz')).status).toBe(200);
  server.faults.clear();
  expect(server.faults.all()).toEqual([]);
});

test.each<[unknown, string]>([
  [{}, 'fault must have at least one of status, drop and delayMs'],
  [{ operationId: 'createToken', status: 500 }, 'fault.operationId must be one of listPrivateTokens,'],
  [{ operation: 'getMe', status: 500 }, 'fault.operation is not known; known are operationId, webhook, times'],
  [{ status: 404 }, 'fault.status must be one of 429, 500, 502, 503, 504'],
  [{ status: 500, times: 0 }, 'fault.times must be an integer from 1 to 1000000'],
  [{ status: 500, probability: 1.1 }, 'fault.probability must be a number from 0 to 1'],
  [{ delayMs: 600_001 }, 'fault.delayMs must be an integer from 0 to 600000'],
  [{ status: 429, retryAfterSeconds: -1 }, 'fault.retryAfterSeconds must be an integer from 0 to 86400'],
  [{ drop: 'sometimes' }, 'fault.drop must be before-handler or after-commit'],
  [{ drop: 'before-handler', status: 500 }, 'fault must have status or drop, not both'],
])('%j is refused', async (fault, message) => {
  const server = await startLocal();
  expect(() => server.faults.add(fault as Fault)).toThrow(InvalidArgument);
  expect(() => server.faults.add(fault as Fault)).toThrow(message);
  expect(server.faults.all()).toEqual([]);
});
