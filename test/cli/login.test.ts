import { chmod, mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Profile } from '../../cli/account/profiles.js';
import { renewingFetch } from '../../cli/account/session.js';
import { ADA, type CommandLine, startCommandLine, startLoggedIn } from '../support/command.js';
import { plaintextOf } from '../support/local-server.js';
import { latchkey, newFolder } from '../support/process.js';

const HOUR = 3_600_000;

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

async function meStatus({ server }: CommandLine, token: unknown): Promise<number> {
  return (await fetch(`${server.url}/api/v1/auth/me`, { headers: { Authorization: `Bearer ${String(token)}` } }))
    .status;
}

function sent({ server }: CommandLine, operation: string): number {
  return server.requests.all().filter(({ operationId }) => operationId === operation).length;
}

describe('latchkey login', () => {
  test('keeps a session that its owner recognises, and no password, where only the user reads it', async () => {
    const line = await startCommandLine();
    const { code, stdout, stderr } = await line.logIn();
    expect(stderr).toBe('');
    expect(stdout).toBe(`logged in to ${line.server.url} as ${ADA.email} (profile default)\n`);
    expect(code).toBe(0);

    const profiles = join(line.folder, 'profiles');
    expect(await readdir(profiles)).toEqual(['default.json']);
    expect(await modeOf(line.folder)).toBe('700');
    expect(await modeOf(profiles)).toBe('700');
    expect(await modeOf(join(profiles, 'default.json'))).toBe('600');
    const { token, tokenId, ...profile } = await line.profile();
    expect(profile).toMatchObject({ url: line.server.url, email: ADA.email, insecureHttp: false });
    expect(await readFile(join(profiles, 'default.json'), 'utf8')).not.toContain(ADA.password);
    expect(await meStatus(line, token)).toBe(200);
    const session = await line.server.client(ADA.email).getAccessToken({ path: { token_id: String(tokenId) } });
    expect(session).toMatchObject({ tokenType: 'session', name: `latchkey on ${hostname()}` });
  });

  test('a wrong password ends with code 1 and the request id, and keeps nothing', async () => {
    const line = await startCommandLine();
    const args = ['login', '--url', line.server.url, '--email', ADA.email, '--password-stdin'];
    const { code, stdout, stderr } = await line.run(args, { input: 'not the password\n' });
    expect(stderr).toMatch(/^latchkey: Wrong e-mail or password \(request [\w-]+\)\n$/);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect((await line.run(['whoami'])).code).toBe(2);
  });

  test('--token-stdin keeps a personal access token, which logout forgets and does not revoke', async () => {
    const line = await startCommandLine();
    const plaintext = plaintextOf(line.server, 'deploy bot');
    const input = `  ${plaintext}\r\n\n`;
    const { code, stdout } = await line.run(['login', '--url', line.server.url, '--token-stdin'], { input });
    expect(stdout).toBe(`logged in to ${line.server.url} as ${ADA.email} (profile default)\n`);
    expect(code).toBe(0);
    expect(await line.profile()).toMatchObject({ token: plaintext, refreshToken: null });
    expect((await line.run(['whoami'])).stdout).toContain('lk_pat_deplo');

    const out = await line.run(['logout']);
    expect(out.stderr).toBe('latchkey: the token was removed from this machine, but stays valid until it is revoked\n');
    expect(out.code).toBe(0);
    expect(await meStatus(line, plaintext)).toBe(200);
    expect(await readdir(join(line.folder, 'profiles'))).toEqual([]);
  });

  test('--token-stdin keeps neither a token that opens nothing nor that of a session', async () => {
    const line = await startLoggedIn();
    const { token } = await line.profile();
    const login = ['login', '--url', line.server.url, '--profile', 'other', '--token-stdin'];
    for (const [input, expected, says] of [
      [
        plaintextOf(line.server, 'gone'),
        1,
        /^latchkey: the token is not valid and was not stored \(request [\w-]+\)\n$/,
      ],
      ['nonsense', 1, /^latchkey: the token is not valid/],
      [String(token), 2, /^latchkey: this is a session token: use a personal access token\n$/],
      ['', 2, /^latchkey: there is no token on standard input\n$/],
      ['one\ntwo\n', 2, /^latchkey: standard input has more than one token\n$/],
    ] as const) {
      const { code, stdout, stderr } = await line.run(login, { input });
      expect(stderr).toMatch(says);
      expect(code).toBe(expected);
      expect(stdout).toBe('');
    }
    expect(await readdir(join(line.folder, 'profiles'))).toEqual(['default.json']);
  });

  test('again needs no address and e-mail, and ends the earlier session', async () => {
    const line = await startLoggedIn();
    const earlier = await line.profile();
    const { code } = await line.run(['login', '--password-stdin'], { input: `${ADA.password}\n` });
    expect(code).toBe(0);
    const profile = await line.profile();
    expect(profile['token']).not.toBe(earlier['token']);
    expect(await meStatus(line, profile['token'])).toBe(200);
    expect(await meStatus(line, earlier['token'])).toBe(401);
  });

  test('without a terminal asks for nothing: what is missing ends with code 2', async () => {
    const line = await startCommandLine();
    const url = ['--url', line.server.url];
    for (const [flags, says] of [
      [[], '--url must be the URL of the service to log in to'],
      [url, '--email must be the e-mail of the user who logs in'],
      [[...url, '--email', ADA.email], 'use --password-stdin or --token-stdin'],
      [[...url, '--token-stdin', '--password-stdin'], 'exclude each other'],
      [['--url', 'tokens.example.org'], "the service's URL must be like https://"],
      [['--url', 'https://ada:secret@tokens.example.org'], "the service's URL must be like https://"],
      [[...url, '--profile', '../evil'], '--profile must be 1 to 64 lower-case letters'],
    ] as const) {
      const { code, stdout, stderr } = await line.run(['login', ...flags]);
      expect(stderr).toContain(says);
      expect(stderr).not.toContain('secret');
      expect(code).toBe(2);
      expect(stdout).toBe('');
    }
  });

  test('--json says who and where, and has no secret', async () => {
    const line = await startCommandLine();
    const args = ['login', '--url', line.server.url, '--email', ADA.email, '--password-stdin', '--json'];
    const { stdout } = await line.run(args, { input: ADA.password });
    const me = await line.server.client(ADA.email).getMe();
    expect(JSON.parse(stdout)).toMatchObject({ profile: 'default', url: line.server.url, me: { user: me.user } });
    expect(stdout).not.toMatch(/lk_(ses|ref)_/);
  });
});

