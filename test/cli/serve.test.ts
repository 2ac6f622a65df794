import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createAccessToken, getAccessToken, getMe, getReadiness, listAccessTokens } from '../../generated/index.js';
import {
  ADMIN,
  clientOf,
  latchkey,
  logInTo,
  logOf,
  newFolder,
  type Serving,
  serve,
  serveDatabase,
} from '../support/process.js';
import { answered, startService } from '../support/service.js';
import { answersIn, openConnection } from '../support/socket.js';

const MEMORY = { LATCHKEY_DATABASE: ':memory:' };

describe('the configuration', () => {
  const wrongVariables = [
    ['LATCHKEY_HOST', 'not a host', 'a host name or an IP address'],
    ['LATCHKEY_PORT', '65536', 'an integer from 0 to 65535'],
    ['LATCHKEY_PORT', '80a', 'an integer from 0 to 65535'],
    ['LATCHKEY_PORT', '-1', 'an integer from 0 to 65535'],
    ['LATCHKEY_PORT', '8080.5', 'an integer from 0 to 65535'],
    ['LATCHKEY_BRAND', 'Not-A-Brand', '1 to 16 lower-case letters and digits, a letter first'],
    ['LATCHKEY_BRAND', '1k', '1 to 16 lower-case letters and digits, a letter first'],
    ['LATCHKEY_SESSION_MINUTES', '0', 'an integer from 1 to 1440'],
    ['LATCHKEY_SESSION_MINUTES', '1441', 'an integer from 1 to 1440'],
    ['LATCHKEY_REFRESH_DAYS', '366', 'an integer from 1 to 365'],
    ['LATCHKEY_REFRESH_DAYS', 'a week', 'an integer from 1 to 365'],
    ['LATCHKEY_PUBLIC_URL', 'tokens.example.org', 'an http or https URL'],
    ['LATCHKEY_PUBLIC_URL', 'ftp://tokens.example.org', 'an http or https URL'],
    ['LATCHKEY_PUBLIC_URL', 'https://tokens.example.org/path', 'without path, query or user'],
    ['LATCHKEY_PUBLIC_URL', 'https://user:secret@tokens.example.org', 'without path, query or user'],
    ['LATCHKEY_TRUST_PROXY', 'yes', '0 to 10'],
    ['LATCHKEY_TRUST_PROXY', '11', '0 to 10'],
    ['LATCHKEY_LOG_LEVEL', 'loud', 'one of trace, debug, info, warn, error, fatal, silent'],
    ['LATCHKEY_ADMIN_EMAIL', 'nobody', 'an e-mail address'],
    ['LATCHKEY_ADMIN_PASSWORD', 'secret', '8 to 1024 characters'],
  ] as const;

  test('a wrong variable ends serve with code 2, its name and what is allowed, but not its value', async () => {
    const folder = await newFolder();
    const database = join(folder, 'latchkey.db');
    const runs = wrongVariables.map(async ([variable, value, allowed]) => {
      const { code, stdout, stderr } = await latchkey(['serve'], {
        env: { LATCHKEY_DATABASE: database, [variable]: value },
      });
      const what = `${variable}=${value}`;
      expect(stderr, what).toMatch(new RegExp(`^latchkey: ${variable} must be `));
      expect(stderr, what).toContain(allowed);
      expect(stderr.trim().split('\n'), what).toHaveLength(1);
      expect(code, what).toBe(2);
      expect(stdout, what).toBe('');
      if (value.includes('secret')) expect(stderr, what).not.toContain('secret');
    });
    await Promise.all(runs);
    expect(existsSync(database)).toBe(false);
  });

  test.each([
    [['--port', 'eighty'], '--port must be an integer from 0 to 65535'],
    [['--host', 'a b'], '--host must be a host name or an IP address'],
    [['--database', ''], "--database must be a file's path, :memory:, or a URL"],
    [['--verbose'], "unknown option '--verbose'"],
    [['--port'], "option '--port <number>' argument missing"],
    [['8080'], 'too many arguments'],
  ])('serve %j ends with code 2 and names the flag', async (flags, message) => {
    const { code, stdout, stderr } = await latchkey(['serve', ...flags]);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
    expect(stdout).toBe('');
  });

  test('an unknown command ends with code 2 and its name', async () => {
    const { code, stderr } = await latchkey(['sevre']);
    expect(stderr).toContain("unknown command 'sevre'");
    expect(code).toBe(2);
  });

  test('a flag counts more than its variable, and an empty variable counts as none', async () => {
    const folder = await newFolder();
    const { url } = await serve(
      {
        LATCHKEY_PORT: 'not looked at',
        LATCHKEY_HOST: '192.0.2.1',
        LATCHKEY_DATABASE: join(folder, 'by-variable.db'),
        LATCHKEY_BRAND: '',
        LATCHKEY_SESSION_MINUTES: '',
      },
      ['--port', '0', '--host', '127.0.0.1', '--database', join(folder, 'by-flag.db')],
    );
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(existsSync(join(folder, 'by-flag.db'))).toBe(true);
    expect(existsSync(join(folder, 'by-variable.db'))).toBe(false);
  });

  test('the database is latchkey.db in the working folder unless something else is said', async () => {
    const folder = await newFolder();
    await serve({}, [], { cwd: folder });
    expect(statSync(join(folder, 'latchkey.db')).isFile()).toBe(true);
  });

  test('LATCHKEY_BRAND is what tokens start with, LATCHKEY_SESSION_MINUTES how long a session lives', async () => {
    const folder = await newFolder();
    const { url } = await serveDatabase(join(folder, 'latchkey.db'), {
      LATCHKEY_BRAND: 'acme7',
      LATCHKEY_SESSION_MINUTES: '7',
    });
    const { client, token } = await logInTo(url);
    expect(token).toMatch(/^acme7_ses_[0-9A-Za-z]{36}$/);
    const { plaintext } = await answered(createAccessToken({ client, body: { name: 'deploy bot' } }));
    expect(plaintext).toMatch(/^acme7_pat_[0-9A-Za-z]{36}$/);
    const { items } = await answered(listAccessTokens({ client, query: { tokenType: 'session' } }));
    const [session] = items;
    const lifetime = Date.parse(session?.expiresAt ?? '') - Date.parse(session?.createdAt ?? '');
    expect(Math.round(lifetime / 1_000)).toBe(7 * 60);
  });
});

