import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { InvalidArgument, type Seed } from '../../server/index.js';
import { send } from '../support/http.js';
import { plaintextOf, SEED, startLocal } from '../support/local-server.js';
import { withChecksum } from '../support/plaintext.js';
import { newFolder } from '../support/process.js';

const METADATA_OF_17 = Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`a${String(index)}`, '']));
const WELL_FORMED = withChecksum('lk_pat_4fGq1ZsW8vKtYb0Xc7Rn2LmJd5PhQe');

describe('what is seeded', () => {
  test('passwords open sessions, unless the user is disabled', async () => {
    const server = await startLocal();
    const logIn = (username: string, password: string) =>
      send(server, 'POST /api/v1/auth/login/', { json: { username, password } });
    expect((await logIn('ada@example.org', 'correct horse')).status).toBe(200);
    expect((await logIn('ada@example.org', 'wrong horse')).status).toBe(401);
    expect((await logIn('bob@example.org', server.users[1]?.password ?? '')).status).toBe(200);
    expect((await logIn('eve@example.org', 'eve has a password')).status).toBe(403);
  });

  test('users and tokens are as they are stated, to the millisecond', async () => {
    const id = '019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b';
    const token = {
      name: 'deploy bot',
      plaintext: WELL_FORMED,
      id,
      createdAt: '2001-02-03T04:05:06.789Z',
      expiresAt: '2099-01-01T02:00:00+02:00',
      lastUsedAt: '2002-01-01T00:00:00Z',
      revokedAt: null,
      description: 'Ships what main builds.\nTwice a day.',
      metadata: { team: 'platform', 'cost-centre': '' },
      scopes: ['tokens:read', 'invoices:read'],
    };
    const seed: Seed = {
      users: [{ email: 'Ada@Example.org', isAdmin: true, fullName: 'Ada', createdAt: new Date(0), tokens: [token] }],
    };
    const server = await startLocal({ testing: { seed, frozenAt: '2050-01-01T00:00:00Z' } });
    const shown = await send(server, `GET /api/v1/access-tokens/${id}`, { token: WELL_FORMED });
    expect(shown.body).toEqual({
      id,
      name: 'deploy bot',
      description: 'Ships what main builds.\nTwice a day.',
      metadata: { team: 'platform', 'cost-centre': '' },
      scopes: ['invoices:read', 'tokens:read'],
      tokenPrefix: 'lk_pat_4fGq1',
      tokenType: 'pat',
      createdAt: '2001-02-03T04:05:06.789Z',
      expiresAt: '2099-01-01T00:00:00.000Z',
      lastUsedAt: expect.stringMatching(/^20(02|50)-01-01T00:00:00.000Z$/) as string,
      revokedAt: null,
      disabled: false,
      previousSecret: null,
    });
    const me = await send(server, 'GET /api/v1/auth/me', { token: WELL_FORMED });
    expect(me.body).toMatchObject({
      user: { id: 1, email: 'ada@example.org', fullName: 'Ada', isAdmin: true, createdAt: '1970-01-01T00:00:00.000Z' },
    });
  });

  test("without scopes a token has its owner's but users:admin, which it has only where that is named", async () => {
    const tokens = [
      { name: 'none', plaintext: 'none' },
      { name: 'named', plaintext: 'named', scopes: ['users:admin', 'tokens:read'] },
    ];
    const server = await startLocal({
      testing: { seed: { users: [{ email: 'ada@example.org', isAdmin: true, tokens }] } },
    });
    const scopes = async (name: string) => (await server.client(name).getCurrentAccessToken()).scopes;
    expect(await scopes('none')).toEqual(['tokens:read', 'tokens:verify', 'tokens:write']);
    expect(await scopes('named')).toEqual(['tokens:read', 'users:admin']);
  });

  test('tokens that are expired, revoked or of a disabled user open nothing', async () => {
    const server = await startLocal();
    for (const [name, status] of [
      ['deploy bot', 200],
      ['old', 401],
      ['gone', 401],
      ['e', 401],
    ] as const) {
      const answer = await send(server, 'GET /api/v1/auth/me', { token: plaintextOf(server, name) });
      expect(answer.status, name).toBe(status);
    }
  });

  test('a token is bare where nothing is said of it', async () => {
    const server = await startLocal();
    expect(await server.client('deploy').getCurrentAccessToken()).toMatchObject({
      description: '',
      metadata: {},
      disabled: false,
      previousSecret: null,
    });
  });

  test('a token that is disabled opens nothing until its owner takes that back', async () => {
    const seed: Seed = { users: [{ email: 'a@b', tokens: [{ name: 't', plaintext: 't', disabled: true }] }] };
    const server = await startLocal({ testing: { seed } });
    const holder = server.client('t');
    const owner = server.client('a@b');
    const token = plaintextOf(server, 't');
    await expect(holder.getMe()).rejects.toMatchObject({ code: 'unauthorized' });
    expect(await owner.verifyAccessToken({ body: { token } })).toMatchObject({
      valid: false,
      code: 'disabled',
      token: { name: 't', disabled: true },
    });
    const path = { token_id: server.users[0]?.tokens[0]?.id ?? '' };
    await owner.updateAccessToken({ path, body: { disabled: false } });
    expect(await holder.getMe()).toMatchObject({ user: { email: 'a@b' } });
    await server.reset();
    await expect(holder.getMe()).rejects.toMatchObject({ code: 'unauthorized' });
  });

  test('tokens that are seeded are edited and rotated as others are', async () => {
    const server = await startLocal();
    const lk = server.client('ada@example.org');
    const path = { token_id: server.users[0]?.tokens[0]?.id ?? '' };
    await lk.updateAccessToken({ path, body: { description: 'Ships.', metadata: { team: 'platform' } } });
    const { plaintext } = await lk.rotateAccessToken({ path, body: { gracePeriodSeconds: 60 } });
    const prefix = plaintextOf(server, 'deploy bot').slice(0, 12);
    expect(await server.client(plaintext).getCurrentAccessToken()).toMatchObject({
      description: 'Ships.',
      metadata: { team: 'platform' },
      previousSecret: { tokenPrefix: prefix },
    });
    await server.client('deploy').getMe();
    expect((await lk.getAccessToken({ path })).previousSecret?.lastUsedAt).not.toBeNull();
  });

  test('a shorthand is filled up with zeros and gets its checksum', async () => {
    const server = await startLocal({ brand: 'acme' });
    const filled = withChecksum(`acme_pat_${'deploy'.padEnd(30, '0')}`);
    expect(plaintextOf(server, 'deploy bot')).toBe(filled);
  });

  test('a session is seeded with a plaintext of its own kind', async () => {
    const seed: Seed = { users: [{ email: 'a@b', tokens: [{ name: 's', type: 'session', plaintext: 's' }] }] };
    const server = await startLocal({ testing: { seed } });
    const token = plaintextOf(server, 's');
    expect(token).toMatch(/^lk_ses_s0+/);
    expect((await send(server, 'GET /api/v1/auth/me', { token })).body).toMatchObject({
      session: { tokenType: 'session' },
    });
  });

  test('ids count on behind the seed, and what is seeded lists as what was created', async () => {
    const server = await startLocal();
    const token = plaintextOf(server, 'deploy bot');
    const json = { name: 'new', expiration_time: '2099-01-01T00:00:00Z' };
    const created = await send(server, 'POST /api/v1/auth/private_tokens/', { token, json });
    expect(created.body).toMatchObject({ id: 6 });
    const list = await send(server, 'GET /api/v1/auth/private_tokens/', { token });
    expect((list.body as { results: { id: number }[] }).results.map(({ id }) => id)).toEqual([6, 2, 1]);
  });

  test('thousands of tokens are there in seconds', async () => {
    const tokens = Array.from({ length: 5_000 }, (_, index) => ({ name: `token ${String(index)}` }));
    const from = performance.now();
    const server = await startLocal({ testing: { seed: { users: [{ email: 'a@b', tokens }] } } });
    expect(performance.now() - from).toBeLessThan(5_000);
    expect(server.users[0]?.tokens).toHaveLength(5_000);
  });
});