describe('latchkey logout', () => {
  test('ends the session, its refresh token included, and forgets it', async () => {
    const line = await startLoggedIn();
    const { token, refreshToken } = await line.profile();
    const { code, stdout, stderr } = await line.run(['logout']);
    expect(stdout).toBe(`logged out of ${line.server.url} (profile default)\n`);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(await meStatus(line, token)).toBe(401);
    const refresh = await fetch(`${line.server.url}/api/v1/auth/refresh/`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ refresh_token: refreshToken }),
    });
    expect(refresh.status).toBe(401);
    expect(await readdir(join(line.folder, 'profiles'))).toEqual([]);
    expect((await line.run(['logout'])).code).toBe(2);
  });

  test('ends a session whose token has expired', async () => {
    const line = await startLoggedIn();
    const { tokenId } = await line.profile();
    line.server.clock.advance(2 * HOUR);
    expect((await line.run(['logout'])).code).toBe(0);
    const session = await line.server.client(ADA.email).getAccessToken({ path: { token_id: String(tokenId) } });
    expect(session.revokedAt).not.toBeNull();
  });

  test('forgets nothing while the service does not answer, unless it is told to', async () => {
    const line = await startLoggedIn();
    line.server.faults.add({ operationId: 'logOut', status: 503, retryAfterSeconds: 120 });
    const refused = await line.run(['logout']);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/^latchkey: http:\S+: .*; try again in 120 s \(request [\w-]+\)\n$/);
    expect(await readdir(join(line.folder, 'profiles'))).toEqual(['default.json']);
    const forgotten = await line.run(['logout', '--forget']);
    expect(forgotten.stderr).toBe(
      'latchkey: the session was removed from this machine, but stays valid until it expires\n',
    );
    expect(await readdir(join(line.folder, 'profiles'))).toEqual([]);
  });
});

describe('latchkey whoami', () => {
  test('shows the user, the organization, the service, the profile and when the token ends', async () => {
    const line = await startLoggedIn({ testing: { frozenAt: '2030-06-15T12:00:00Z' } });
    const { code, stdout } = await line.run(['whoami']);
    expect(code).toBe(0);
    const rows = stdout
      .trim()
      .split('\n')
      .map((row) => row.split('\t') as [string, string]);
    const shown = Object.fromEntries(rows) as Record<string, string>;
    expect(shown).toMatchObject({
      user: `${ADA.email} (Ada)`,
      role: 'administrator',
      organization: 'Latchkey',
      service: line.server.url,
      profile: 'default',
    });
    expect(shown['token']).toMatch(/^lk_ses_\w{5} session$/);
    expect(shown['expires']).toContain('2030-06-15T13:00:00.000Z');
    const { me, token } = JSON.parse((await line.run(['whoami', '--json'])).stdout) as { me: unknown; token: unknown };
    expect(me).toMatchObject({ user: { email: ADA.email }, session: { tokenType: 'session' } });
    expect(token).toMatchObject({ id: (await line.profile())['tokenId'] });
  });
});

