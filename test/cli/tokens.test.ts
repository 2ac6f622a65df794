import { execFile } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { AccessToken, BulkRevoked, IssuedAccessToken, Verification } from '../../client/index.js';
import { ADA, type CommandLine, startLoggedIn } from '../support/command.js';
import { plaintextOf, SEED } from '../support/local-server.js';
import { newFolder } from '../support/process.js';

const PLAINTEXT = /^lk_pat_[0-9A-Za-z]{36}$/;
const DAY = 86_400_000;

/** Several of one name, one that has been rotated, and names that would drive a terminal if they could. */
const MANY = {
  users: [
    {
      ...SEED.users[0],
      email: ADA.email,
      tokens: [
        { id: '01a20000-0000-7000-8000-00000000000a', name: 'ci', plaintext: 'ci1', createdAt: '-3d', scopes: ['x:1'] },
        {
          id: '01a20000-0000-7000-8000-00000000000b',
          name: 'ci',
          plaintext: 'ci2',
          createdAt: '-2d',
          revokedAt: '-1d',
        },
        {
          id: '01a21111-0000-7000-8000-00000000000c',
          name: 'twin',
          plaintext: 'twin1',
          createdAt: '-20d',
          expiresAt: '+3d',
        },
        {
          id: '01a22222-0000-7000-8000-00000000000d',
          name: 'twin',
          plaintext: 'twin2',
          createdAt: '-10d',
          disabled: true,
        },
        {
          id: '01a23333-0000-7000-8000-00000000000e',
          name: 'old',
          plaintext: 'old',
          createdAt: '-90d',
          expiresAt: '-5d',
        },
      ],
    },
    { email: 'bob@example.org', tokens: [{ name: "bob's", plaintext: 'bob', createdAt: '-1d' }] },
  ],
};

function startMany(): Promise<CommandLine> {
  return startLoggedIn({ testing: { seed: MANY } });
}

async function json<T>(line: CommandLine, args: string[]): Promise<T> {
  const { code, stdout, stderr } = await line.run([...args, '--json']);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout) as T;
}

/** The cells of lines of tabs. */
function rowsOf(stdout: string): string[][] {
  return stdout === ''
    ? []
    : stdout
        .trimEnd()
        .split('\n')
        .map((row) => row.split('\t'));
}

/** As the service shows it to her. */
async function tokenOf({ server }: CommandLine, id: string): Promise<AccessToken> {
  return await server.client(ADA.email).getAccessToken({ path: { token_id: id } });
}

async function listed({ server }: CommandLine): Promise<AccessToken[]> {
  return (await server.client(ADA.email).listAccessTokens({ query: { includeRevoked: true, tokenType: 'pat' } })).items;
}

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