describe('relative moments', () => {
  test('count from the clock, and again at each reset', async () => {
    const seed: Seed = { users: [{ email: 'a@b', tokens: [{ name: 't', plaintext: 't', expiresAt: '+1h' }] }] };
    const server = await startLocal({ testing: { seed, frozenAt: '2030-01-01T00:00:00Z' } });
    const token = plaintextOf(server, 't');
    const id = server.users[0]?.tokens[0]?.id ?? '';
    server.clock.advance(3_599_999);
    const shown = await send(server, `GET /api/v1/access-tokens/${id}`, { token });
    expect(shown.body).toMatchObject({ id, expiresAt: '2030-01-01T01:00:00.000Z' });
    server.clock.advance(1);
    expect((await send(server, 'GET /api/v1/auth/me', { token })).status).toBe(401);
    await server.reset();
    expect((await send(server, `GET /api/v1/access-tokens/${id}`, { token })).status).toBe(200);
  });
});

const bad: [string, unknown, string][] = [
  ['a member that is not known', { user: [] }, 'user is not known; known are $schema, users'],
  ['users that are no list', { users: {} }, 'users must be an array'],
  ['no e-mail', { users: [{}] }, 'users[0].email is missing'],
  ['no e-mail address', { users: [{ email: 'nobody' }] }, 'users[0].email must be a valid email'],
  [
    'a short password',
    { users: [{ email: 'a@b', password: 'short' }] },
    'users[0].password must have at least 8 characters',
  ],
  [
    'one e-mail twice',
    { users: [{ email: 'a@b' }, { email: 'A@b' }] },
    'users[1].email must differ from users[0].email',
  ],
  ['a flag that is a text', { users: [{ email: 'a@b', isAdmin: 'yes' }] }, 'users[0].isAdmin must be a boolean'],
  ...tokenCases(),
];