describe('a session whose token has ended', () => {
  test('is refreshed unnoticed, and the profile has what comes next', async () => {
    const line = await startLoggedIn();
    const before = await line.profile();
    line.server.clock.advance(2 * HOUR);
    const { code, stderr } = await line.run(['whoami']);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const after = await line.profile();
    expect(after['tokenId']).toBe(before['tokenId']);
    expect(after['refreshToken']).not.toBe(before['refreshToken']);
    expect(await modeOf(join(line.folder, 'profiles', 'default.json'))).toBe('600');
    expect(await meStatus(line, after['token'])).toBe(200);
  });

  test('is refreshed once by commands that run at the same time, and all of them succeed', async () => {
    const line = await startLoggedIn();
    line.server.clock.advance(2 * HOUR);
    line.server.requests.clear();
    // So long that all have been refused before the first has what it asked for.
    line.server.faults.add({ operationId: 'refreshSession', delayMs: 4_000 });
    const runs = await Promise.all(Array.from({ length: 4 }, () => line.run(['tokens', 'list'])));
    expect(runs.map(({ code, stderr }) => [code, stderr])).toEqual(Array(4).fill([0, '']));
    const refused = line.server.requests.all().filter(({ status }) => status === 401);
    expect(refused).toHaveLength(4);
    expect(sent(line, 'refreshSession')).toBe(1);
    expect(await readdir(join(line.folder, 'profiles'))).toEqual(['default.json']);
    expect((await line.run(['whoami'])).code).toBe(0);
  });

  test('does what was asked for once, though the request is sent again', async () => {
    const line = await startLoggedIn();
    line.server.clock.advance(2 * HOUR);
    const { code, stdout } = await line.run(['tokens', 'create', 'late']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^lk_pat_\w{36}\n$/);
    const { stdout: listed } = await line.run(['tokens', 'list', '--search', 'late']);
    expect(listed.trim().split('\n')).toHaveLength(1);
  });

  test('that is over says so with code 1, and keeps the profile for the next login', async () => {
    const line = await startLoggedIn();
    line.server.clock.advance(24 * 30 * HOUR);
    const { code, stderr } = await line.run(['whoami']);
    expect(stderr).toMatch(/^latchkey: the login of profile default has ended: log in again \(request [\w-]+\)\n$/);
    expect(code).toBe(1);
    expect(await line.profile()).toMatchObject({ email: ADA.email });
  });

  test('is not refreshed in the name of a login that has taken its place meanwhile', async () => {
    const line = await startLoggedIn();
    const before = (await line.profile()) as unknown as Profile;
    line.server.clock.advance(2 * HOUR);
    await line.logIn();
    const after = await line.profile();
    line.server.requests.clear();
    vi.stubEnv('LATCHKEY_CONFIG', line.folder);
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const renewing = renewingFetch('default', before, () => expect.unreachable());
    const headers = { Authorization: `Bearer ${before.token}` };
    expect((await renewing(`${line.server.url}/api/v1/auth/me`, { headers })).status).toBe(401);
    expect(sent(line, 'refreshSession')).toBe(0);
    expect(await line.profile()).toEqual(after);
  });

  test('waits for no command that has died while it refreshed', async () => {
    const line = await startLoggedIn();
    line.server.clock.advance(2 * HOUR);
    const lock = join(line.folder, 'profiles', '.default.lock');
    await writeFile(lock, '');
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(lock, longAgo, longAgo);
    expect((await line.run(['whoami'])).code).toBe(0);
    expect(await readdir(join(line.folder, 'profiles'))).toEqual(['default.json']);
  });
});

