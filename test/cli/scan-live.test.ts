import { expect, test } from 'vitest';
import { startLocal } from '../support/local-server.js';
import { withChecksum } from '../support/plaintext.js';
import { latchkey } from '../support/process.js';
import { expectNoTokenIn, folderWith, scanned, tokenOf } from '../support/scan.js';

// What has become of the tokens that a scan has found, and their end.

function plaintext(name: string): string {
  return withChecksum(`lk_pat_${name.padEnd(30, '0')}`);
}

async function start() {
  const server = await startLocal({
    testing: {
      seed: {
        users: [
          {
            email: 'ada@example.org',
            tokens: [
              { name: 'scanner', plaintext: 'scanner' },
              { name: 'live', plaintext: 'live' },
              { name: 'stopped', plaintext: 'stopped', disabled: true },
              { name: 'over', plaintext: 'over', createdAt: '-2d', expiresAt: '-1d' },
              { name: 'gone', plaintext: 'gone', revokedAt: '-1d' },
            ],
          },
        ],
      },
    },
  });
  const names = ['live', 'stopped', 'over', 'gone'];
  const files = Object.fromEntries(names.map((name) => [`${name}.env`, `TOKEN=${plaintext(name)}\n`]));
  const cwd = await folderWith({ ...files, 'nobodys.env': tokenOf(1) });
  const env = { LATCHKEY_URL: server.url, LATCHKEY_TOKEN: plaintext('scanner') };
  return { server, cwd, env };
}

function statesOf({ findings }: Awaited<ReturnType<typeof scanned>>): Record<string, string | null> {
  return Object.fromEntries(findings.map(({ file, state }) => [file.replace('.env', ''), state]));
}

test('--check says what has become of each token, and counts the live ones', async () => {
  const { server, cwd, env } = await start();
  const checked = await scanned(['--check', '.'], { cwd, env });
  expect(statesOf(checked)).toEqual({
    live: 'valid',
    stopped: 'disabled',
    over: 'expired',
    gone: 'revoked',
    nobodys: 'unknown',
  });
  expect(checked.code).toBe(1);
  const asked = server.requests.all().filter(({ path }) => path.includes('verify'));
  expect(asked.map(({ path }) => path)).toEqual(['/api/v1/access-tokens/verify-batch']);

  const { stdout } = await latchkey(['scan', '--check', '.'], { cwd, env });
  expect(stdout).toMatch(/^PLACE +KIND +TOKEN +FINGERPRINT +STATE\n/);
  expect(stdout).toMatch(/^live\.env:1:7 .* valid$/m);
});

test('--revoke ends the live ones, and the next check finds none', async () => {
  const { cwd, env } = await start();
  const revoked = await scanned(['--revoke', '--yes', '.'], { cwd, env });
  expect(statesOf(revoked)).toMatchObject({ live: 'revoked now', stopped: 'revoked now', gone: 'revoked' });
  expect(revoked.code).toBe(1);
  const again = await scanned(['--check', '.'], { cwd, env });
  expect(statesOf(again)).toMatchObject({ live: 'revoked', stopped: 'revoked' });
  expect(again.code).toBe(0);
});

test('a refresh token cannot be asked about, but is revoked', async () => {
  const { env } = await start();
  const cwd = await folderWith({ 'a.env': tokenOf(1, 'ref') });
  const checked = await scanned(['--check', '.'], { cwd, env });
  expect([checked.findings[0]?.state, checked.code]).toEqual(['not asked', 1]);
  const revoked = await scanned(['--revoke', '--yes', '.'], { cwd, env });
  expect(revoked.findings[0]?.state).toBe('revoked now');
});

test('nothing is revoked without being told so where nobody can be asked', async () => {
  const { cwd, env } = await start();
  const { code, stdout, stderr } = await latchkey(['scan', '--revoke', '.'], { cwd, env });
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toBe('latchkey: --revoke needs --yes without a terminal\n');
  expect(statesOf(await scanned(['--check', '.'], { cwd, env }))).toMatchObject({ live: 'valid' });
});

test('without --check nobody is asked, and with it nobody else than the service', async () => {
  const { server, cwd, env } = await start();
  expect(statesOf(await scanned(['.'], { cwd, env }))).toMatchObject({ live: null });
  expect(server.requests.all()).toEqual([]);
  const nowhere = await latchkey(['scan', '--check', '.'], {
    cwd,
    env: { ...env, LATCHKEY_URL: 'http://127.0.0.1:9' },
  });
  expect([nowhere.code, nowhere.stdout]).toEqual([2, '']);
  expectNoTokenIn(nowhere.stderr);
});
