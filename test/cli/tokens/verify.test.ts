import { describe, expect, test } from 'vitest';
import type { Verification } from '../../../client/index.js';
import { ADA } from '../../support/command.js';
import { plaintextOf } from '../../support/local-server.js';
import { startMany } from '../../support/many-tokens.js';

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
