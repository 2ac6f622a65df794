import { describe, expect, test } from 'vitest';
import { ADA, startLoggedIn } from '../../support/command.js';
import { plaintextOf } from '../../support/local-server.js';
import { listed, MANY, rowsOf, startMany, tokenOf } from '../../support/many-tokens.js';

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
    expect(stderr).toMatch(
      /^latchkey: The token lacks a scope: tokens:act-as, or users:admin for the tokens of a person \(request [\w-]+\)\n$/,
    );
    expect(code).toBe(1);
    const nobody = await line.run(['tokens', 'list', '--owner', 'carol@example.org']);
    expect(nobody.stderr).toBe('latchkey: there is no user carol@example.org\n');
    expect(nobody.code).toBe(1);
  });
});

test('tokens show says all there is, member by member', async () => {
  const line = await startMany();
  await line.run(['tokens', 'edit', 'old', '--description', 'two\nlines', '--metadata', 'team=platform']);
  const { stdout } = await line.run(['tokens', 'show', 'old']);
  const token = await tokenOf(line, '01823333-0000-7000-8000-00000000000e');
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