describe('the first start', () => {
  const created = /^created user (\S+) with password ([0-9A-Za-z]{24}) \(shown only once\)$/m;

  test('serve says on standard output where it listens once it answers', async () => {
    const serving = await serve(MEMORY);
    expect((await fetch(`${serving.url}/readyz`)).status).toBe(200);
    expect(await (await fetch(`${serving.url}/readyz`)).json()).toEqual({
      status: 'ready',
      eventLoopDelayMs: expect.any(Number) as number,
      lostLogLines: 0,
    });
    expect(serving.output.stdout).toMatch(/^latchkey listening on http:\/\/127\.0\.0\.1:\d+\n$/m);
  });

  test('the generated password is printed at the first start only, and opens a session', async () => {
    const folder = await newFolder();
    const env = { LATCHKEY_DATABASE: join(folder, 'latchkey.db') };
    const first = await serve(env);
    const [, email = '', password = ''] = created.exec(first.output.stdout) ?? [];
    expect(email).toBe('admin@latchkey.local');
    const { client } = await logInTo(first.url, { email, password });
    expect((await answered(getMe({ client }))).user).toMatchObject({ email, isAdmin: true });
    const { stdout, stderr } = await stop(first);
    expect(stdout.split(password)).toHaveLength(2);
    expect(stderr).not.toContain(password);

    const second = await serve(env);
    await logInTo(second.url, { email, password });
    expect((await stop(second)).stdout).toBe(`latchkey listening on ${second.url}\n`);
  });

  test('LATCHKEY_ADMIN_EMAIL and LATCHKEY_ADMIN_PASSWORD make the first user, and print no password', async () => {
    const folder = await newFolder();
    const serving = await serveDatabase(join(folder, 'latchkey.db'));
    const { client } = await logInTo(serving.url, ADMIN);
    expect((await answered(getMe({ client }))).user).toMatchObject({ email: ADMIN.email, isAdmin: true });
    expect(serving.output.stdout).toBe(`latchkey listening on ${serving.url}\n`);
    expect(serving.output.stderr).not.toContain(ADMIN.password);
  });

  test('LATCHKEY_ADMIN_EMAIL without a password gets a generated one', async () => {
    const serving = await serve({ ...MEMORY, LATCHKEY_ADMIN_EMAIL: 'root@example.org' });
    const [, email = '', password = ''] = created.exec(serving.output.stdout) ?? [];
    expect(email).toBe('root@example.org');
    await logInTo(serving.url, { email, password });
  });

  test('LATCHKEY_ADMIN_* change nothing where there is a user already', async () => {
    const folder = await newFolder();
    const database = join(folder, 'latchkey.db');
    await stop(await serveDatabase(database));
    const other = { email: 'other@example.org', password: 'another password' };
    const { url } = await serveDatabase(database, {
      LATCHKEY_ADMIN_EMAIL: other.email,
      LATCHKEY_ADMIN_PASSWORD: other.password,
    });
    await expect(logInTo(url, other)).rejects.toThrow('Wrong e-mail or password.');
    await expect(logInTo(url, { ...ADMIN, password: other.password })).rejects.toThrow('Wrong e-mail or password.');
    await logInTo(url, ADMIN);
  });
});

