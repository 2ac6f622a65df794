import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { ADA, startCommandLine, startLoggedIn } from '../support/command.js';
import { plaintextOf, SEED } from '../support/local-server.js';
import { hasTerminal, latchkeyOnTerminal, onTerminal } from '../support/terminal.js';

const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const ESCAPE = '\u001B';

const COLOURFUL = {
  users: [
    {
      ...SEED.users[0],
      email: ADA.email,
      tokens: [
        { name: 'deploy bot', plaintext: 'deploy', createdAt: '-1d', expiresAt: '+90d', scopes: ['deployments:write'] },
        { name: '夜間レポート', plaintext: 'night', createdAt: '-2d', expiresAt: '+3d', scopes: ['reports:read'] },
        { name: 'left \u202E to right', plaintext: 'bidi', createdAt: '-3d', disabled: true, scopes: [] },
        { name: 'old', plaintext: 'old', createdAt: '-90d', expiresAt: '-30d', scopes: [] },
      ],
    },
  ],
};

describe.skipIf(!hasTerminal)('on a terminal, which python3 makes', () => {
  test('login asks for what is missing, and shows no password', async () => {
    const line = await startCommandLine();
    const { code, output, raw, restored } = await latchkeyOnTerminal(['login'], {
      env: line.env,
      turns: [
        ['URL of the service: ', `${line.server.url}\r`],
        ['e-mail: ', `${ADA.email}\r`],
        [`password of ${ADA.email}: `, `${ADA.password}\r`],
      ],
    });
    expect(stripVTControlCharacters(output)).toContain(`logged in to ${line.server.url} as ${ADA.email}`);
    expect(output).not.toContain(ADA.password);
    expect({ code, raw, restored }).toEqual({ code: 0, raw: true, restored: true });
    expect((await line.run(['whoami'])).code).toBe(0);
  });

  test.each([
    ['the password', ['--email', ADA.email], 'password of'],
    ['the e-mail', [], 'e-mail: '],
  ])(
    'Ctrl-C at the question for %s ends with code 130, restores the terminal and keeps nothing',
    async (_, flags, wait) => {
      const line = await startCommandLine();
      const { code, output, restored } = await latchkeyOnTerminal(['login', '--url', line.server.url, ...flags], {
        env: line.env,
        turns: [[wait, `half of it${CTRL_C}`]],
      });
      expect({ code, restored }).toEqual({ code: 130, restored: true });
      expect(output).toContain('latchkey: interrupted\n');
      if (wait.startsWith('password')) expect(output).not.toContain('half of it');
      await expect(readdir(line.folder)).rejects.toMatchObject({ code: 'ENOENT' });
    },
  );

  test('Ctrl-D ends with code 2 instead of waiting for ever', async () => {
    const line = await startCommandLine();
    const login = ['login', '--url', line.server.url, '--email', ADA.email];
    const { code, output } = await latchkeyOnTerminal(login, { env: line.env, turns: [['password of', CTRL_D]] });
    expect(output).toContain('latchkey: the input has ended\n');
    expect(code).toBe(2);
  });

  test('verify takes a token that is typed unseen', async () => {
    const line = await startLoggedIn();
    const plaintext = plaintextOf(line.server, 'deploy bot');
    const { code, output, raw } = await latchkeyOnTerminal(['tokens', 'verify'], {
      env: line.env,
      turns: [['token: ', `${plaintext}\r`]],
    });
    expect(stripVTControlCharacters(output)).toContain('valid  deploy bot (lk_pat_deplo) of ada@example.org');
    expect(output).not.toContain(plaintext);
    expect({ code, raw }).toEqual({ code: 0, raw: true });
  });

  test('revoke asks before it revokes several, and nothing but yes is yes', async () => {
    const line = await startLoggedIn();
    const args = ['tokens', 'revoke', 'deploy bot', 'old'];
    const question = 'revoke 2 tokens for good? [y/N] ';
    for (const [answer, expected, left] of [
      ['\r', 1, 3],
      ['no\r', 1, 3],
      [CTRL_C, 130, 3],
      ['y\r', 0, 1],
    ] as const) {
      const { code, output } = await latchkeyOnTerminal(args, { env: line.env, turns: [[question, answer]] });
      expect(output).toContain('lk_pat_deplo  deploy bot\nlk_pat_old00  old\n');
      expect(code).toBe(expected);
      const { items } = await line.server.client(ADA.email).listAccessTokens({ query: { tokenType: 'pat' } });
      expect(items.length, answer).toBe(left === 3 ? 2 : 0);
    }
  });

  test('list is a table that fits: times as people say them, colours, wide characters, nothing that drives it', async () => {
    const line = await startLoggedIn({ testing: { seed: COLOURFUL } });
    const { code, output } = await latchkeyOnTerminal(['tokens', 'list'], { env: line.env, columns: 92 });
    expect(code).toBe(0);
    expect(stripVTControlCharacters(output)).toBe(
      [
        'NAME                    PREFIX        STATE     EXPIRES      LAST USED  SCOPES',
        'deploy bot              lk_pat_deplo  active    in 90 days   never      deployments:write',
        '夜間レポート            lk_pat_night  expiring  in 3 days    never      reports:read',
        'left \\u{202e} to right  lk_pat_bidi0  disabled  never        never      -',
        'old                     lk_pat_old00  expired   30 days ago  never      -',
        '',
      ].join('\n'),
    );
    expect(output).toContain(`${ESCAPE}[32mactive${ESCAPE}[39m`);
    expect(output).not.toContain('\u202E');

    const narrow = await latchkeyOnTerminal(['tokens', 'list'], { env: line.env, columns: 70 });
    const rows = stripVTControlCharacters(narrow.output).trimEnd().split('\n');
    expect(rows[1]).toMatch(/^deploy bot/);
    expect(rows[2]).toMatch(/^夜間レポ/);
    expect(narrow.output).toContain('…');
    expect(rows.map((row) => row.length).every((length) => length <= 70)).toBe(true);
  });

  test.each([
    ['NO_COLOR', [], { NO_COLOR: '1' }, false],
    ['--no-color', ['--no-color'], { FORCE_COLOR: '1' }, false],
    ['TERM=dumb', [], { TERM: 'dumb' }, false],
    ['FORCE_COLOR=0', [], { FORCE_COLOR: '0' }, false],
    ['FORCE_COLOR=1 over NO_COLOR', [], { NO_COLOR: '1', FORCE_COLOR: '1' }, true],
    ['an empty NO_COLOR', [], { NO_COLOR: '' }, true],
  ])('with %s', async (_, flags, more: Record<string, string>, coloured) => {
    const line = await startLoggedIn();
    const { output } = await latchkeyOnTerminal(['tokens', 'list', ...flags], { env: { ...line.env, ...more } });
    expect(stripVTControlCharacters(output)).toMatch(/^NAME +PREFIX/m);
    expect(output.includes(ESCAPE)).toBe(coloured);
  });

  test('a plaintext that a shell catches is not on the terminal', async () => {
    const line = await startLoggedIn();
    const command = `'${process.execPath}' '${resolve('dist/cli/main.js')}'`;
    const script = `TOKEN=$(${command} tokens create ci); [ "\${#TOKEN}" -eq 43 ] && echo caught`;
    const { output } = await onTerminal(['/bin/sh', '-c', script], {
      env: line.env,
      turns: [
        ['scopes', '\r'],
        ['expires in', 'never\r'],
      ],
    });
    expect(stripVTControlCharacters(output)).toMatch(
      /created ci \(\S+\) with tokens:read, expires never\nStore it now: it is not shown again\.\ncaught\n$/,
    );
    expect(output).not.toMatch(/lk_pat_\w{20}/);
  });

  test.each([
    ['what is chosen before', ['\r', '\r'], 'with tokens:read, expires in 90 days'],
    ['what is typed', ['reports:read, reports:write\r', '2w\r'], 'with reports:read reports:write, expires in 14 days'],
    ['all, and never', ['all\r', 'never\r'], 'with tokens:read tokens:verify tokens:write, expires never'],
    [
      'none, and a second answer after one that is no time',
      ['none\r', 'soon\r', '1d\r'],
      'without a scope, expires in 24 hours',
    ],
  ])('create asks for scopes and expiry: %s', async (_, [scopes = '', ...times], given) => {
    const line = await startLoggedIn();
    const { code, output } = await latchkeyOnTerminal(['tokens', 'create', 'asked'], {
      env: line.env,
      turns: [['scopes, such as', scopes], ...times.map((time): [string, string] => ['expires in, such as', time])],
    });
    expect(stripVTControlCharacters(output)).toContain(given);
    expect(code).toBe(0);
  });

  test('create asks for nothing that is given, and with --quiet for nothing at all', async () => {
    const line = await startLoggedIn();
    for (const flags of [['--scopes', 'all', '--expires-in', 'never'], ['--quiet']]) {
      const { code, output } = await latchkeyOnTerminal(['tokens', 'create', 'silent', ...flags], { env: line.env });
      expect(output).not.toContain('such as');
      expect(code).toBe(0);
    }
  });

  test('list --wide breaks no cell that fits, and cuts none', async () => {
    const line = await startLoggedIn({ testing: { seed: COLOURFUL } });
    const { output } = await latchkeyOnTerminal(['tokens', 'list', '--wide'], { env: line.env, columns: 92 });
    const lines = stripVTControlCharacters(output).trimEnd().split('\n');
    expect(lines.every((row) => row.length <= 92)).toBe(true);
    expect(lines[0]).toMatch(/^ID +NAME/);
    expect(lines[1]).toMatch(/^  \S/);
    expect(output).not.toContain('…');
    const { items } = await line.server.client(ADA.email).listAccessTokens({ query: { tokenType: 'pat' } });
    for (const { id, createdAt, tokenPrefix } of items) {
      for (const cell of [id, createdAt, tokenPrefix]) expect(lines.join('\n')).toContain(cell);
    }
  });

  test('an empty list says so', async () => {
    const line = await startLoggedIn();
    const { code, output } = await latchkeyOnTerminal(['tokens', 'list', '--search', 'nothing'], { env: line.env });
    expect(output).toBe('no tokens\n');
    expect(code).toBe(0);
  });
});

