import { describe, expect, test } from 'vitest';
import type { TestingServer } from '../../server/index.js';
import { send } from '../support/http.js';
import { plaintextOf, startLocal } from '../support/local-server.js';

async function namesOf(server: TestingServer): Promise<string[]> {
  const token = plaintextOf(server, 'deploy bot');
  const { body } = await send(server, 'GET /api/v1/access-tokens?includeRevoked=true', { token });
  return (body as { items: { name: string }[] }).items.map(({ name }) => name).sort();
}

async function create(server: TestingServer, name: string): Promise<{ plaintext: string; token: { id: string } }> {
  const token = plaintextOf(server, 'deploy bot');
  const { body } = await send(server, 'POST /api/v1/access-tokens', { token, json: { name } });
  return body as { plaintext: string; token: { id: string } };
}

test('reset sets everything back to the start', async () => {
  const server = await startLocal({ testing: { frozenAt: '2030-01-01T00:00:00Z' } });
  const before = await namesOf(server);
  const made = await create(server, 'made');
  const id = server.users[0]?.tokens[0]?.id ?? '';
  await send(server, `DELETE /api/v1/access-tokens/${id}`, { token: made.plaintext });
  server.clock.set('2031-01-01T00:00:00Z');
  server.clock.unfreeze();
  server.faults.add({ times: 5, status: 500 });

  await server.reset();
  expect(server.requests.all()).toEqual([]);
  expect(server.faults.all()).toEqual([]);
  expect(server.clock.state()).toEqual({ now: '2030-01-01T00:00:00.000Z', frozen: true });
  expect(await namesOf(server)).toEqual(before);
  expect((await send(server, 'GET /api/v1/auth/me', { token: made.plaintext })).status).toBe(401);
  const again = await send(server, 'POST /api/v1/auth/private_tokens/', {
    token: plaintextOf(server, 'deploy bot'),
    json: { name: 'again', expiration_time: '2099-01-01T00:00:00Z' },
  });
  expect(again.body).toMatchObject({ id: 6 });
});

test('reset forgets log-in failures', async () => {
  const server = await startLocal();
  const logIn = (password: string) =>
    send(server, 'POST /api/v1/auth/login/', { json: { username: 'ada@example.org', password } });
  for (let failure = 0; failure < 10; failure++) await logIn('wrong horse');
  expect((await logIn('correct horse')).status).toBe(429);
  await server.reset();
  expect((await logIn('correct horse')).status).toBe(200);
});

test('a reset in the middle of many requests leaves nothing of them behind, and breaks none', async () => {
  const server = await startLocal();
  const before = await namesOf(server);
  for (let round = 0; round < 10; round++) {
    const token = plaintextOf(server, 'deploy bot');
    const requests = Array.from({ length: 20 }, (_, index) =>
      send(server, 'POST /api/v1/access-tokens', { token, json: { name: `made ${String(index)}` } }),
    );
    await server.requests.waitFor(({ operationId }) => operationId === 'createAccessToken');
    await server.reset();
    const statuses = (await Promise.all(requests)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([201]));
    await server.reset();
    expect(await namesOf(server)).toEqual(before);
  }
});

test('many resets at once are one after the other', async () => {
  const server = await startLocal();
  await Promise.all(Array.from({ length: 20 }, () => server.reset()));
  expect(await namesOf(server)).toContain('deploy bot');
});

test('restore goes back to a snapshot, data and clock, as often as one likes', async () => {
  const server = await startLocal({ testing: { frozenAt: '2030-01-01T00:00:00Z' } });
  const kept = await create(server, 'kept');
  server.clock.advance(1_000);
  const snapshot = await server.snapshot();
  for (let round = 0; round < 3; round++) {
    await send(server, `DELETE /api/v1/access-tokens/${kept.token.id}`, { token: kept.plaintext });
    await create(server, 'lost');
    server.clock.set('2040-01-01T00:00:00Z');
    server.clock.unfreeze();
    await server.restore(snapshot);
    expect(await namesOf(server)).toEqual(['deploy bot', 'gone', 'kept', 'old']);
    expect((await send(server, 'GET /api/v1/auth/me', { token: kept.plaintext })).status).toBe(200);
    expect(server.clock.state()).toEqual({ now: '2030-01-01T00:00:01.000Z', frozen: true });
  }
});

