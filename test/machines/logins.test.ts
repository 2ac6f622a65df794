import { describe, expect, test } from 'vitest';
import { createUser, logIn } from '../../generated/index.js';
import { createCountingDatabase } from '../support/counting-database.js';
import { createFaultyDatabase } from '../support/faulty-database.js';
import { ADMIN, answered, MINUTE, type Service, startService } from '../support/service.js';
import { change, rowsOf } from '../support/store.js';

// Two servers on one database, with one clock, as on two machines.

async function startTwo(): Promise<[Service, Service]> {
  const first = await startService();
  const second = await startService({ database: first.database, now: first.clock.now });
  return [first, second];
}

async function attempt(service: Service, username: string, password: string) {
  const { response } = await logIn({ client: service.anonymous, body: { username, password } });
  return { status: response.status, retryAfter: response.headers.get('Retry-After') };
}

const fail = (service: Service, username = ADMIN.email) => attempt(service, username, 'a wrong password');
const succeed = (service: Service) => attempt(service, ADMIN.email, ADMIN.password);

describe('failed logins on two servers', () => {
  test('are limited as on one, until a quarter of an hour after the first', async () => {
    const [first, second] = await startTwo();
    const other = await first.newUser();
    for (let failure = 0; failure < 10; failure++) {
      const service = failure % 2 === 0 ? first : second;
      expect(await fail(service)).toEqual({ status: 401, retryAfter: null });
      first.clock.advance(MINUTE);
    }
    for (const service of [second, first]) {
      expect(await fail(service)).toEqual({ status: 429, retryAfter: '300' });
      expect(await succeed(service)).toEqual({ status: 429, retryAfter: '300' });
      expect((await attempt(service, other.email, other.password)).status).toBe(200);
    }
    first.clock.advance(5 * MINUTE - 1);
    expect(await succeed(second)).toEqual({ status: 429, retryAfter: '1' });
    first.clock.advance(1);
    for (const service of [second, first]) expect((await succeed(service)).status).toBe(200);
  });

  test('are forgotten by the login that one of them lets in', async () => {
    const [first, second] = await startTwo();
    for (let failure = 0; failure < 9; failure++) expect((await fail(first)).status).toBe(401);
    expect((await succeed(second)).status).toBe(200);
    for (let failure = 0; failure < 10; failure++) expect((await fail(first)).status).toBe(401);
    expect((await succeed(second)).status).toBe(429);
  });

  test('that arrive together are ten, and the rest is not tried', async () => {
    const servers = await startTwo();
    const attempts = servers.flatMap((service) => Array.from({ length: 12 }, () => fail(service)));
    const statuses = (await Promise.all(attempts)).map(({ status }) => status);
    expect(statuses.sort()).toEqual([...Array<number>(10).fill(401), ...Array<number>(14).fill(429)]);
  });

  test('outlast a restart', async () => {
    const service = await startService();
    for (let failure = 0; failure < 10; failure++) await fail(service);
    await service.restart();
    expect((await succeed(service)).status).toBe(429);
  });

  test('close a network after a hundred, but not for a user who has logged in from there, on whichever server', async () => {
    const [first, second] = await startTwo();
    const { client } = await first.admin();
    const stranger = { email: 'stranger@example.org', password: 'a right password' };
    await answered(createUser({ client, body: { ...stranger, fullName: '' } }));
    await fail(first, 'a@example.org');
    await fail(second, 'b@example.org');
    // Only the network has two.
    await change(first, 'update login_attempts set failed = 99 where failed = 2');
    expect((await fail(second, 'c@example.org')).status).toBe(401);
    for (const service of [first, second]) {
      expect(await fail(service, 'd@example.org')).toEqual({ status: 429, retryAfter: '900' });
      expect((await attempt(service, stranger.email, stranger.password)).status).toBe(429);
      expect((await succeed(service)).status).toBe(200);
    }
  });
});

test('right logins that arrive together on two servers are all let in', async () => {
  const servers = await startTwo();
  const attempts = servers.flatMap((service) => Array.from({ length: 12 }, () => succeed(service)));
  expect((await Promise.all(attempts)).map(({ status }) => status)).toEqual(Array<number>(24).fill(200));
});

test('attempts whose server was killed count as failures', async () => {
  const [first, second] = await startTwo();
  await fail(first);
  await change(first, 'update login_attempts set under_way = 9');
  expect((await succeed(second)).status).toBe(429);
  expect((await succeed(first)).status).toBe(429);
});

test('a flood of logins writes nothing once there were too many failures', async () => {
  const counting = createCountingDatabase();
  const service = await startService({ openDatabase: (database) => counting.open(database) });
  for (let failure = 0; failure < 11; failure++) await fail(service);
  // Linking an event takes a transaction, a moment later.
  const unlinked = async () => await rowsOf(service, 'select id from audit_events where seq is null');
  await expect.poll(unlinked).toEqual([]);
  const before = { queries: counting.queries(), transactions: counting.transactions() };
  const statuses = await Promise.all(Array.from({ length: 50 }, () => fail(service)));
  expect(new Set(statuses.map(({ status }) => status))).toEqual(new Set([429]));
  expect({ queries: counting.queries(), transactions: counting.transactions() }).toEqual(before);
});

test('what cannot be counted is neither let in nor told from a wrong password', async () => {
  const faulty = createFaultyDatabase();
  const service = await startService({ openDatabase: (database) => faulty.open(database) });
  for (const login of [fail, succeed]) {
    // The user is found, and nothing can be written.
    faulty.set('storage', 1);
    expect(await login(service)).toEqual({ status: 503, retryAfter: '1' });
  }
  faulty.set('none');
  expect((await succeed(service)).status).toBe(200);
});