function tokenCases(): [string, unknown, string][] {
  const first = { name: 'one', plaintext: 'one' };
  const cases: [string, unknown, string][] = [
    ['no name', {}, 'name is missing'],
    ['an invisible name', { name: ' ' }, 'name must be a text with a visible character'],
    ['a misspelt member', { name: 't', expireAt: null }, 'expireAt is not known; known are name, plaintext, id, type'],
    ['a type that is none', { name: 't', type: 'key' }, 'type must be one of pat, session'],
    [
      'an instant without a zone',
      { name: 't', expiresAt: '2030-01-01T00:00:00' },
      'expiresAt must be null, a date-time of RFC 3339',
    ],
    ['a unit that is none', { name: 't', expiresAt: '+3w' }, 'expiresAt must be null, a date-time of RFC 3339'],
    ['a number for an instant', { name: 't', createdAt: 5 }, 'createdAt must be a string'],
    [
      'a day that is none',
      { name: 't', revokedAt: '2030-02-30T00:00:00Z' },
      'revokedAt must be an existing date and time',
    ],
    [
      'a moment before 1970',
      { name: 't', createdAt: '1969-12-31T23:59:59Z' },
      'createdAt must be an existing date and time',
    ],
    ['a far past', { name: 't', lastUsedAt: '-999999d' }, 'lastUsedAt must be an existing date and time'],
    ['a flag that is a number', { name: 't', disabled: 1 }, 'disabled must be a boolean'],
    ['a long description', { name: 't', description: 'x'.repeat(1_001) }, 'description must have at most 1000'],
    ['a description that rings', { name: 't', description: '\u0007' }, 'description must be a text without control'],
    ['metadata that are a list', { name: 't', metadata: ['a'] }, 'metadata must be an object'],
    ['a number among metadata', { name: 't', metadata: { team: 7 } }, 'metadata.team must be a string'],
    ['a long text among metadata', { name: 't', metadata: { a: 'x'.repeat(257) } }, 'metadata.a must have at most 256'],
    ['an empty name of metadata', { name: 't', metadata: { '': 'a' } }, 'metadata: a name must have at least 1'],
    [
      'a name of metadata with a space',
      { name: 't', metadata: { 'a b': '' } },
      'metadata: a name must be letters, digits',
    ],
    ['much metadata', { name: 't', metadata: METADATA_OF_17 }, 'metadata must have at most 16 entries'],
    ['an id that is none', { name: 't', id: '7' }, 'id must be a valid uuid'],
    ['a plaintext twice', { name: 't', plaintext: 'one' }, 'plaintext must differ from users[0].tokens[0].plaintext'],
    ['a plaintext of nobody', { name: 't', plaintext: 'my-token' }, 'plaintext must be 1 to 30 letters and digits'],
    [
      'a plaintext of another kind',
      { name: 't', type: 'session', plaintext: WELL_FORMED },
      'lk_ses_, 30 letters and digits',
    ],
    [
      'a wrong checksum',
      { name: 't', plaintext: `${WELL_FORMED.slice(0, -1)}!` },
      `which here is ${WELL_FORMED.slice(-6)}`,
    ],
  ];
  return cases.map(([name, token, message]) => [
    name,
    { users: [{ email: 'a@b', tokens: [first, token] }] },
    message.includes('which') || message.startsWith('lk_') ? message : `users[0].tokens[1].${message}`,
  ]);
}