test('a port that is taken ends serve with code 1 and the address in the message', async () => {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const { port } = holder.address() as { port: number };
  const { code, stdout, stderr } = await latchkey(['serve', '--port', String(port)], { env: MEMORY });
  holder.close();
  expect(stderr).toBe(
    `latchkey: 127.0.0.1:${String(port)} is in use by another process: choose another port with --port or LATCHKEY_PORT\n`,
  );
  expect(code).toBe(1);
  expect(stdout).not.toContain('listening');
});

test('a first start that cannot listen loses no generated password: the next one prints it', async () => {
  const folder = await newFolder();
  const env = { LATCHKEY_DATABASE: join(folder, 'latchkey.db') };
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const { port } = holder.address() as { port: number };
  const failed = await latchkey(['serve', '--port', String(port)], { env });
  holder.close();
  expect(failed).toMatchObject({ code: 1, stdout: '' });
  const { url, output } = await serve(env);
  const [, email = '', password = ''] = /^created user (\S+) with password (\S+) /m.exec(output.stdout) ?? [];
  await logInTo(url, { email, password });
});

describe('the log', () => {
  test('each request is one JSON line on standard error', async () => {
    const folder = await newFolder();
    const serving = await serveDatabase(join(folder, 'latchkey.db'));
    const { client, token } = await logInTo(serving.url);
    const created = await answered(createAccessToken({ client, body: { name: 'deploy bot' } }));
    const headers = { Authorization: `Bearer ${created.plaintext}`, 'X-Request-Id': 'my-own.id_1' };
    await fetch(`${serving.url}/api/v1/access-tokens/${created.token.id}`, { headers });
    await fetch(`${serving.url}/api/v1/access-tokens?limit=7`, { headers: { 'X-API-Key': 'lk_pat_nonsense' } });
    await fetch(`${serving.url}/nowhere?password=hunter2`, { method: 'PUT' });

    const lines = await logOfLength(serving, 5);
    const common = {
      level: 30,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
      ms: expect.any(Number) as number,
      requestId: expect.stringMatching(/^[A-Za-z0-9._-]{1,128}$/) as string,
      msg: 'request',
    };
    expect(lines).toEqual([
      { ...common, method: 'POST', route: '/api/v1/auth/login/', status: 200, callerId: null },
      { ...common, method: 'POST', route: '/api/v1/access-tokens', status: 201, callerId: 1 },
      {
        ...common,
        method: 'GET',
        route: '/api/v1/access-tokens/{token_id}',
        status: 200,
        requestId: 'my-own.id_1',
        callerId: 1,
      },
      {
        ...common,
        method: 'GET',
        route: '/api/v1/access-tokens',
        status: 401,
        callerId: null,
        code: 'unauthorized',
        reason: 'malformed',
      },
      { ...common, method: 'PUT', route: null, status: 404, callerId: null, code: 'not_found' },
    ]);
    for (const secret of [token, created.plaintext, ADMIN.password, 'nonsense', 'hunter2', 'limit=7']) {
      expect(serving.output.stderr).not.toContain(secret);
    }
    expect(serving.output.stdout).toBe(`latchkey listening on ${serving.url}\n`);
  });

  test('the request id of the log is the one of the answer', async () => {
    const serving = await serve(MEMORY);
    const { headers } = await fetch(`${serving.url}/healthz`, { headers: { 'X-Request-Id': 'no good id' } });
    const [line] = await logOfLength(serving, 1);
    expect(headers.get('X-Request-Id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(line?.['requestId']).toBe(headers.get('X-Request-Id'));
  });

  test.each([
    ['silent', 0],
    ['warn', 0],
    ['info', 2],
  ])('LATCHKEY_LOG_LEVEL=%s writes %i lines for a good request', async (level, count) => {
    const serving = await serve({ ...MEMORY, LATCHKEY_LOG_LEVEL: level });
    expect((await fetch(`${serving.url}/healthz`)).status).toBe(200);
    const { stderr } = await stop(serving);
    // One for the request here and one for the request of `stop`.
    expect(logOf({ output: { stdout: '', stderr } })).toHaveLength(count);
  });
});

describe.each(['SIGTERM', 'SIGINT'] as const)('%s', (signal) => {
  test('what is in flight is answered, idle and half-open connections hold nothing up, and the WAL is gone', async () => {
    const folder = await newFolder();
    const database = join(folder, 'latchkey.db');
    const serving = await serveDatabase(database);
    const { token } = await logInTo(serving.url);

    const silent = await Promise.all(Array.from({ length: 20 }, () => openConnection(serving.url)));
    const halfHeaders = await Promise.all(Array.from({ length: 10 }, () => openConnection(serving.url)));
    for (const connection of halfHeaders) connection.write('GET /healthz HTTP/1.1\r\nHost: here\r\nX-Un');
    const keptAlive = await Promise.all(Array.from({ length: 10 }, () => openConnection(serving.url)));
    for (const connection of keptAlive) connection.write('GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n');
    await Promise.all(keptAlive.map((connection) => connection.until('{"status":"ok"}')));

    const body = JSON.stringify({ name: 'made while stopping' });
    const create = post('/api/v1/access-tokens', body, `Authorization: Bearer ${token}`);
    const creates = await Promise.all(Array.from({ length: 5 }, () => openConnection(serving.url)));
    for (const connection of creates) connection.write(create.slice(0, -10));
    const logIn = post('/api/v1/auth/login/', JSON.stringify({ username: ADMIN.email, password: ADMIN.password }));
    const logins = await Promise.all(Array.from({ length: 20 }, () => openConnection(serving.url)));
    for (const connection of logins) connection.write(logIn);
    await sleep(100);

    const start = performance.now();
    serving.child.kill(signal);
    await Promise.all([...silent, ...halfHeaders, ...keptAlive].map((connection) => connection.closed));
    for (const connection of creates) connection.write(create.slice(-10));
    const answers = (await Promise.all(creates.map((connection) => connection.closed))).flatMap(answersIn);
    expect(answers.map(({ status }) => status)).toEqual(Array<number>(5).fill(201));
    const opened = (await Promise.all(logins.map((connection) => connection.closed))).flatMap(answersIn);
    expect(opened.map(({ status }) => status)).toEqual(Array<number>(20).fill(200));
    const { code, stdout } = await serving.finished;
    expect(performance.now() - start).toBeLessThan(5_000);
    expect(code).toBe(0);
    const said = 'latchkey is stopping; press Ctrl-C again to stop at once\n';
    expect(stdout.endsWith(said)).toBe(signal === 'SIGINT');
    expect(sizeOf(`${database}-wal`)).toBe(0);

    const again = await serveDatabase(database);
    const made = answers.map((answer) => JSON.parse(answer.body) as { plaintext: string; token: { id: string } });
    for (const { plaintext, token } of made) {
      const found = await answered(
        getAccessToken({ client: clientOf(again.url, plaintext), path: { token_id: token.id } }),
      );
      expect(found.name).toBe('made while stopping');
    }
  });

  test('a second signal ends the process at once', async () => {
    const serving = await serve(MEMORY);
    await startEndlessRequest(serving.url);
    serving.child.kill(signal);
    await sleep(500);
    expect(serving.child.exitCode).toBeNull();
    const start = performance.now();
    serving.child.kill(signal);
    const { code } = await serving.finished;
    expect(performance.now() - start).toBeLessThan(1_000);
    expect(code).toBe(1);
  });
});

test('a stopping service accepts nothing new and waits 10 seconds at most for a request that never ends', async () => {
  const folder = await newFolder();
  const database = join(folder, 'latchkey.db');
  const serving = await serveDatabase(database);
  await startEndlessRequest(serving.url);
  const start = performance.now();
  serving.child.kill('SIGTERM');
  await sleep(500);
  await expect(openConnection(serving.url)).rejects.toThrow('ECONNREFUSED');
  expect(serving.child.exitCode).toBeNull();
  const { code } = await serving.finished;
  const took = performance.now() - start;
  expect(code).toBe(0);
  expect(took).toBeGreaterThan(5_000);
  expect(took).toBeLessThan(10_000);
  expect(sizeOf(`${database}-wal`)).toBe(0);
});

test('readiness is 503 with Retry-After while the service stops', async () => {
  const service = await startService();
  const connection = await openConnection(service.url);
  connection.write('GET /readyz HTTP/1.1\r\nHost: here\r\n\r\n');
  expect(answersIn(await connection.until('"status":"ready"'))[0]?.status).toBe(200);
  const stopped = service.stop();
  const { error, response } = await getReadiness({ client: service.anonymous });
  expect(response.status).toBe(503);
  expect(response.headers.get('Retry-After')).toBe('1');
  expect(error).toMatchObject({ code: 'service_unavailable' });
  await stopped;
});

function post(path: string, body: string, header = 'Accept: application/json'): string {
  return (
    `POST ${path} HTTP/1.1\r\nHost: here\r\n${header}\r\nContent-Type: application/json\r\n` +
    `Content-Length: ${String(body.length)}\r\n\r\n${body}`
  );
}

async function stop(serving: Serving) {
  await fetch(`${serving.url}/openapi.json`);
  serving.child.kill('SIGTERM');
  const finished = await serving.finished;
  expect(finished.code).toBe(0);
  return finished;
}

/** A request whose headers have arrived and whose body never will. */
async function startEndlessRequest(url: string): Promise<void> {
  const connection = await openConnection(url);
  connection.write(
    'POST /api/v1/auth/login/ HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{',
  );
  await sleep(100);
}

/** The log once it has `count` lines: a line may come a moment later than the answer that it is about. */
async function logOfLength(serving: Serving, count: number): Promise<Record<string, unknown>[]> {
  await expect.poll(() => logOf(serving).length).toBeGreaterThanOrEqual(count);
  return logOf(serving);
}

/** Bytes; 0 where there is no such file. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