describe('the profiles', () => {
  test('are apart from each other, and named by --profile or LATCHKEY_PROFILE', async () => {
    const line = await startCommandLine();
    const logins = await Promise.all(['one', 'two', 'three'].map((name) => line.logIn(name)));
    expect(logins.map(({ code }) => code)).toEqual([0, 0, 0]);
    const { stderr, code } = await line.run(['whoami']);
    expect(stderr).toMatch(/^latchkey: profile default is not logged in: .*; existing profiles: one, three, two\n$/);
    expect(code).toBe(2);
    expect((await line.run(['whoami', '--profile', 'two'])).stdout).toContain('profile\ttwo\n');
    expect((await line.run(['whoami'], { env: { LATCHKEY_PROFILE: 'one' } })).stdout).toContain('profile\tone\n');
    const flag = await line.run(['whoami', '--profile', 'two'], { env: { LATCHKEY_PROFILE: 'one' } });
    expect(flag.stdout).toContain('profile\ttwo\n');
  });

  test('are in XDG_CONFIG_HOME, else in the home folder', async () => {
    const { server } = await startCommandLine();
    const home = await newFolder();
    const login = ['login', '--url', server.url, '--email', ADA.email, '--password-stdin'];
    const options = { input: ADA.password };
    await latchkey(login, { ...options, env: { HOME: home, XDG_CONFIG_HOME: join(home, 'xdg') } });
    await latchkey(login, { ...options, env: { HOME: home, XDG_CONFIG_HOME: 'not/absolute' } });
    expect(await readdir(join(home, 'xdg', 'latchkey', 'profiles'))).toEqual(['default.json']);
    expect(await readdir(join(home, '.config', 'latchkey', 'profiles'))).toEqual(['default.json']);
  });

  test('that others can read are closed to them, aloud', async () => {
    const line = await startLoggedIn();
    const path = join(line.folder, 'profiles', 'default.json');
    await chmod(path, 0o644);
    const { code, stderr } = await line.run(['whoami']);
    expect(stderr).toBe(
      `latchkey: others could read ${path}; now they cannot. Log out and in again if they may have read the token.\n`,
    );
    expect(code).toBe(0);
    expect(await modeOf(path)).toBe('600');
    expect((await line.run(['whoami'])).stderr).toBe('');
  });

  test.each([
    ['no JSON', '{'],
    ['not its members', '{"url": 1}'],
  ])('with %s end with code 2 and their path', async (_, text) => {
    const line = await startCommandLine();
    const folder = join(line.folder, 'profiles');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'default.json'), text, { mode: 0o600 });
    const { code, stderr } = await line.run(['whoami']);
    expect(stderr).toBe(
      `latchkey: ${join(folder, 'default.json')} is not a profile of this version: remove it and log in again\n`,
    );
    expect(code).toBe(2);
  });
});

describe('the environment', () => {
  test('LATCHKEY_URL and LATCHKEY_TOKEN win over the profile, --profile over both', async () => {
    const line = await startLoggedIn();
    const bob = plaintextOf(line.server, "bob's");
    const env = { LATCHKEY_URL: line.server.url, LATCHKEY_TOKEN: bob };
    expect((await line.run(['whoami'], { env })).stdout).toMatch(
      /^user\tbob@example\.org\n[^]*profile\t- \(LATCHKEY_TOKEN\)\n/,
    );
    expect((await line.run(['whoami'], { env: { LATCHKEY_TOKEN: bob } })).stdout).toContain('bob@example.org');
    expect((await line.run(['whoami', '--profile', 'default'], { env })).stdout).toContain(ADA.email);
    expect((await line.run(['whoami'], { env: { LATCHKEY_TOKEN: '', LATCHKEY_URL: '' } })).stdout).toContain(ADA.email);
  });

  test("LATCHKEY_URL alone never gets the profile's token sent elsewhere", async () => {
    const line = await startLoggedIn();
    const other = await startCommandLine();
    const { code, stderr } = await line.run(['whoami'], { env: { LATCHKEY_URL: other.server.url } });
    expect(stderr).toContain(`LATCHKEY_URL is not ${line.server.url}`);
    expect(code).toBe(2);
    expect(other.server.requests.all()).toEqual([]);
    expect((await line.run(['whoami'], { env: { LATCHKEY_URL: `${line.server.url}/` } })).code).toBe(0);
  });

  test('a token that opens nothing ends with code 1, one without a service with code 2', async () => {
    const line = await startCommandLine();
    const env = { LATCHKEY_TOKEN: plaintextOf(line.server, 'gone') };
    const refused = await line.run(['whoami'], { env: { ...env, LATCHKEY_URL: line.server.url } });
    expect(refused.stderr).toMatch(
      /^latchkey: LATCHKEY_TOKEN is not valid: it is unknown, expired, revoked or disabled \(request [\w-]+\)\n$/,
    );
    expect(refused.code).toBe(1);
    const without = await line.run(['whoami'], { env });
    expect(without.stderr).toBe('latchkey: LATCHKEY_TOKEN needs LATCHKEY_URL, the URL of the service\n');
    expect(without.code).toBe(2);
  });

  test('plain http goes to this machine alone, unless --insecure-http has it otherwise', async () => {
    const line = await startCommandLine();
    const env = { LATCHKEY_TOKEN: 'x', LATCHKEY_URL: 'http://tokens.invalid' };
    const { code, stderr } = await line.run(['whoami'], { env });
    expect(stderr).toBe(
      'latchkey: http://tokens.invalid is plain http, so others on the network could read the token: use https, or --insecure-http\n',
    );
    expect(code).toBe(2);
    const allowed = await line.run(['whoami', '--insecure-http'], { env });
    expect(allowed.stderr).toMatch(/^latchkey: http:\/\/tokens\.invalid: The service did not answer/);
    expect(allowed.code).toBe(2);
  });
});