test('restore stops a clock that runs at the very instant of the snapshot', async () => {
  let instant = Date.parse('2026-01-01T00:00:00Z');
  const now = () => (instant += 1_000);
  const server = await startLocal({ now, testing: { frozenAt: '2030-01-01T00:00:00Z' } });
  const snapshot = await server.snapshot();
  server.clock.unfreeze();
  await server.restore(snapshot);
  expect(server.clock.state()).toEqual({ now: '2030-01-01T00:00:00.000Z', frozen: true });
});

describe('a rotation', () => {
  const startRotated = async () => {
    const server = await startLocal({ testing: { frozenAt: '2030-01-01T00:00:00Z' } });
    const fresh = await server.snapshot();
    const { plaintext } = await server.client('deploy').rotateCurrentAccessToken();
    const serving = async () => {
      const codes = [];
      for (const token of [plaintextOf(server, 'deploy bot'), plaintext]) {
        codes.push((await server.client('ada@example.org').verifyAccessToken({ body: { token } })).code);
      }
      return codes;
    };
    expect(await serving()).toEqual(['expired', 'valid']);
    return { server, fresh, serving };
  };

  test('is undone by a reset, and done again by a restore', async () => {
    const { server, serving } = await startRotated();
    const rotated = await server.snapshot();
    await server.reset();
    expect(await serving()).toEqual(['valid', 'unknown']);
    await server.restore(rotated);
    expect(await serving()).toEqual(['expired', 'valid']);
  });

  test('is undone by restoring what was before it', async () => {
    const { server, fresh, serving } = await startRotated();
    await server.restore(fresh);
    expect(await serving()).toEqual(['valid', 'unknown']);
  });

  test('has its grace in a snapshot, to the instant', async () => {
    const server = await startLocal({ testing: { frozenAt: '2030-01-01T00:00:00Z' } });
    await server.client('deploy').rotateCurrentAccessToken({ body: { gracePeriodSeconds: 60 } });
    server.clock.advance(59_999);
    const snapshot = await server.snapshot();
    for (let round = 0; round < 2; round++) {
      expect(await server.client('deploy').getMe()).toMatchObject({ user: { email: 'ada@example.org' } });
      server.clock.advance(1);
      await expect(server.client('deploy').getMe()).rejects.toMatchObject({ code: 'unauthorized' });
      await server.restore(snapshot);
    }
  });
});

test('answers that are kept for repetitions go and come with the data', async () => {
  const server = await startLocal();
  const create = async () =>
    (await server.client('deploy').createAccessToken({ body: { name: 'a' }, idempotencyKey: 'job-17' })).plaintext;
  const first = await create();
  expect(await create()).toBe(first);
  const snapshot = await server.snapshot();

  await server.reset();
  const second = await create();
  expect(second).not.toBe(first);
  await server.restore(snapshot);
  expect(await create()).toBe(first);
  await server.seed({ users: [{ email: 'a@b', tokens: [{ name: 't', plaintext: 'deploy' }] }] });
  expect([first, second]).not.toContain(await create());
});

test('a snapshot can be restored into another server', async () => {
  const [first, second] = [await startLocal(), await startLocal()];
  const { plaintext } = await create(first, 'made in the first');
  await second.restore(await first.snapshot());
  expect((await send(second, 'GET /api/v1/auth/me', { token: plaintext })).status).toBe(200);
});

test('reset waits for requests in flight, and lets those that are delayed go on', async () => {
  const server = await startLocal();
  server.faults.add({ operationId: 'createAccessToken', delayMs: 60_000 });
  const token = plaintextOf(server, 'deploy bot');
  const delayed = send(server, 'POST /api/v1/access-tokens', { token, json: { name: 'delayed' } });
  while (server.requests.all().every(({ fault }) => fault === null)) await new Promise((next) => setTimeout(next, 5));
  await server.reset();
  expect((await delayed).status).toBe(201);
  expect(await namesOf(server)).not.toContain('delayed');
});