describe('latchkey tokens list', () => {
  test('without a terminal is lines of tabs, exact, without titles and colours', async () => {
    const line = await startMany();
    const { code, stdout, stderr } = await line.run(['tokens', 'list']);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const states = ['active', 'disabled', 'expiring', 'expired'];
    const tokens = (await listed(line)).filter(({ revokedAt }) => revokedAt === null);
    expect(rowsOf(stdout)).toEqual(
      tokens.map(({ id, name, tokenPrefix, tokenType, expiresAt, createdAt, scopes }, index) => [
        ...[id, name, tokenPrefix, tokenType, states[index]],
        ...[expiresAt ?? 'never', 'never', createdAt, scopes.join(' ')],
      ]),
    );
  });

  test('is `tokens ls` too, as `tokens rm` is to revoke', async () => {
    const line = await startMany();
    expect((await line.run(['tokens', 'ls'])).stdout).toBe((await line.run(['tokens', 'list'])).stdout);
    expect(await line.run(['tokens', 'rm', 'old'])).toMatchObject({
      code: 0,
      stdout: 'lk_pat_old00  old\nrevoked 1 token\n',
    });
  });

  test('--json is what the service answers, and has no secret', async () => {
    const line = await startMany();
    const { stdout } = await line.run(['tokens', 'list', '--all', '--json']);
    expect(JSON.parse(stdout)).toEqual(await listed(line));
    expect(stdout).not.toMatch(/lk_(pat|ses|ref)_\w{20}/);
  });

  test.each([
    [['--all'], 'ci ci twin twin old'],
    [['--state', 'revoked'], 'ci'],
    [['--state', 'expiring'], 'twin'],
    [['--search', 'TWI'], 'twin twin'],
    [['--scope', 'x:1'], 'ci'],
    [['--sort', 'name'], 'ci old twin twin'],
    [['--limit', '2'], 'ci twin'],
    [['--created-before', '-15d'], 'twin old'],
    [['--created-after', '-15d', '--created-before', '-5d'], 'twin'],
    [['--expires-before', '+7d', '--expires-after', '+1d'], 'twin'],
    [['--never-used', '--state', 'active'], 'ci twin'],
    [['--last-used-after', '-1h'], ''],
    [['--owner', 'bob@example.org'], "bob's"],
    [['--type', 'session'], 'session'],
    [['--type', 'all'], 'session ci twin twin old'],
  ])('%j keeps %s', async (flags, names) => {
    const line = await startMany();
    const { code, stdout } = await line.run(['tokens', 'list', ...flags]);
    expect(code).toBe(0);
    expect(
      rowsOf(stdout)
        .map(([, name]) => name)
        .join(' '),
    ).toBe(names);
  });

  test('reads to the end of a long list, page by page, and no further than --limit', async () => {
    const tokens = Array.from({ length: 450 }, (_, index) => ({ name: `t${String(index)}` }));
    const line = await startLoggedIn({
      testing: { seed: { users: [{ ...MANY.users[0], email: ADA.email, tokens }] } },
    });
    expect((await line.run(['tokens', 'list'])).stdout.trimEnd().split('\n')).toHaveLength(450);
    line.server.requests.clear();
    expect((await line.run(['tokens', 'list', '--limit', '7'])).stdout.trimEnd().split('\n')).toHaveLength(7);
    expect(line.server.requests.all()).toHaveLength(1);
  });

  test.each([
    [['--state', 'sleeping'], 'Allowed choices are active, expiring, expired, revoked, disabled.'],
    [['--sort', 'colour'], 'Allowed choices are createdAt'],
    [['--created-after', 'yesterday'], 'It must be an instant such as 2026-12-31'],
    [['--created-after', '2026-02-30'], 'It must be an instant such as 2026-12-31'],
    [['--created-after', '2026-12-31T12:00:00'], 'It must be an instant such as 2026-12-31'],
    [['--limit', '0'], 'It must be an integer of 1 or more.'],
  ])('%j ends with code 2', async (flags, says) => {
    const line = await startMany();
    const { code, stderr } = await line.run(['tokens', 'list', ...flags]);
    expect(stderr).toContain(says);
    expect(code).toBe(2);
  });

  test('of another owner is for administrators', async () => {
    const line = await startMany();
    const env = { LATCHKEY_URL: line.server.url, LATCHKEY_TOKEN: plaintextOf(line.server, "bob's") };
    const { code, stderr } = await line.run(['tokens', 'list', '--owner', '1'], { env });
    expect(stderr).toMatch(/^latchkey: The token lacks a scope: users:admin \(request [\w-]+\)\n$/);
    expect(code).toBe(1);
    const nobody = await line.run(['tokens', 'list', '--owner', 'carol@example.org']);
    expect(nobody.stderr).toBe('latchkey: there is no user carol@example.org\n');
    expect(nobody.code).toBe(1);
  });
});

