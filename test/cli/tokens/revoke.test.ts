import { describe, expect, test } from 'vitest';
import type { BulkRevoked } from '../../../client/index.js';
import { plaintextOf } from '../../support/local-server.js';
import { json, listed, rowsOf, startMany, tokenOf } from '../../support/many-tokens.js';

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
    expect((await tokenOf(line, '01820000-0000-7000-8000-00000000000a')).revokedAt).toBeNull();
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
