import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { testContract, toSummary } from '../../contract/index.js';
import type { TestingServer } from '../../server/index.js';
import { type Answer, type RequestParts, send } from '../support/http.js';
import { plaintextOf, startLocal } from '../support/local-server.js';

interface Operation {
  operationId: string;
  responses: Record<string, { $ref?: string; content?: Record<string, unknown> }>;
}

const document = parse(readFileSync('testing/openapi.yaml', 'utf8')) as {
  paths: Record<string, Record<string, Operation | unknown[]>>;
};
const judge = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(judge);
judge.addSchema(JSON.parse(readFileSync('testing/seed.schema.json', 'utf8')) as object, 'seed.schema.json');
judge.addSchema({ ...document, $id: 'control' });

const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).flatMap(([method, operation]) =>
    Array.isArray(operation) ? [] : [{ id: operation.operationId, method: method.toUpperCase(), path, operation }],
  ),
);
const cases = operations.flatMap(({ id, method, path, operation }) =>
  Object.keys(operation.responses).map((status) => ({ id, method, path, operation, status: Number(status) })),
);

const json = (value: unknown): RequestParts => ({ json: value });
/** A request that succeeds, and what it needs before. */
const GOOD: Record<string, RequestParts> = {
  putSeed: json({
    users: [{ email: 'zoe@example.org', tokens: [{ name: 'z' }] }],
    services: [{ fullName: 'jobs' }],
    externalUsers: [{ externalId: 'cus_42', tokens: [{ name: 'key' }] }],
  }),
  openSession: json({ email: 'ada@example.org' }),
  putClock: json({ now: '2030-01-31T12:00:00Z', frozen: true }),
  addFault: json({ operationId: 'getHealth', times: 2, status: 503 }),
};
/** One that does not fit; the others know no parameters. */
const BAD: Record<string, RequestParts & { query?: string }> = {
  putSeed: json({ users: [{}] }),
  openSession: json({ email: 1 }),
  putClock: json({ advanceMs: -1 }),
  addFault: json({ status: 404 }),
  getRequests: { query: '?least=0' },
  takeSnapshot: {},
};

async function provoke(
  server: TestingServer,
  id: string,
  line: (id: string, query?: string) => `${string} ${string}`,
  status: number,
) {
  switch (status) {
    case 400: {
      if (id === 'takeSnapshot') for (let count = 0; count < 100; count++) await send(server, line('1'));
      const { query, ...parts } = BAD[id] ?? { query: '?force=true' };
      return await send(server, line('1', query), parts);
    }
    case 403:
      return await send(server, line('1'), { ...GOOD[id], headers: { Origin: 'https://example.org' } });
    case 404:
      return await send(server, line('4711'), id === 'openSession' ? json({ email: 'nobody@example.org' }) : {});
    case 413:
      return await send(server, line('1'), json({ email: 'x'.repeat(id === 'putSeed' ? 8 * 2 ** 20 : 65_536) }));
    case 415:
      return await send(server, line('1'), { body: '{}', headers: { 'Content-Type': 'text/plain' } });
    default:
      if (id.endsWith('Snapshot')) await send(server, 'POST /__testing/snapshots');
      if (id === 'removeFault' || id === 'getFaults') server.faults.add({ operationId: 'getMe', status: 500 });
      await send(server, 'GET /healthz');
      return await send(server, line('1'), GOOD[id] ?? {});
  }
}

test.each(cases)('$id answers $status as documented', async ({ id, method, path, operation, status }) => {
  const server = await startLocal();
  const answer = await provoke(
    server,
    id,
    (value, query = '') => `${method} ${path.replace('{id}', value)}${query}`,
    status,
  );
  expect(answer.status, answer.text).toBe(status);
  expectDocumented(operation, answer);
  expect(server.requests.all().every(({ path: recorded }) => !recorded.startsWith('/__testing'))).toBe(true);
});

