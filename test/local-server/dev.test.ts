import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { blockBehind } from '../support/documents.js';
import { send } from '../support/http.js';
import { latchkey, newFolder, runUntil, serve } from '../support/process.js';

/** Runs `latchkey dev` on a free port, and resolves when it has printed all that it prints. */
async function dev(args: string[] = []) {
  const started = await runUntil(['dev', '--port', '0', ...args], /__testing\/reset\n|"url":"([^"]*)".*\n/);
  return { ...started, printed: started.output.stdout };
}

describe('latchkey dev', () => {
  test('prints a user, two tokens, and curl lines that work as they stand', async () => {
    const { printed } = await dev();
    const value = (label: string) =>
      [...printed.matchAll(new RegExp(`^${label} +(\\S.*)$`, 'gm'))].map(([, text = '']) => text);
    const [, url = ''] = /^latchkey dev listening on (\S+)$/m.exec(printed) ?? [];
    const [valid = '', expired = ''] = value('token').map((text) => text.split(' ')[0] ?? '');
    expect((await send({ url }, 'GET /api/v1/auth/me', { token: valid })).status).toBe(200);
    expect((await send({ url }, 'GET /api/v1/auth/me', { token: expired })).status).toBe(401);
    const credentials = { username: value('user')[0], password: value('password')[0] };
    expect((await send({ url }, 'POST /api/v1/auth/login/', { json: credentials })).status).toBe(200);

    const lines = printed.split('\n').filter((line) => line.startsWith('  curl '));
    expect(lines.length).toBeGreaterThan(4);
    for (const line of lines) {
      const { stdout } = await promisify(execFile)('bash', [
        '-c',
        `${line} --write-out '%{stderr}%{http_code}' --fail-with-body`,
      ]);
      if (!line.includes('reset')) expect(() => JSON.parse(stdout) as unknown, line).not.toThrow();
    }
  });

  test('prints what the guide says', async () => {
    const { printed } = await dev();
    const [, url = ''] = /^latchkey dev listening on (\S+)$/m.exec(printed) ?? [];
    const shown = blockBehind('dev', 'text');
    expect(shown).toBe(printed.replaceAll(url, 'http://127.0.0.1:8080'));
  });

  test('prints one line of JSON for programs, and ends when standard input is closed', async () => {
    const { printed, child, finished } = await dev(['--json', '--exit-with-stdin']);
    expect(printed.trim().split('\n')).toHaveLength(1);
    const { url, control, pid, users, owners } = JSON.parse(printed) as Record<string, string> & {
      users: { email: string; tokens: { plaintext: string }[] }[];
    };
    expect(owners).toEqual([]);
    expect(pid).toBe(child.pid);
    expect(control).toBe(`${String(url)}/__testing`);
    expect(users[0]?.tokens).toHaveLength(2);
    expect((await send({ url: String(url) }, 'POST /__testing/reset')).status).toBe(204);
    child.stdin?.end();
    expect(await finished).toMatchObject({ code: 0, stderr: '' });
  });

  test('without --exit-with-stdin it stays, until it is told to stop', async () => {
    const { child, finished } = await dev();
    child.stdin?.end();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(child.exitCode).toBeNull();
    child.kill('SIGTERM');
    expect(await finished).toMatchObject({ code: 0 });
  });

  test('suggests a token that is valid, and tells what has become of each', async () => {
    const path = join(await newFolder(), 'seed.json');
    const seed = {
      users: [
        { email: 'gone@example.org', disabled: true, tokens: [{ name: 'a', plaintext: 'a' }] },
        { email: 'old@example.org', tokens: [{ name: 'b', plaintext: 'b', createdAt: '-2d', expiresAt: '-1d' }] },
        {
          email: 'ada@example.org',
          tokens: [
            { name: 'old', plaintext: 'old', createdAt: '-2d', expiresAt: '-1d' },
            { name: 'gone', plaintext: 'gone', createdAt: '-2d', revokedAt: '-1d' },
            { name: 'stopped', plaintext: 'stopped', disabled: true },
            { name: 'ci', plaintext: 'ci', scopes: ['tokens:read'] },
          ],
        },
      ],
    };
    await writeFile(path, JSON.stringify(seed));
    const { printed } = await dev(['--seed', path]);
    expect(printed).toContain('user      ada@example.org\n');
    const states = [...printed.matchAll(/^token +\S+ {2}(.*)$/gm)].map(([, state]) => state);
    expect(states).toEqual(['old, expired', 'gone, revoked', 'stopped, disabled', 'ci, valid']);
    const line = printed.split('\n').find((candidate) => candidate.includes('Bearer')) ?? '';
    const { stdout } = await promisify(execFile)('bash', ['-c', line]);
    // Nothing is left of finding out: no session, and no request on record.
    const { items } = JSON.parse(stdout) as { items: { name: string }[] };
    expect(items.map(({ name }) => name).sort()).toEqual(['ci', 'old', 'stopped']);
    expect(stdout.endsWith('}\n')).toBe(true);
    const [, url = ''] = /^latchkey dev listening on (\S+)$/m.exec(printed) ?? [];
    const { body } = await send({ url }, 'GET /__testing/requests');
    expect((body as { requests: unknown[] }).requests).toHaveLength(1);
  });

  test('takes users and tokens from a file', async () => {
    const path = join(await newFolder(), 'seed.yaml');
    await writeFile(
      path,
      "users:\n  - email: o'hara@example.org\n    password: it's a secret\n    tokens: [{ name: ci, plaintext: ci }]\n",
    );
    const { printed } = await dev(['--seed', path]);
    expect(printed).toContain("user      o'hara@example.org");
    const line = printed.split('\n').find((candidate) => candidate.includes('/login/')) ?? '';
    const { stdout } = await promisify(execFile)('bash', ['-c', line]);
    expect(JSON.parse(stdout)).toMatchObject({ email: "o'hara@example.org" });
  });
});

