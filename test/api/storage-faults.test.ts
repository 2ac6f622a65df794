import { expect, test, vi } from 'vitest';
import type { Client } from '../../generated/client/index.js';
import {
  createAccessToken,
  createPrivateToken,
  getAccessToken,
  getMe,
  getReadiness,
  listAccessTokens,
  listPrivateTokens,
  logIn,
  logOut,
  revokeAccessToken,
  revokeAllAccessTokens,
  revokePrivateToken,
} from '../../generated/index.js';
import { createFaultyDatabase } from '../support/faulty-database.js';
import { answered, startService } from '../support/service.js';
import { change, rowsOf } from '../support/store.js';

const uuid = '018f4e2a-0000-7000-8000-000000000000';
const expiration = '2031-01-01T00:00:00Z';
type Call = (client: Client) => Promise<{ response: Response; error?: unknown }>;
const secured: [operation: string, call: Call][] = [
  ['getMe', (client) => getMe({ client })],
  ['listAccessTokens', (client) => listAccessTokens({ client })],
  ['createAccessToken', (client) => createAccessToken({ client, body: { name: 'lost' } })],
  ['revokeAccessToken', (client) => revokeAccessToken({ client, path: { token_id: uuid } })],
  ['revokeAllAccessTokens', (client) => revokeAllAccessTokens({ client })],
  ['logOut', (client) => logOut({ client })],
  ['listPrivateTokens', (client) => listPrivateTokens({ client })],
  [
    'createPrivateToken',
    (client) => createPrivateToken({ client, body: { name: 'lost', expiration_time: expiration } }),
  ],
  ['revokePrivateToken', (client) => revokePrivateToken({ client, path: { id: 1 } })],
];

test('while the storage fails, a good credential is 503 with Retry-After in every operation, never 401, and serves again afterwards', async () => {
  const faulty = createFaultyDatabase();
  const service = await startService({ openDatabase: (path) => faulty.open(path) });
  const admin = await service.admin();
  const { plaintext } = await answered(createAccessToken({ client: admin.client, body: { name: 'kept' } }));
  const before = await answered(listAccessTokens({ client: admin.client }));

  faulty.set('storage');
  for (const [operation, call] of secured) {
    for (const token of [admin.token, plaintext]) {
      const { response, error } = await call(service.as(token));
      expect(response.status, operation).toBe(503);
      expect(response.headers.get('Retry-After'), operation).toMatch(/^[1-9]\d*$/);
      expect(response.headers.get('WWW-Authenticate'), operation).toBeNull();
      expect(JSON.stringify(error), operation).not.toMatch(/disk|lk_/);
    }
  }
  const last = service.log.at(-1) ?? '';
  expect(last).toContain('disk I/O error');
  expect(service.log.join('')).not.toContain(plaintext);

  faulty.set('none');
  const after = await answered(listAccessTokens({ client: admin.client }));
  const known = ({ id, name, revokedAt }: (typeof after.items)[number]) => ({ id, name, revokedAt });
  expect(after.items.map(known)).toEqual(before.items.map(known));
  expect((await getMe({ client: service.as(plaintext) })).response.status).toBe(200);
});

test('a use before the storage fails is told of afterwards', async () => {
  const faulty = createFaultyDatabase();
  const service = await startService({ openDatabase: (path) => faulty.open(path) });
  const { client } = await service.admin();
  const { plaintext, token } = await answered(createAccessToken({ client, body: { name: 'used once' } }));
  await answered(getMe({ client: service.as(plaintext) }));
  faulty.set('storage');
  await vi.waitFor(() => {
    expect(service.log.join('')).toContain('lastUsedAt could not be written');
  }, 5_000);
  faulty.set('none');
  await vi.waitFor(async () => {
    const { lastUsedAt } = await answered(getAccessToken({ client, path: { token_id: token.id } }));
    expect(lastUsedAt).toBe('2030-06-15T12:00:00.000Z');
  }, 10_000);
}, 20_000);

test('while the storage fails, a login is 503 and counts as no failure of the user', async () => {
  const faulty = createFaultyDatabase();
  const service = await startService({ openDatabase: (path) => faulty.open(path) });
  const { email, password } = await service.admin();
  faulty.set('storage');
  for (let attempt = 0; attempt < 12; attempt++) {
    const { response } = await logIn({ client: service.anonymous, body: { username: email, password } });
    expect(response.status).toBe(503);
    expect(response.headers.get('Set-Cookie')).toBeNull();
  }
  faulty.set('none');
  const { response } = await logIn({ client: service.anonymous, body: { username: email, password } });
  expect(response.status).toBe(200);
});

test('while the storage fails, a nonsensical credential is 401 all the same, and readiness 503', async () => {
  const faulty = createFaultyDatabase();
  const service = await startService({ openDatabase: (path) => faulty.open(path) });
  faulty.set('storage');
  expect((await getMe({ client: service.as('nonsense') })).response.status).toBe(401);
  expect((await getReadiness({ client: service.anonymous })).response.status).toBe(503);
  expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
});

test('a token whose row cannot be inserted is refused, and its secret opens no other one', async () => {
  const service = await startService();
  const { client } = await service.admin();
  const { client: other } = await service.newUser();
  await answered(createAccessToken({ client, body: { name: 'same' } }));
  await change(service, "create unique index failing on access_tokens (name) where name = 'same'");
  const called = async (by: Client, name: string) => {
    const { response } = await createAccessToken({ client: by, body: { name } });
    return response.status;
  };
  // At once, so that they share a transaction on SQLite.
  const statuses = await Promise.all([
    called(client, 'a'),
    called(other, 'b'),
    called(client, 'same'),
    called(other, 'c'),
  ]);
  expect(statuses).toEqual([201, 201, 500, 201]);
  expect(await rowsOf(service, 'select token_id from token_secrets group by token_id having count(*) > 1')).toEqual([]);
});
