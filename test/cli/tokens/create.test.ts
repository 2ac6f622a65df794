import { execFile } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { IssuedAccessToken } from '../../../client/index.js';
import { ADA, startLoggedIn } from '../../support/command.js';
import { DAY, json, listed, PLAINTEXT, tokenOf } from '../../support/many-tokens.js';
import { newFolder } from '../../support/process.js';

describe('latchkey tokens create', () => {
  test('prints the plaintext on standard output, and beside it what there is to say', async () => {
    const line = await startLoggedIn();
    const { code, stdout, stderr } = await line.run(['tokens', 'create', 'nightly', '--expires-in', '90d']);
    expect(stdout.trimEnd()).toMatch(PLAINTEXT);
    expect(stderr).toMatch(
      /^created nightly \([0-9a-f-]{36}\) with tokens:read, expires in 90 days\nStore it now: it is not shown again\.\n$/,
    );
    expect(stderr).not.toContain(stdout.trim());
    expect(code).toBe(0);
    expect((await line.server.client(stdout.trim()).getCurrentAccessToken()).name).toBe('nightly');
  });

  test('serves a shell: TOKEN=$(latchkey tokens create ci --quiet)', async () => {
    const line = await startLoggedIn();
    const folder = await newFolder();
    const command = join(folder, 'latchkey');
    await writeFile(command, `#!/bin/sh\nexec '${process.execPath}' '${resolve('dist/cli/main.js')}' "$@"\n`);
    await chmod(command, 0o755);
    const script = 'TOKEN=$(latchkey tokens create ci --quiet) && printf "<%s>" "$TOKEN"';
    const env = { ...line.env, PATH: `${folder}:${process.env['PATH'] ?? ''}` };
    const { stdout, stderr } = await promisify(execFile)('sh', ['-euc', script], { env });
    expect(stdout).toMatch(/^<lk_pat_[0-9A-Za-z]{36}>$/);
    expect(stderr).toBe('');
  });

  test('sends what the flags say, and --json prints what the service answers', async () => {
    const line = await startLoggedIn();
    const issued = await json<IssuedAccessToken>(line, [
      ...['tokens', 'create', 'bot', '--description', 'For the bot.', '--expires-in', '2w'],
      ...['--metadata', 'team=platform', '--metadata', 'url=https://x.example/?a=b'],
      ...['--scope', 'deployments:write', '--scope', 'tokens:read'],
    ]);
    expect(issued.token).toMatchObject({
      name: 'bot',
      description: 'For the bot.',
      metadata: { team: 'platform', url: 'https://x.example/?a=b' },
      scopes: ['deployments:write', 'tokens:read'],
    });
    expect(Date.parse(issued.token.expiresAt ?? '') - Date.parse(issued.token.createdAt)).toBe(14 * DAY);
    expect(issued.token).toEqual(await tokenOf(line, issued.token.id));
    const bare = await json<IssuedAccessToken>(line, [
      'tokens',
      'create',
      'bare',
      '--no-scope',
      '--expires-in',
      'never',
    ]);
    expect(bare.token).toMatchObject({ scopes: [], expiresAt: null });
  });

  test.each([
    ['nothing', [], ['tokens:read'], 90],
    ['--scopes all', ['--scopes', 'all'], ['tokens:read', 'tokens:verify', 'tokens:write'], 90],
    ['a list of scopes', ['--scopes', 'b:2,a:1 c'], ['a:1', 'b:2', 'c'], 90],
    ['users:admin by its name', ['--scope', 'users:admin'], ['users:admin'], 90],
    ['--no-scope', ['--no-scope'], [], 90],
    ['a lifetime', ['--expires-in', '3d'], ['tokens:read'], 3],
    ['never', ['--expires-in', 'never'], ['tokens:read'], null],
  ])('without a terminal, with %s, gives the least that was asked for and says so', async (_, flags, scopes, days) => {
    const line = await startLoggedIn();
    const { code, stdout, stderr } = await line.run(['tokens', 'create', 'least', ...flags]);
    expect(code).toBe(0);
    const client = line.server.client(ADA.email);
    const token = (await client.listAccessTokens({ query: { q: 'least' } })).items[0];
    expect(token?.scopes).toEqual(scopes);
    const lifetime = token?.expiresAt && (Date.parse(token.expiresAt) - Date.parse(token.createdAt)) / DAY;
    expect(lifetime).toBe(days);
    const may = scopes.length === 0 ? 'without a scope' : `with ${scopes.join(' ')}`;
    const end = days === null ? 'never' : `in ${String(days)} days`;
    expect(stderr).toBe(
      `created least (${token?.id ?? ''}) ${may}, expires ${end}\nStore it now: it is not shown again.\n`,
    );
    expect(stdout.trimEnd()).toMatch(PLAINTEXT);
  });

  test('--expires-in takes a date, on which the token ends', async () => {
    const line = await startLoggedIn();
    const date = new Date(Date.now() + 40 * DAY).toISOString().slice(0, 10);
    const issued = await json<IssuedAccessToken>(line, ['tokens', 'create', 'dated', '--expires-in', date]);
    expect(issued.token.expiresAt).toMatch(new RegExp(`^${date}T`));
  });

  test('where the service allows less, a lifetime that nobody chose is what it allows; a chosen one is refused', async () => {
    const line = await startLoggedIn({ maxLifetimeDays: 30 });
    const issued = await json<IssuedAccessToken>(line, ['tokens', 'create', 'short']);
    expect(Date.parse(issued.token.expiresAt ?? '') - Date.parse(issued.token.createdAt)).toBe(30 * DAY);
    const refused = await line.run(['tokens', 'create', 'long', '--expires-in', '90d']);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect((await listed(line)).filter(({ name }) => name === 'long')).toEqual([]);
  });

  test('leaves the plaintext in no file', async () => {
    const line = await startLoggedIn();
    const { stdout } = await line.run(['tokens', 'create', 'nightly']);
    expect(await readFile(join(line.folder, 'profiles', 'default.json'), 'utf8')).not.toContain(stdout.trim());
  });

  test('says in one line what the service refuses, and ends with code 1', async () => {
    const line = await startLoggedIn();
    for (const [args, says] of [
      [['x', '--expires-in', '400d'], /^latchkey: Invalid input: expiresInDays: .*365 \(request [\w-]+\)\n$/],
      [['x', '--metadata', 'a b=c'], /^latchkey: Invalid input: metadata.*\(request [\w-]+\)\n$/],
      [[''], /^latchkey: Invalid input: name: .*\(request [\w-]+\)\n$/],
    ] as const) {
      const { code, stdout, stderr } = await line.run(['tokens', 'create', ...args]);
      expect(stderr).toMatch(says);
      expect(code).toBe(1);
      expect(stdout).toBe('');
    }
    expect((await listed(line)).map(({ name }) => name)).not.toContain('x');
  });

  test.each([
    [
      ['x', '--expires-in', 'soon'],
      'It must be days such as 90d, weeks such as 2w, a date such as 2027-12-31, or never.',
    ],
    [['x', '--expires-in', '2020-01-01'], 'It must be a date after today, in UTC.'],
    [['x', '--expires-in', '2099-02-30'], 'It must be an instant such as 2026-12-31'],
    [['x', '--scopes', 'all', '--scope', 'a'], "cannot be used with option '--scope <scope>'"],
    [['x', '--expires-in', '0d'], 'It must be days such as 90d'],
    [['x', '--metadata', 'novalue'], 'It must be name=value.'],
    [[], "missing required argument 'name'"],
    [['a', 'b'], 'too many arguments'],
    [['a', '--shiny'], "unknown option '--shiny'"],
  ])('create %j ends with code 2 and sends nothing', async (args, says) => {
    const line = await startLoggedIn();
    line.server.requests.clear();
    const { code, stdout, stderr } = await line.run(['tokens', 'create', ...args]);
    expect(stderr).toContain(says);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(line.server.requests.all()).toEqual([]);
  });

  test('is done once, though the answer is lost on the way', async () => {
    const line = await startLoggedIn();
    line.server.faults.add({ operationId: 'createAccessToken', drop: 'after-commit' });
    const { code, stdout } = await line.run(['tokens', 'create', 'once', '--quiet']);
    expect(code).toBe(0);
    expect(stdout.trim()).toMatch(PLAINTEXT);
    expect((await listed(line)).filter(({ name }) => name === 'once')).toHaveLength(1);
  });
});
