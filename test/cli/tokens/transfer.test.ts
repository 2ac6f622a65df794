import { describe, expect, test } from 'vitest';
import type { AccessToken, Transferred } from '../../../client/index.js';
import { ADA, startLoggedIn } from '../../support/command.js';
import { plaintextOf } from '../../support/local-server.js';
import { json, rowsOf } from '../../support/many-tokens.js';

/** An administrator with two tokens, a service that she manages, and a customer of her own system. */
const OWNERS = {
  users: [
    {
      email: ADA.email,
      password: ADA.password,
      isAdmin: true,
      tokens: [
        { name: 'job', plaintext: 'job', scopes: ['deployments:write', 'tokens:read'] },
        { name: 'root', plaintext: 'root', scopes: ['users:admin', 'tokens:read'] },
      ],
    },
    { email: 'bob@example.org', password: 'a password of bob', tokens: [{ name: "bob's", plaintext: 'bob' }] },
  ],
  services: [
    {
      fullName: 'deploy jobs',
      managers: ['bob@example.org'],
      scopes: ['deployments:write', 'tokens:read'],
      tokens: [{ name: 'old job', plaintext: 'oldjob', scopes: ['deployments:write'] }],
    },
  ],
  externalUsers: [
    {
      externalId: 'cus_42',
      fullName: 'Customer Ltd',
      email: 'it@example.net',
      metadata: { plan: 'pro' },
      tokens: [{ name: 'key', plaintext: 'key', scopes: ['words:read'] }],
    },
  ],
};

const start = () => startLoggedIn({ testing: { seed: OWNERS } });

async function namesOf(line: Awaited<ReturnType<typeof start>>, ...args: string[]): Promise<string[]> {
  const { stdout, stderr } = await line.run(['tokens', 'list', ...args]);
  expect(stderr).toBe('');
  return rowsOf(stdout)
    .map(([, name]) => name ?? '')
    .sort();
}

describe('the owner of tokens', () => {
  test('is a service by its name for its managers too, who may look up nobody else', async () => {
    const line = await start();
    const env = { LATCHKEY_URL: line.server.url, LATCHKEY_TOKEN: plaintextOf(line.server, "bob's") };
    const { stdout } = await line.run(['tokens', 'list', '--owner', 'deploy jobs'], { env });
    expect(rowsOf(stdout).map(([, name]) => name)).toEqual(['old job']);
    const other = await line.run(['tokens', 'list', '--owner', ADA.email], { env });
    expect([other.code, other.stdout]).toEqual([1, '']);
    expect(other.stderr).toContain('users:admin');
  });

  test('is a service, by its name or id, or an owner of the own system', async () => {
    const line = await start();
    expect(await namesOf(line, '--owner', 'deploy jobs')).toEqual(['old job']);
    expect(await namesOf(line, '--owner', '3')).toEqual(['old job']);
    expect(await namesOf(line, '--external-owner', 'cus_42')).toEqual(['key']);
    const owner = ['--external-owner', 'cus_42'];
    const { code, stdout, stderr } = await line.run(['tokens', 'create', 'second', '--scope', 'words:read', ...owner]);
    expect(stderr).toContain('created second (');
    expect(code).toBe(0);
    const made = await line.server.client(stdout.trim()).getMe();
    expect(made.user.id).toBe(4);
    const shown = await json<AccessToken>(line, ['tokens', 'show', 'second', ...owner]);
    expect(shown.scopes).toEqual(['words:read']);
    const edited = await json<AccessToken>(line, ['tokens', 'edit', 'second', '--name', 'third', ...owner]);
    expect(edited).toEqual({ ...shown, name: 'third' });
    const rotated = await line.run(['tokens', 'rotate', shown.id, '--quiet', ...owner]);
    expect((await line.server.client(rotated.stdout.trim()).getMe()).user.id).toBe(4);
    expect((await line.run(['tokens', 'revoke', 'third', ...owner])).stdout).toContain('revoked 1 token\n');
    expect(await namesOf(line, ...owner)).toEqual(['key']);
    expect((await line.run(['tokens', 'show', 'third'])).code).toBe(1);
  });

  test('gets no scope of the service that nobody named, and has no current token', async () => {
    const line = await start();
    for (const owner of [
      ['--external-owner', 'cus_42'],
      ['--owner', 'deploy jobs'],
    ]) {
      const { stderr } = await line.run(['tokens', 'create', 'bare', ...owner]);
      expect(stderr).toContain(' without a scope, expires in 90 days');
      for (const command of ['show', 'edit', 'rotate', 'revoke']) {
        const change = command === 'edit' ? ['--name', 'changed'] : [];
        expect(await line.run(['tokens', command, 'current', ...change, ...owner])).toEqual({
          code: 2,
          stdout: '',
          stderr: 'latchkey: current is your own token: leave out --owner and --external-owner\n',
        });
      }
    }
  });

  test('cannot be two, nor nobody', async () => {
    const line = await start();
    const both = await line.run(['tokens', 'list', '--owner', '3', '--external-owner', 'cus_42']);
    expect(both).toEqual({ code: 2, stdout: '', stderr: 'latchkey: use either --owner or --external-owner\n' });
    const none = await line.run(['tokens', 'list', '--owner', 'deploy']);
    expect(none).toEqual({ code: 1, stdout: '', stderr: 'latchkey: there is no user deploy\n' });
  });
});