test('serve --testing is controlled over HTTP, says so, and needs no database file', async () => {
  const path = join(await newFolder(), 'seed.json');
  await writeFile(path, JSON.stringify({ users: [{ email: 'a@b', tokens: [{ name: 't', plaintext: 't' }] }] }));
  const serving = await serve({}, ['--testing', '--seed', path]);
  expect(serving.output.stdout).toContain(`for tests only: controlled over HTTP at ${serving.url}/__testing/`);
  const users = await send(serving, 'GET /__testing/users');
  expect(users.body).toMatchObject({ users: [{ email: 'a@b', tokens: [{ name: 't' }] }] });
});

test('serve without --testing is not', async () => {
  const serving = await serve({ LATCHKEY_DATABASE: ':memory:' });
  expect((await send(serving, 'GET /__testing/users')).status).toBe(404);
});

test.each([
  [['serve', '--testing', '--host', '0.0.0.0'], {}, 'option host must be a loopback address with testing'],
  [['serve', '--testing', '--database', 'latchkey.db'], {}, 'option database must be :memory: with testing'],
  [['serve', '--testing'], { LATCHKEY_DATABASE: 'latchkey.db' }, 'option database must be :memory: with testing'],
  [['serve', '--seed', 'seed.yaml'], {}, '--seed needs --testing'],
  [['dev'], { LATCHKEY_HOST: '0.0.0.0' }, 'option host must be a loopback address with testing'],
  [['dev', '--port', 'eighty'], {}, '--port must be an integer from 0 to 65535'],
  [['dev', '--seed', 'nowhere.yaml'], {}, 'cannot read seed nowhere.yaml: ENOENT'],
])('%j with %j ends with code 2 and says why', async (args, env, message) => {
  const cwd = await newFolder();
  const { code, stdout, stderr } = await latchkey(args, { env, cwd });
  expect(stderr).toBe(`latchkey: ${message}${stderr.slice(`latchkey: ${message}`.length)}`);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(code).toBe(2);
  expect(stdout).toBe('');
});

test('a seed that does not fit ends with code 2 and names file and place', async () => {
  const path = join(await newFolder(), 'seed.yaml');
  await writeFile(path, 'users:\n  - email: a@b\n    tokens: [{ name: t }, { name: u, expiresAt: tomorrow }]\n');
  for (const args of [['dev'], ['serve', '--testing']]) {
    const { code, stderr } = await latchkey([...args, '--seed', path]);
    expect(stderr).toContain(`latchkey: ${path}: users[0].tokens[1].expiresAt must be null, a date-time of RFC 3339`);
    expect(code).toBe(2);
  }
});
