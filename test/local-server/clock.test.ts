import { expect, test } from 'vitest';
import { InvalidArgument } from '../../server/index.js';
import { send } from '../support/http.js';
import { plaintextOf, SEED, startLocal } from '../support/local-server.js';

const DAY = 86_400_000;

test('a token expires the moment that the clock is moved there, and not before', async () => {
  const server = await startLocal({ testing: { frozenAt: '2030-01-01T00:00:00Z' } });
  const token = plaintextOf(server, 'deploy bot');
  const json = { name: 'a day', expiresInDays: 1 };
  const created = await send(server, 'POST /api/v1/access-tokens', { token, json });
  const { plaintext, token: shown } = created.body as { plaintext: string; token: Record<string, string> };
  expect(shown).toMatchObject({ createdAt: '2030-01-01T00:00:00.000Z', expiresAt: '2030-01-02T00:00:00.000Z' });

  const statusNow = async () => (await send(server, 'GET /api/v1/auth/me', { token: plaintext })).status;
  server.clock.advance(DAY - 1);
  expect(await statusNow()).toBe(200);
  server.clock.advance(1);
  expect(await statusNow()).toBe(401);
  server.clock.set('2030-01-01T12:00:00+01:00');
  expect(await statusNow()).toBe(200);
});

test('answers are dated by the clock', async () => {
  const server = await startLocal({ testing: { frozenAt: '2030-01-01T00:00:00Z' } });
  const dateOf = async (line: `${string} ${string}`) => (await send(server, line)).headers.date;
  expect(await dateOf('GET /healthz')).toBe('Tue, 01 Jan 2030 00:00:00 GMT');
  server.clock.advance(DAY);
  expect(await dateOf('GET /nowhere')).toBe('Wed, 02 Jan 2030 00:00:00 GMT');
});

test('freeze stops the clock, unfreeze lets it run on from there', async () => {
  const { clock } = await startLocal();
  const before = Date.now();
  expect(clock.now()).toBeGreaterThanOrEqual(before);
  clock.freeze();
  const stood = clock.now();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(clock.now()).toBe(stood);
  expect(clock.state()).toEqual({ now: new Date(stood).toISOString(), frozen: true });

  clock.freeze(new Date('2040-01-01T00:00:00Z'));
  clock.unfreeze();
  await new Promise((resolve) => setTimeout(resolve, 20));
  const ran = clock.now() - Date.parse('2040-01-01T00:00:00Z');
  expect(ran).toBeGreaterThanOrEqual(15);
  expect(ran).toBeLessThan(10_000);
});

test('a clock that runs can be set and advanced, and runs on', async () => {
  const { clock } = await startLocal();
  clock.set(Date.parse('2050-06-01T00:00:00Z'));
  clock.advance(DAY);
  const from = clock.now();
  expect(from - Date.parse('2050-06-02T00:00:00Z')).toBeLessThan(10_000);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(clock.now()).toBeGreaterThan(from);
  expect(clock.state().frozen).toBe(false);
});

test('log-in failures are forgotten when the clock has passed their time', async () => {
  const server = await startLocal();
  server.clock.freeze();
  const logIn = (password: string) =>
    send(server, 'POST /api/v1/auth/login/', { json: { username: 'ada@example.org', password } });
  for (let failure = 0; failure < 10; failure++) expect((await logIn('wrong horse')).status).toBe(401);
  expect((await logIn('correct horse')).status).toBe(429);
  server.clock.advance(15 * 60_000);
  expect((await logIn('correct horse')).status).toBe(200);
});

test('lastUsedAt is the moment of the request, at once', async () => {
  const server = await startLocal({ testing: { frozenAt: '2030-01-01T00:00:00Z' } });
  const [user] = server.users;
  const token = plaintextOf(server, 'deploy bot');
  const lastUsedAt = async () => {
    await send(server, 'GET /api/v1/auth/me', { token });
    const list = await send(server, 'GET /api/v1/access-tokens', { token: plaintextOf(server, 'deploy bot') });
    const { items } = list.body as { items: { id: string; lastUsedAt: string }[] };
    return items.find(({ id }) => id === user?.tokens[0]?.id)?.lastUsedAt;
  };
  expect(await lastUsedAt()).toBe('2030-01-01T00:00:00.000Z');
  server.clock.advance(1_000);
  expect(await lastUsedAt()).toBe('2030-01-01T00:00:01.000Z');
});

test('the last instant of the clock gives a lifetime that can still be stated', async () => {
  const server = await startLocal({ testing: { seed: SEED, frozenAt: '6999-12-31T23:59:59.999Z' } });
  const answer = await send(server, 'POST /api/v1/access-tokens', {
    token: plaintextOf(server, 'deploy bot'),
    json: { name: 'late', expiresInDays: 365 },
  });
  expect(answer.body).toMatchObject({ token: { expiresAt: '7000-12-31T23:59:59.999Z' } });
});

test.each([
  ['set', 'yesterday'],
  ['set', '2030-01-01T00:00:00'],
  ['set', '1969-12-31T23:59:59Z'],
  ['set', '7000-01-01T00:00:00Z'],
  ['set', Number.NaN],
  ['set', 1.5],
  ['freeze', new Date('nonsense')],
  ['advance', -1],
  ['advance', 0.5],
  ['advance', Number.MAX_SAFE_INTEGER],
] as const)('%s(%s) is refused and moves nothing', async (method, value) => {
  const { clock } = await startLocal({ testing: { frozenAt: '2030-01-01T00:00:00Z' } });
  expect(() => {
    (clock[method] as (value: unknown) => void)(value);
  }).toThrow(InvalidArgument);
  expect(clock.state()).toEqual({ now: '2030-01-01T00:00:00.000Z', frozen: true });
});