describe('latchkey tokens transfer', () => {
  test('gives a named token to a service, where it stays valid', async () => {
    const line = await start();
    const { code, stdout, stderr } = await line.run(['tokens', 'transfer', 'job', '--to', 'deploy jobs']);
    expect(stdout).toBe('lk_pat_job00  job\nmoved 1 token to deploy jobs\n');
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(await namesOf(line, '--owner', '3')).toEqual(['job', 'old job']);
    expect((await line.server.client('job').getMe()).user.id).toBe(3);
  });

  test('names the scopes that are in the way, or cuts them', async () => {
    const line = await start();
    const args = ['tokens', 'transfer', '--search', 'o', '--to', '3'];
    const unasked = await line.run(args);
    expect(unasked.stderr).toBe('latchkey: this may move several tokens: use --yes, or --dry-run to list them\n');
    expect(unasked.code).toBe(2);
    const refused = await line.run([...args, '--yes']);
    expect(refused.stderr).toMatch(/^latchkey: The owner may not have these scopes: users:admin \(request /);
    expect(refused.code).toBe(1);
    const tried = await json<Transferred>(line, [...args, '--cut-scopes', '--dry-run']);
    expect(tried).toMatchObject({ transferredCount: 2, cutCount: 1, dryRun: true });
    expect(await namesOf(line)).toEqual(['job', 'root']);
    const moved = await line.run([...args, '--cut-scopes', '--yes']);
    expect(moved.stdout).toMatch(/\nmoved 2 tokens to 3, 1 of them without some scopes\n$/);
    expect(await namesOf(line)).toEqual([]);
  });

  test('takes tokens of another owner, and needs a new owner', async () => {
    const line = await start();
    const args = ['tokens', 'mv', "bob's", '--owner', 'bob@example.org', '--to', ADA.email];
    expect((await line.run(args)).stdout).toContain(`moved 1 token to ${ADA.email}\n`);
    expect(await namesOf(line)).toEqual(["bob's", 'job', 'root']);
    const { code, stderr } = await line.run(['tokens', 'transfer', 'job']);
    expect(stderr).toContain("required option '--to <user>' not specified");
    expect(code).toBe(2);
    const neither = await line.run(['tokens', 'transfer', '--to', '3']);
    expect(neither.stderr).toMatch(
      /^latchkey: either name tokens or give filters: see latchkey tokens transfer --help/,
    );
  });
});

describe('a seed', () => {
  test('holds services with managers and a limit of scopes, and external owners', async () => {
    const { server } = await start();
    const client = server.client(ADA.email);
    const { items } = await client.listUsers();
    expect(items.slice(2)).toMatchObject([
      { id: 3, kind: 'service', fullName: 'deploy jobs', managers: [2], scopes: ['deployments:write', 'tokens:read'] },
      { id: 4, kind: 'external', externalId: 'cus_42', email: 'it@example.net', metadata: { plan: 'pro' } },
    ]);
    expect(server.owners).toMatchObject([
      { id: 3, kind: 'service', externalId: null, tokens: [{ name: 'old job' }] },
      { id: 4, kind: 'external', externalId: 'cus_42', tokens: [{ name: 'key' }] },
    ]);
    expect((await server.client('key').getMe()).user.id).toBe(4);
    const asManager = server.client('bob@example.org');
    expect((await asManager.listAccessTokens({ query: { owner: 3 } })).items.map(({ name }) => name)).toEqual([
      'old job',
    ]);
    const above = asManager.createAccessToken({ query: { owner: 3 }, body: { name: 'b', scopes: ['words:read'] } });
    await expect(above).rejects.toMatchObject({ code: 'scopes_above_ceiling', status: 409 });
    await server.reset();
    expect((await server.client('key').getMe()).user.id).toBe(4);
  });

  test('without users has its owners behind the first administrator, and their tokens what they can have', async () => {
    const { server } = await start();
    const key = { name: 'key', plaintext: 'key' };
    await server.seed({
      services: [
        {
          fullName: 'jobs',
          managers: ['admin@latchkey.local'],
          scopes: ['a:b', 'tokens:read'],
          tokens: [{ name: 'job' }],
        },
      ],
      externalUsers: [{ externalId: 'cus_42', tokens: [key] }],
    });
    expect(server.users).toMatchObject([{ id: 1, email: 'admin@latchkey.local' }]);
    expect(server.owners).toMatchObject([
      { id: 2, kind: 'service' },
      { id: 3, kind: 'external' },
    ]);
    const client = server.client('admin@latchkey.local');
    const scopesOf = async (owner: number) => {
      const { items } = await client.listAccessTokens({ query: { owner } });
      return items.map(({ scopes }) => scopes);
    };
    expect(await scopesOf(2)).toEqual([['tokens:read']]);
    expect(await scopesOf(3)).toEqual([['tokens:read', 'tokens:write']]);
    expect((await server.client('key').getMe()).user.id).toBe(3);
  });

  test.each<[string, object, RegExp]>([
    [
      'a manager who is no user',
      { services: [{ fullName: 'a', managers: ['x@example.org'] }] },
      /services\[0\]\.managers\[0\]/,
    ],
    [
      'an external id twice',
      { externalUsers: [{ externalId: 'a' }, { externalId: 'a' }] },
      /externalUsers\[1\]\.externalId/,
    ],
    [
      'a session of a service',
      { services: [{ fullName: 'a', tokens: [{ name: 'a', type: 'session' }] }] },
      /services\[0\]\.tokens\[0\]\.type/,
    ],
    ['a service without a name', { services: [{ fullName: ' ' }] }, /services\[0\]\.fullName/],
    [
      'a reserved scope as the most of a service',
      { services: [{ fullName: 'a', scopes: ['a:b', 'tokens:other'] }] },
      /services\[0\]\.scopes: tokens:other is reserved/,
    ],
    [
      'a scope of administrators in a token of a service',
      { services: [{ fullName: 'a', tokens: [{ name: 'a', scopes: ['tokens:act-as', 'users:admin'] }] }] },
      /services\[0\]\.tokens\[0\]\.scopes: no token of a service can have users:admin/,
    ],
    [
      'a scope in a token of an external owner that none of them can have',
      { externalUsers: [{ externalId: 'a', tokens: [{ name: 'a', scopes: ['tokens:verify'] }] }] },
      /externalUsers\[0\]\.tokens\[0\]\.scopes: no token of an external owner can have tokens:verify/,
    ],
    [
      'an external id that no path can have',
      { externalUsers: [{ externalId: '..' }] },
      /externalUsers\[0\]\.externalId/,
    ],
  ])('with %s is refused', async (_, part, place) => {
    const { server } = await start();
    await expect(server.seed({ ...OWNERS, ...part })).rejects.toThrow(place);
  });
});