describe('a token on the command line', () => {
  test.each([
    ['its id', '01a21111-0000-7000-8000-00000000000c', '0c'],
    ['its id in capitals', '01A21111-0000-7000-8000-00000000000C', '0c'],
    ['the start of its id', '01a22', '0d'],
    ['what it begins with', 'lk_pat_twin2', '0d'],
    ['its name', 'old', '0e'],
    ['the name of one that lives, and of one that is revoked', 'ci', '0a'],
  ])('is found by %s', async (_, selector, end) => {
    const line = await startMany();
    expect((await json<AccessToken>(line, ['tokens', 'show', selector])).id.slice(-2)).toBe(end);
  });

  test('is found by what it began with before it was rotated', async () => {
    const line = await startMany();
    await line.run(['tokens', 'rotate', 'old', '--grace', '1h']);
    expect((await json<AccessToken>(line, ['tokens', 'show', 'lk_pat_old00'])).name).toBe('old');
  });

  test('"current" is the one in use', async () => {
    const line = await startMany();
    expect((await json<AccessToken>(line, ['tokens', 'show', 'current'])).id).toBe((await line.profile())['tokenId']);
  });

  test('that may be several ends with code 1 and the candidates, and nothing happens', async () => {
    const line = await startMany();
    const { code, stdout, stderr } = await line.run(['tokens', 'rotate', 'twin']);
    expect(stderr).toBe(
      [
        'latchkey: "twin" matches 2 tokens; use an id:',
        '  01a22222-0000-7000-8000-00000000000d  lk_pat_twin2  disabled  twin',
        '  01a21111-0000-7000-8000-00000000000c  lk_pat_twin1  expiring  twin',
        '',
      ].join('\n'),
    );
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect((await tokenOf(line, '01a21111-0000-7000-8000-00000000000c')).previousSecret).toBeNull();
  });

  test.each([
    ['nobody', 'latchkey: there is no token with the id, prefix or name "nobody"\n'],
    ['', 'latchkey: there is no token with the id, prefix or name ""\n'],
    ["bob's", `latchkey: there is no token with the id, prefix or name "bob's"\n`],
    ['\u001b[31m', 'latchkey: there is no token with the id, prefix or name "\\u001b[31m"\n'],
  ])('that is %j ends with code 1', async (selector, says) => {
    const line = await startMany();
    const { code, stdout, stderr } = await line.run(['tokens', 'show', selector]);
    expect(stderr).toBe(says);
    expect(code).toBe(1);
    expect(stdout).toBe('');
  });

  test("an id of nobody's, or of another owner, is not found", async () => {
    const line = await startMany();
    const { code, stderr } = await line.run(['tokens', 'show', '01a21111-0000-7000-8000-0000000000ff']);
    expect(stderr).toMatch(/^latchkey: No such token \(request [\w-]+\)\n$/);
    expect(code).toBe(1);
  });

  test('in plaintext is refused before anything is sent, and not repeated', async () => {
    const line = await startMany();
    const plaintext = plaintextOf(line.server, 'old');
    line.server.requests.clear();
    for (const args of [
      ['tokens', 'show', plaintext],
      ['tokens', 'verify', plaintext],
      ['tokens', 'create', 'x', `--description=${plaintext}`],
      ['login', '--token-stdin', plaintext],
      [plaintext],
    ]) {
      const { code, stdout, stderr } = await line.run(args);
      expect(stderr).toMatch(/^latchkey: do not pass a token on the command line, .*\n$/);
      expect(stderr).not.toContain(plaintext);
      expect(code).toBe(2);
      expect(stdout).toBe('');
    }
    expect(line.server.requests.all()).toEqual([]);
  });
});

test('tokens show says all there is, member by member', async () => {
  const line = await startMany();
  await line.run(['tokens', 'edit', 'old', '--description', 'two\nlines', '--metadata', 'team=platform']);
  const { stdout } = await line.run(['tokens', 'show', 'old']);
  const token = await tokenOf(line, '01a23333-0000-7000-8000-00000000000e');
  expect(rowsOf(stdout)).toEqual([
    ['name', 'old'],
    ['id', token.id],
    ['prefix', 'lk_pat_old00'],
    ['type', 'pat'],
    ['state', 'expired'],
    ['scopes', token.scopes.join(' ')],
    ['description', 'two\\u{a}lines'],
    ['metadata team', 'platform'],
    ['expires', token.expiresAt],
    ['last used', 'never'],
    ['created', token.createdAt],
  ]);
});

