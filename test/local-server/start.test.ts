import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { InvalidArgument, startServer, type TestingServerOptions } from '../../server/index.js';
import { send } from '../support/http.js';
import { plaintextOf, startLocal } from '../support/local-server.js';
import { openConnection } from '../support/socket.js';

test('a warm start takes less than 50 ms, and so do a reset and a close', async () => {
  const times = { start: [] as number[], reset: [] as number[], close: [] as number[] };
  const timed = async <T>(of: number[], work: () => Promise<T>): Promise<T> => {
    const from = performance.now();
    const result = await work();
    of.push(performance.now() - from);
    return result;
  };
  for (let round = 0; round < 20; round++) {
    const server = await timed(times.start, () => startServer({ testing: {} }));
    // Leaves a connection open.
    await (await fetch(`${server.url}/healthz`)).text();
    await timed(times.reset, () => server.reset());
    await timed(times.close, () => server.close());
  }
  // The fastest of twenty, because other tests run at the same time.
  expect(Math.min(...times.start)).toBeLessThan(50);
  expect(Math.min(...times.reset)).toBeLessThan(20);
  expect(Math.min(...times.close)).toBeLessThan(60);
});

test('many run in one process, each with data, clock and faults of its own', async () => {
  const servers = await Promise.all(Array.from({ length: 20 }, () => startLocal()));
  expect(new Set(servers.map(({ url }) => url)).size).toBe(20);
  const [first, second] = servers;
  if (first === undefined || second === undefined) throw new Error('none started');
  first.clock.freeze('2040-01-01T00:00:00Z');
  first.faults.add({ operationId: 'getMe', status: 500 });
  const token = plaintextOf(first, 'deploy bot');
  const id = first.users[0]?.tokens[0]?.id ?? '';
  expect((await send(first, `DELETE /api/v1/access-tokens/${id}`, { token })).status).toBe(204);
  expect((await send(second, 'GET /api/v1/auth/me', { token })).status).toBe(200);
  expect(second.clock.state().frozen).toBe(false);
});