test.each(bad)('%s is refused by its place', async (_, seed, message) => {
  const start = startLocal({ testing: { seed: seed as Seed } });
  await expect(start).rejects.toThrow(InvalidArgument);
  await expect(start).rejects.toThrow(message);
  await expect(start).rejects.not.toThrow(/my-token|short"/);
});

describe('a seed in a file', () => {
  const yaml = `
users:
  - email: ada@example.org
    password: correct horse
    tokens:
      - name: deploy bot
        plaintext: deploy
        expiresAt: 2099-01-01T00:00:00Z
`;

  test.each([
    ['seed.yaml', yaml],
    ['seed.yml', yaml],
    ['seed.json', JSON.stringify({ $schema: 'latchkey/seed.schema.json', ...SEED })],
  ])('%s is read', async (name, text) => {
    const path = join(await newFolder(), name);
    await writeFile(path, text);
    const server = await startLocal({ testing: { seed: path } });
    expect((await send(server, 'GET /api/v1/auth/me', { token: plaintextOf(server, 'deploy bot') })).status).toBe(200);
  });

  test.each([
    ['seed.json', '{', 'seed.json is not valid JSON'],
    ['seed.yaml', 'users: [\n', 'seed.yaml is not valid YAML in line'],
    ['seed.yaml', 'users: [{}]', 'seed.yaml: users[0].email is missing'],
    ['seed.yaml', '', 'seed.yaml: the seed must be an object'],
  ])('%s with %j is refused by its name and place', async (name, text, message) => {
    const path = join(await newFolder(), name);
    await writeFile(path, text);
    await expect(startLocal({ testing: { seed: path } })).rejects.toThrow(message);
  });

  test('that is not there is refused', async () => {
    await expect(startLocal({ testing: { seed: '/nowhere/seed.yaml' } })).rejects.toThrow(
      'cannot read seed /nowhere/seed.yaml: ENOENT',
    );
  });
});

test('another seed takes the place of the first, for resets too', async () => {
  const server = await startLocal();
  const before = plaintextOf(server, 'deploy bot');
  const users = await server.seed({ users: [{ email: 'zoe@example.org', tokens: [{ name: 'z', plaintext: 'zoe' }] }] });
  expect(users.map(({ email }) => email)).toEqual(['zoe@example.org']);
  await server.reset();
  expect((await send(server, 'GET /api/v1/auth/me', { token: before })).status).toBe(401);
  expect((await send(server, 'GET /api/v1/auth/me', { token: plaintextOf(server, 'z') })).status).toBe(200);

  await expect(server.seed({ users: [{ email: 'x' }] })).rejects.toThrow(
    'users[0].email must have at least 3 characters',
  );
  expect(server.users).toBe(users);
});