describe('latchkey tokens rotate', () => {
  test('prints the new plaintext alone; with --grace the earlier one serves for so long', async () => {
    const line = await startMany();
    const earlier = plaintextOf(line.server, 'ci');
    const { code, stdout, stderr } = await line.run(['tokens', 'rotate', 'ci', '--grace', '24h']);
    expect(code).toBe(0);
    expect(stdout.trimEnd()).toMatch(PLAINTEXT);
    expect(stderr).toMatch(
      /^rotated ci \(\S+\); the earlier secret ends in 24 hours\nStore it now: it is not shown again\.\n$/,
    );
    for (const plaintext of [earlier, stdout.trim()]) {
      expect((await line.server.client(plaintext).getCurrentAccessToken()).name).toBe('ci');
    }
    const again = await line.run(['tokens', 'rotate', 'ci', '--expires-in', '30d', '--quiet']);
    expect(again.stderr).toBe('');
    await expect(line.server.client(earlier).getMe()).rejects.toMatchObject({ code: 'unauthorized' });
  });

  test('of the token in use keeps the profile working', async () => {
    const line = await startMany();
    const earlier = await line.profile();
    const { code, stdout } = await line.run(['tokens', 'rotate', 'current', '--quiet']);
    expect(code).toBe(0);
    expect(await line.profile()).toEqual({ ...earlier, token: stdout.trim() });
    expect((await line.run(['whoami'])).code).toBe(0);
  });
});

describe('latchkey tokens edit', () => {
  const id = '01a20000-0000-7000-8000-00000000000a';

  test('changes what the flags say and nothing else', async () => {
    const line = await startMany();
    await line.run(['tokens', 'edit', 'ci', '--metadata', 'a=1', '--metadata', 'b=2']);
    const before = await tokenOf(line, id);
    const edited = await json<AccessToken>(line, [
      ...[
        'tokens',
        'edit',
        'ci',
        '--name',
        'ci of main',
        '--metadata',
        'b=3',
        '--metadata',
        'c=4',
        '--unset-metadata',
        'a',
      ],
    ]);
    expect(edited).toEqual({ ...before, name: 'ci of main', metadata: { b: '3', c: '4' } });
    expect(edited).toEqual(await tokenOf(line, id));
  });

  test.each([
    [['--description', 'What for.'], { description: 'What for.' }],
    [['--scope', 'y:1', '--scope', 'z:1'], { scopes: ['y:1', 'z:1'] }],
    [['--no-scope'], { scopes: [] }],
    [['--disable'], { disabled: true }],
    [['--expires-in', 'never'], { expiresAt: null }],
  ])('%j', async (flags, expected) => {
    const line = await startMany();
    const before = await tokenOf(line, id);
    expect(await json(line, ['tokens', 'edit', id, ...flags])).toEqual({ ...before, ...expected });
  });

  test('--enable takes --disable back', async () => {
    const line = await startMany();
    const twin = '01a22222-0000-7000-8000-00000000000d';
    expect(await json(line, ['tokens', 'edit', twin, '--enable'])).toMatchObject({ disabled: false });
  });

  test('changes nothing where somebody else is quicker, and ends with code 1', async () => {
    const line = await startMany();
    line.server.faults.add({ operationId: 'updateAccessToken', delayMs: 4_000 });
    const editing = line.run(['tokens', 'edit', 'ci', '--metadata', 'mine=1']);
    await expect
      .poll(() => line.server.requests.all().some(({ operationId }) => operationId === 'getAccessToken'), {
        timeout: 10_000,
      })
      .toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    // The delay counts for one request alone, which is the command's.
    await line.server
      .client(ADA.email)
      .updateAccessToken({ path: { token_id: id }, body: { metadata: { theirs: '1' } } });
    const { code, stderr } = await editing;
    expect(stderr).toMatch(
      /^latchkey: The ETag of the token does not match If-Match. Get the token again and send its new ETag \(request [\w-]+\)\n$/,
    );
    expect(code).toBe(1);
    expect((await tokenOf(line, id)).metadata).toEqual({ theirs: '1' });
  });

  test.each([
    [[], 'give at least one change'],
    [['--enable', '--disable'], 'cannot be used with option'],
  ])('with %j ends with code 2', async (flags, says) => {
    const line = await startMany();
    const { code, stderr } = await line.run(['tokens', 'edit', 'ci', ...flags]);
    expect(stderr).toContain(says);
    expect(code).toBe(2);
  });
});