test('a process ends by itself after close, whatever was under way', async () => {
  const script = `
    import { startServer } from ${JSON.stringify(join(resolve('dist'), 'server/index.js'))};
    const server = await startServer({ testing: {} });
    const get = (path) => fetch(server.url + path).then((answer) => answer.text(), () => 'cut off');
    await get('/healthz');
    server.faults.add({ delayMs: 60_000 });
    const late = get('/readyz');
    const waiting = server.requests.waitFor(() => false, { timeoutMs: 60_000 }).catch((error) => error.message);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await server.close();
    console.log(await waiting);
    await late;
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    timeout: 10_000,
  });
  expect(stdout.trim()).toBe('the server was closed before a matching request was received');
});

test('close does not wait for connections that are open but idle', async () => {
  const times: number[] = [];
  for (let round = 0; round < 5; round++) {
    const server = await startLocal();
    const { closed } = await openConnection(server.url);
    const from = performance.now();
    await server[Symbol.asyncDispose]();
    times.push(performance.now() - from);
    expect(await closed).toBe('');
  }
  // The service gives late requests 100 ms.
  expect(Math.min(...times)).toBeLessThan(90);
});

describe('a server without testing', () => {
  test.each(['/__testing/clock', '/__testing/reset', '/__testing/', '/__testing/openapi.yaml'])(
    '%s is 404 like any path that is none',
    async (path) => {
      const server = await startServer({ port: 0, database: ':memory:', logLevel: 'silent' });
      try {
        for (const method of ['GET', 'PUT', 'POST', 'DELETE']) {
          const answer = await send(server, `${method} ${path}`);
          expect(answer.status).toBe(404);
          expect(answer.body).toEqual({ detail: 'There is nothing at this path.', code: 'not_found' });
        }
        expect(server).not.toHaveProperty('clock');
      } finally {
        await server.close();
      }
    },
  );
});

test('the operator’s policy is an option here as there, and what is seeded is not held to it', async () => {
  const seed = { users: [{ email: 'a@b', tokens: ['one', 'two'].map((name) => ({ name, plaintext: name })) }] };
  const policy = { defaultLifetimeDays: 7, maxLifetimeDays: 30, requireExpiry: true, maxTokensPerOwner: 3 };
  const server = await startLocal({ brand: 'acme', ...policy, testing: { seed, frozenAt: '2030-01-01T00:00:00Z' } });
  const lk = server.client('one');
  const { plaintext, token } = await lk.createAccessToken({ body: { name: 'three' } });
  expect(plaintext).toMatch(/^acme_pat_/);
  expect(token.expiresAt).toBe('2030-01-08T00:00:00.000Z');
  await expect(lk.createAccessToken({ body: { name: 'four' } })).rejects.toMatchObject({ code: 'token_limit_reached' });
  const path = { token_id: token.id };
  await expect(lk.updateAccessToken({ path, body: { expiresInDays: 31 } })).rejects.toMatchObject({
    code: 'invalid_input',
    problems: [{ field: 'expiresInDays', type: 'less_than_equal' }],
  });
  expect((await server.client('two').getCurrentAccessToken()).expiresAt).toBeNull();
});

test.each<[object, string]>([
  [{ host: '0.0.0.0' }, 'option host must be a loopback address'],
  [{ host: '192.0.2.1' }, 'option host must be a loopback address'],
  [{ host: 'tokens.example.org' }, 'option host must be a loopback address'],
  [{ database: 'latchkey.db' }, 'option database must be :memory:'],
  [{ maxLifetimeDays: 0 }, 'option maxLifetimeDays must be an integer from 1 to 36500'],
  [{ maxLifetimeDays: 7, defaultLifetimeDays: 30 }, 'option defaultLifetimeDays must be'],
  [{ port: 65_536 }, 'option port must be an integer from 0 to 65535'],
  [{ testing: { frozenAt: 'yesterday' } }, 'option testing.frozenAt must be RFC 3339'],
  [{ testing: { frozenAt: '1969-12-31T23:59:59Z' } }, 'in the years 1970 to 6999'],
  [{ testing: { randomSeed: 0.5 } }, 'option testing.randomSeed must be an integer'],
  [{ testing: { seeds: {} } }, 'option testing.seeds is not known; known are seed, frozenAt, randomSeed'],
  [{ testing: false }, 'option testing must be an object, such as {}, or undefined'],
  [{ testing: null }, 'option testing must be an object, such as {}, or undefined'],
])('%j is refused', async (options, message) => {
  const given = { testing: {}, ...options } as TestingServerOptions;
  await expect(startServer(given)).rejects.toThrow(message);
  await expect(startServer(given)).rejects.toThrow(InvalidArgument);
});

describe('the callers', () => {
  const statusOf = async (server: Awaited<ReturnType<typeof startLocal>>, as?: string | null) => {
    const token = await server.connection(as).token();
    const { status, body } = await send(server, 'GET /api/v1/auth/me', token === undefined ? {} : { token });
    return [status, (body as { user?: { email: string } }).user?.email];
  };

  test('are the first user, a user by e-mail, a token by plaintext or shorthand, and nobody', async () => {
    const server = await startLocal();
    expect(await statusOf(server)).toEqual([200, 'ada@example.org']);
    expect(await statusOf(server, 'bob@example.org')).toEqual([200, 'bob@example.org']);
    expect(await statusOf(server, 'bob')).toEqual([200, 'bob@example.org']);
    expect(await statusOf(server, plaintextOf(server, 'deploy bot'))).toEqual([200, 'ada@example.org']);
    expect(await statusOf(server, 'old')).toEqual([401, undefined]);
    expect(await statusOf(server, 'eve')).toEqual([401, undefined]);
    expect(await statusOf(server, null)).toEqual([401, undefined]);
  });

  test('that there are not are refused', async () => {
    const server = await startLocal();
    expect(() => server.connection('nothing')).toThrow('as must be the e-mail of a user');
    await expect(server.connection('nobody@example.org').token()).rejects.toThrow(
      'there is no user nobody@example.org',
    );
  });

  test('have one session, a new one when its time is over and one when the data are reset', async () => {
    const server = await startLocal();
    const { token } = server.connection('bob@example.org');
    const first = await token();
    expect(await token()).toBe(first);
    server.clock.advance(3_600_000);
    const second = await token();
    expect(second).not.toBe(first);
    await server.reset();
    expect(await statusOf(server, 'bob@example.org')).toEqual([200, 'bob@example.org']);
  });

  test('have clients', async () => {
    const server = await startLocal();
    const { user } = await server.client('bob@example.org').getMe();
    expect(user.email).toBe('bob@example.org');
    await expect(server.client(null).getMe()).rejects.toMatchObject({ code: 'unauthorized' });
    await expect(server.client('old').getMe()).rejects.toMatchObject({ code: 'unauthorized' });
  });
});

test('without a seed there is the one user of every start', async () => {
  const server = await startServer({ adminEmail: 'root@example.org', testing: {} });
  try {
    const { firstUser, users } = server;
    expect(firstUser).toMatchObject({ email: 'root@example.org', generated: true });
    expect(users).toEqual([{ id: 1, email: 'root@example.org', password: firstUser?.password, tokens: [] }]);
    const credentials = { username: 'root@example.org', password: firstUser?.password };
    expect((await send(server, 'POST /api/v1/auth/login/', { json: credentials })).status).toBe(200);
  } finally {
    await server.close();
  }
});