function expectDocumented({ responses }: Operation, answer: Answer): void {
  const response = responses[String(answer.status)] ?? {};
  const pointer =
    response.$ref ??
    `#/paths/${operations
      .filter(({ operation }) => operation.responses === responses)
      .map(({ path, method }) => `${path.replaceAll('/', '~1')}/${method.toLowerCase()}`)
      .join('')}/responses/${String(answer.status)}`;
  const isJson = answer.headers['content-type'] === 'application/json; charset=utf-8';
  if (!isJson) {
    expect(Object.keys(response.content ?? {})).not.toContain('application/json');
    return;
  }
  const validate = judge.getSchema(`control${pointer}/content/application~1json/schema`);
  expect(validate, pointer).toBeDefined();
  expect(validate?.(answer.body), JSON.stringify(validate?.errors)).toBe(true);
}

describe('the control', () => {
  test('tells the services and external owners of a seed, with the plaintexts of their tokens', async () => {
    const server = await startLocal();
    const seeded = await send(server, 'PUT /__testing/seed', GOOD['putSeed'] ?? {});
    expect(seeded.body).toMatchObject({
      users: [{ id: 1, email: 'zoe@example.org' }],
      owners: [
        { id: 2, kind: 'service', externalId: null, fullName: 'jobs', tokens: [] },
        { id: 3, kind: 'external', externalId: 'cus_42', tokens: [{ name: 'key' }] },
      ],
    });
    expect((await send(server, 'GET /__testing/users')).body).toEqual(seeded.body);
    const { owners } = seeded.body as Pick<TestingServer, 'owners'>;
    const answer = await send(server, 'GET /api/v1/auth/me', { token: owners[1]?.tokens[0]?.plaintext ?? '' });
    expect(answer.body).toMatchObject({ user: { id: 3 } });
  });

  test('seeds, opens sessions, moves the clock, keeps snapshots and resets', async () => {
    const server = await startLocal();
    const { body } = await send(server, 'GET /__testing/users');
    expect(body).toEqual({ users: server.users, owners: [] });

    const session = await send(server, 'POST /__testing/sessions', json({ email: 'bob@example.org' }));
    const { token } = session.body as { token: string };
    const me = () => send(server, 'GET /api/v1/auth/me', { token });
    expect((await me()).body).toMatchObject({ user: { email: 'bob@example.org' } });

    const snapshot = (await send(server, 'POST /__testing/snapshots', json({}))).body as { id: string };
    expect((await send(server, 'PUT /__testing/clock', json({ advanceMs: 3_600_001 }))).body).toMatchObject({
      frozen: false,
    });
    expect((await me()).status).toBe(401);
    expect((await send(server, `POST /__testing/snapshots/${snapshot.id}/restore`)).status).toBe(204);
    expect((await me()).status).toBe(200);

    const frozen = await send(server, 'PUT /__testing/clock', json({ now: '2030-01-31T13:00:00+01:00', frozen: true }));
    expect(frozen.body).toEqual({ now: '2030-01-31T12:00:00.000Z', frozen: true });
    expect((await send(server, 'GET /__testing/clock')).body).toEqual(frozen.body);
    expect((await send(server, 'POST /__testing/reset')).status).toBe(204);
    expect(server.clock.state().frozen).toBe(false);
    expect((await me()).status).toBe(401);
  });

  test('plans faults and waits for requests', async () => {
    const server = await startLocal();
    expect((await send(server, 'POST /__testing/faults', GOOD['addFault'])).body).toEqual({ id: '1' });
    const waiting = send(server, 'GET /__testing/requests?operationId=getHealth&least=2&waitMs=5000');
    expect((await send(server, 'GET /healthz')).status).toBe(503);
    await send(server, 'GET /readyz');
    expect((await send(server, 'GET /healthz')).status).toBe(503);
    expect((await waiting).body).toMatchObject({ requests: [{ number: 1 }, { number: 3 }] });
    const late = await send(server, 'GET /__testing/requests?status=201&waitMs=20');
    expect(late).toMatchObject({ status: 200, body: { requests: [] } });
  });

  test.each([
    [json({ now: '2030-01-01T00:00:00Z', advanceMs: 1 }), 'the body must have now or advanceMs, not both'],
    [json({ now: '2030-02-30T00:00:00Z' }), 'now must be a valid date-time'],
    [json({ at: '2030-01-01T00:00:00Z' }), 'at is not known; known are now, advanceMs, frozen'],
    [json({ frozen: 'yes' }), 'frozen must be a boolean'],
    [json([]), 'the body must be an object'],
    [{ body: '{' }, 'The body is not valid JSON.'],
    [{}, 'the body must be an object'],
  ])('refuses the clock change %j', async (parts, detail) => {
    const server = await startLocal({ testing: { frozenAt: '2030-01-01T00:00:00Z' } });
    const answer = await send(server, 'PUT /__testing/clock', parts);
    expect(answer.status).toBe(400);
    expect((answer.body as { detail: string }).detail).toContain(detail);
    expect(server.clock.state()).toEqual({ now: '2030-01-01T00:00:00.000Z', frozen: true });
  });

  test('knows its paths and methods alone', async () => {
    const server = await startLocal();
    expect((await send(server, 'GET /__testing/')).status).toBe(404);
    expect((await send(server, 'GET /__testing/clock/')).status).toBe(404);
    const answer = await send(server, 'POST /__testing/clock');
    expect(answer).toMatchObject({ status: 405, headers: { allow: 'GET, PUT' } });
    expect((await send(server, 'GET /__testing')).status).toBe(404);
  });

  test.each([
    ['a page of another site', { Origin: 'https://example.org' }],
    ['a page of another port', { Origin: 'http://127.0.0.1:1' }],
    ['a page without an origin', { Origin: 'null' }],
    ['a browser at another site', { 'Sec-Fetch-Site': 'cross-site' }],
    ['a browser at another port', { 'Sec-Fetch-Site': 'same-site' }],
    ['a name that resolves to this machine', { Host: 'evil.example.org' }],
    ['a name that looks like a loopback address', { Host: '127.0.0.1.example.org:80' }],
  ])('refuses %s', async (_, headers) => {
    const server = await startLocal();
    server.clock.freeze();
    const before = server.clock.state();
    const answer = await send(server, 'PUT /__testing/clock', { json: { advanceMs: 1_000 }, headers });
    expect(answer.status).toBe(403);
    expect(server.clock.state()).toEqual(before);
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
  });

  test('takes requests of its own origin, by whatever loopback name', async () => {
    const server = await startLocal();
    const { host, port } = new URL(server.url);
    for (const headers of [
      { Origin: `http://${host}` },
      { 'Sec-Fetch-Site': 'same-origin' },
      { Host: `localhost:${port}` },
      { Host: `[::1]:${port}` },
    ]) {
      expect((await send(server, 'GET /__testing/clock', { headers })).status).toBe(200);
    }
  });

  test('takes a seed that is longer than other bodies', async () => {
    const server = await startLocal();
    const tokens = Array.from({ length: 3_000 }, (_, index) => ({ name: `a token with a name ${String(index)}` }));
    const answer = await send(server, 'PUT /__testing/seed', json({ users: [{ email: 'a@b', tokens }] }));
    expect(answer.status).toBe(200);
    expect(server.users[0]?.tokens).toHaveLength(3_000);
    expect(plaintextOf(server, 'a token with a name 7')).toMatch(/^lk_pat_/);
  });
});

test('the contract tests find nothing wrong with what they can call', { timeout: 60_000 }, async () => {
  const server = await startLocal();
  const report = await testContract({ url: server.url, spec: 'testing/openapi.yaml', seed: 3, fuzzRuns: 5 });
  expect(report.failures, toSummary(report)).toEqual([]);
  expect(report, toSummary(report)).toMatchObject({ held: true, complete: true });
  const leftOut = report.operations.filter(({ skipped }) => skipped.some((why) => why.startsWith('left out')));
  expect(leftOut.map(({ operation }) => operation)).toEqual(expect.arrayContaining(['putSeed', 'addFault']));
});