describe('latchkey tokens revoke', () => {
  test('one, by its name, without asking', async () => {
    const line = await startMany();
    const { code, stdout, stderr } = await line.run(['tokens', 'revoke', 'ci']);
    expect(stdout).toBe('lk_pat_ci100  ci\nrevoked 1 token\n');
    expect(stderr).toBe('');
    expect(code).toBe(0);
    await expect(line.server.client(plaintextOf(line.server, 'ci')).getMe()).rejects.toMatchObject({
      code: 'unauthorized',
    });
    const again = await line.run(['tokens', 'revoke', 'lk_pat_ci100']);
    expect(again).toEqual({ code: 0, stdout: 'revoked no token: none was left\n', stderr: '' });
  });

  test('several all at once, and without a terminal only with --yes', async () => {
    const line = await startMany();
    const args = ['tokens', 'revoke', 'lk_pat_twin1', 'lk_pat_twin2'];
    const refused = await line.run(args);
    expect(refused.stderr).toBe('latchkey: this may revoke several tokens: use --yes, or --dry-run to list them\n');
    expect(refused.code).toBe(2);
    expect((await line.run([...args, '--dry-run'])).stdout).toMatch(/would revoke 2 tokens\n$/);
    expect((await listed(line)).filter(({ name, revokedAt }) => name === 'twin' && revokedAt !== null)).toEqual([]);

    line.server.requests.clear();
    expect((await line.run([...args, '--yes'])).stdout).toMatch(/revoked 2 tokens\n$/);
    expect(
      line.server.requests
        .all()
        .filter(({ method }) => method !== 'GET')
        .map(({ operationId }) => operationId),
    ).toEqual(['revokeAccessTokens']);
    expect((await listed(line)).filter(({ name, revokedAt }) => name === 'twin' && revokedAt !== null)).toHaveLength(2);
  });

  test('none where one of them is misspelt', async () => {
    const line = await startMany();
    const { code } = await line.run(['tokens', 'revoke', 'ci', 'misspelt', '--yes']);
    expect(code).toBe(1);
    expect((await tokenOf(line, '01a20000-0000-7000-8000-00000000000a')).revokedAt).toBeNull();
  });

  test('what filters keep, which is what tokens list shows with them, and never the token in use', async () => {
    const line = await startMany();
    const filters = ['--created-before', '-5d'];
    const names = rowsOf((await line.run(['tokens', 'list', ...filters])).stdout).map(([, name]) => name);
    const dry = await json<BulkRevoked>(line, ['tokens', 'revoke', ...filters, '--dry-run']);
    expect(dry).toMatchObject({ dryRun: true, revokedCount: 3 });
    expect(dry.tokens.map(({ name }) => name)).toEqual(names);
    const revoked = await json<BulkRevoked>(line, ['tokens', 'revoke', ...filters, '--yes']);
    expect(revoked).toMatchObject({ dryRun: false, revokedCount: 3 });
    await line.run(['tokens', 'revoke', '--type', 'session', '--state', 'active', '--yes']);
    expect((await line.run(['whoami'])).code).toBe(0);
  });

  test('of another owner, by administrators', async () => {
    const line = await startMany();
    const { code, stdout } = await line.run(['tokens', 'revoke', "bob's", '--owner', 'bob@example.org']);
    expect(stdout).toContain('revoked 1 token\n');
    expect(code).toBe(0);
  });

  test('the token in use says that the login is over', async () => {
    const line = await startMany();
    const { code, stderr } = await line.run(['tokens', 'revoke', 'current']);
    expect(stderr).toBe('latchkey: this has revoked the login of profile default\n');
    expect(code).toBe(0);
    expect((await line.run(['whoami'])).code).toBe(1);
  });

  test.each([[[]], [['ci', '--state', 'active']], [['--owner', '1']], [['--type', 'all', '--yes']]])(
    '%j says not which, and ends with code 2',
    async (args) => {
      const line = await startMany();
      const { code, stderr } = await line.run(['tokens', 'revoke', ...args]);
      expect(stderr).toMatch(/^latchkey: either name tokens or give filters/);
      expect(code).toBe(2);
    },
  );
});