test('FORCE_COLOR gets people who look on through a pipe what they would see', async () => {
  const line = await startLoggedIn({ testing: { seed: COLOURFUL } });
  const { stdout } = await line.run(['tokens', 'list'], { env: { FORCE_COLOR: '1', COLUMNS: '60' } });
  expect(stdout).toContain(`${ESCAPE}[1mNAME${ESCAPE}[22m`);
  const widths = stripVTControlCharacters(stdout)
    .split('\n')
    .map((row) => row.length);
  expect(Math.max(...widths)).toBeLessThanOrEqual(60);
});

test('whoever reads may leave before the end', async () => {
  const tokens = Array.from({ length: 3_000 }, (_, index) => ({
    name: `t${String(index)}`,
    description: 'x'.repeat(900),
  }));
  const line = await startLoggedIn({ testing: { seed: { users: [{ ...SEED.users[0], email: ADA.email, tokens }] } } });
  const script = `'${process.execPath}' '${resolve('dist/cli/main.js')}' tokens list --json | head -c 100`;
  const env = { ...line.env, PATH: process.env['PATH'] ?? '' };
  const { stdout, stderr } = await promisify(execFile)('bash', ['--norc', '-o', 'pipefail', '-c', script], { env });
  expect(stdout).toHaveLength(100);
  expect(stderr).toBe('');
});
