import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createAccessToken, getMe, listAccessTokens } from '../../generated/index.js';
import { ADMIN, latchkey, logInTo, newFolder, serve, serveDatabase, stopServing } from '../support/process.js';
import { answered } from '../support/service.js';

// The start of a service: its configuration, its first user, and the address that it listens on.

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
      eventStreams: 0,
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
    const { stdout, stderr } = await stopServing(first);
    expect(stdout.split(password)).toHaveLength(2);
    expect(stderr).not.toContain(password);

    const second = await serve(env);
    await logInTo(second.url, { email, password });
    expect((await stopServing(second)).stdout).toBe(`latchkey listening on ${second.url}\n`);
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
    await stopServing(await serveDatabase(database));
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