describe('latchkey tokens verify', () => {
  test('ends with code 0 for a token that may pass', async () => {
    const line = await startMany();
    const { code, stdout, stderr } = await line.run(['tokens', 'verify'], {
      input: `${plaintextOf(line.server, 'ci')}\n`,
    });
    expect(stdout).toBe(`valid  ci (lk_pat_ci100) of ${ADA.email}, expires never\n`);
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });

  test.each([
    ['old', [], 'expired  old (lk_pat_old00) of ada@example.org'],
    ['ci', ['--scope', 'x:1', '--scope', 'y:1'], 'insufficient_scope  ci (lk_pat_ci100) of ada@example.org'],
    ['nonsense', [], 'malformed'],
  ])('ends with code 1 for %s %j, and says why', async (name, flags, says) => {
    const line = await startMany();
    const input = name === 'nonsense' ? name : plaintextOf(line.server, name);
    const { code, stdout } = await line.run(['tokens', 'verify', ...flags], { input });
    expect(stdout).toBe(`${says}\n`);
    expect(code).toBe(1);
    expect(await line.run(['tokens', 'verify', ...flags, '--quiet'], { input })).toEqual({
      code: 1,
      stdout: '',
      stderr: '',
    });
  });

  test('--json is what the service answers, with the same codes', async () => {
    const line = await startMany();
    const { code, stdout } = await line.run(['tokens', 'verify', '--json'], { input: plaintextOf(line.server, 'old') });
    expect(JSON.parse(stdout) as Verification).toMatchObject({ valid: false, code: 'expired', token: { name: 'old' } });
    expect(stdout).not.toContain(plaintextOf(line.server, 'old'));
    expect(code).toBe(1);
  });

  test('ends with code 2 where the service gives no verdict: that must not pass for one', async () => {
    const line = await startMany();
    const input = plaintextOf(line.server, 'old');
    const env = { LATCHKEY_URL: line.server.url, LATCHKEY_TOKEN: plaintextOf(line.server, 'ci') };
    const unable = await line.run(['tokens', 'verify'], { input, env });
    expect(unable.stderr).toMatch(/^latchkey: The token lacks a scope: tokens:verify \(request [\w-]+\)\n$/);
    expect(unable.code).toBe(2);
    const unknown = await line.run(['tokens', 'verify'], { input, env: { ...env, LATCHKEY_TOKEN: input } });
    expect(unknown.stderr).toMatch(/^latchkey: LATCHKEY_TOKEN is not valid/);
    expect(unknown.code).toBe(2);
    expect((await line.run(['tokens', 'verify'], { input: '' })).code).toBe(2);
    expect((await line.run(['tokens', 'verify'], { input: 'one\ntwo\n' })).code).toBe(2);
  });
});

describe('a service that does not answer', () => {
  test('as one does that is not there, busy or no Latchkey ends with code 2', async () => {
    const line = await startMany();
    line.server.faults.add({ operationId: 'listAccessTokens', status: 503, retryAfterSeconds: 300 });
    const busy = await line.run(['tokens', 'list']);
    expect(busy.stderr).toMatch(/^latchkey: http:\/\/127\.0\.0\.1:\d+: .*; try again in 300 s \(request [\w-]+\)\n$/);
    expect(busy.code).toBe(2);
    line.server.faults.add({ operationId: 'listAccessTokens', status: 502, times: 3 });
    const proxy = await line.run(['tokens', 'list']);
    const { url } = line.server;
    expect(proxy.stderr).toBe(
      `latchkey: ${url} does not answer as a Latchkey service does (status 502): check the URL\n`,
    );
    expect(proxy.code).toBe(2);
    await line.server.close();
    const gone = await line.run(['tokens', 'list']);
    expect(gone.stderr).toMatch(/^latchkey: http:\/\/127\.0\.0\.1:\d+: The service did not answer \(ECONNREFUSED\)\n$/);
    expect(gone.code).toBe(2);
    expect(gone.stdout).toBe('');
  });
});
