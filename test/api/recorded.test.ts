import { expect, test } from 'vitest';
import {
  changePassword,
  createAccessToken,
  createPrivateToken,
  createUser,
  getMe,
  listPrivateTokens,
  logOut,
  refreshSession,
  revokeAccessToken,
  revokeAccessTokens,
  revokeAllAccessTokens,
  revokeCurrentAccessToken,
  revokeOAuthToken,
  revokePrivateToken,
  updateUser,
} from '../../generated/index.js';
import { openUsers } from '../../server/index.js';
import { answered, type Client, type Person, type Service, startService } from '../support/service.js';
import { rowsOf } from '../support/store.js';

// Who created and who revoked a token, and why, is in its row.

interface Recorded {
  name: string;
  created_by: number | null;
  created_with: number | null;
  revoked_at: number | null;
  revoked_by: number | null;
  revoked_reason: string | null;
}

async function recorded(service: Service, where = 'true'): Promise<Recorded[]> {
  const columns = 'name, created_by, created_with, revoked_at, revoked_by, revoked_reason';
  const rows = await rowsOf(service, `select ${columns} from access_tokens where ${where} order by id`);
  return rows as unknown as Recorded[];
}

async function create(client: Client, name = 'a', scopes?: string[]) {
  return await answered(createAccessToken({ client, body: { name, ...(scopes && { scopes }) } }));
}

async function idOf({ client }: Person): Promise<number> {
  return (await answered(getMe({ client }))).user.id;
}

test('a token that a session created has no creator besides its owner, and one of a token has that', async () => {
  const service = await startService();
  const { client } = await service.admin();
  const first = await create(client, 'by the session');
  const body = { name: 'by a token', expiration_time: '2031-01-01T00:00:00Z' };
  await answered(createPrivateToken({ client: service.as(first.plaintext), body }));
  await create(service.as(first.plaintext), 'by a token too');
  const { results } = await answered(listPrivateTokens({ client, query: { q: 'by the session' } }));
  const by = { created_by: null, created_with: results[0]?.id };
  expect(await recorded(service)).toMatchObject([
    { name: 'session', created_by: null, created_with: null },
    { name: 'by the session', created_by: null, created_with: null },
    { name: 'by a token', ...by },
    { name: 'by a token too', ...by },
  ]);
});

/** What somebody, `user`, or the administrator does, and what the row then says: 1 is the administrator, 2 the user. */
type Deed = (parties: { service: Service; admin: Person; user: Person; id: string; plaintext: string }) => unknown;

const DEEDS: [string, Deed, by: number | null, reason: string][] = [
  ['its owner', ({ user, id }) => revokeAccessToken({ client: user.client, path: { token_id: id } }), 2, 'user'],
  [
    'its owner, with itself',
    ({ service, plaintext }) => revokeCurrentAccessToken({ client: service.as(plaintext) }),
    2,
    'user',
  ],
  [
    'its owner, by the other API',
    async ({ user: { client } }) => {
      const { results } = await answered(listPrivateTokens({ client }));
      await revokePrivateToken({ client, path: { id: results[0]?.id ?? 0 } });
    },
    2,
    'user',
  ],
  [
    'an administrator',
    ({ admin, id }) => revokeAccessToken({ client: admin.client, path: { token_id: id }, query: { owner: 2 } }),
    1,
    'admin',
  ],
  ['a list of ids', ({ user, id }) => revokeAccessTokens({ client: user.client, body: { ids: [id] } }), 2, 'bulk'],
  [
    "an administrator's filter",
    ({ admin: { client } }) =>
      revokeAccessTokens({ client, query: { owner: 2 }, body: { filter: { tokenType: 'pat' } } }),
    1,
    'bulk',
  ],
  ['revoking everything', ({ user: { client } }) => revokeAllAccessTokens({ client }), 2, 'all'],
  [
    'whoever presents its plaintext',
    ({ admin: { client }, plaintext }) => revokeOAuthToken({ client, body: { token: plaintext } }),
    1,
    'presented',
  ],
  [
    'a new password from an administrator',
    ({ admin: { client } }) =>
      updateUser({ client, path: { user_id: 2 }, body: { password: 'another password', revokeTokens: true } }),
    1,
    'password',
  ],
  [
    'an administrator who ends all tokens of a user',
    ({ admin: { client } }) => updateUser({ client, path: { user_id: 2 }, body: { revokeTokens: true } }),
    1,
    'admin',
  ],
  [
    'an administrator who disables the user',
    ({ admin: { client } }) =>
      updateUser({ client, path: { user_id: 2 }, body: { disabled: true, revokeTokens: true } }),
    1,
    'disabled',
  ],
  [
    'the command line',
    async ({ service, user }) => {
      const users = await openUsers(service.database);
      await users.setPassword(user.email, 'another password', { revokeTokens: true });
      await users.close();
    },
    null,
    'password',
  ],
];

test.each(DEEDS)('a token revoked by %s says so', async (_, revoke, by, reason) => {
  const service = await startService();
  const admin = await service.admin();
  const user = await service.newUser();
  expect([await idOf(admin), await idOf(user)]).toEqual([1, 2]);
  const { plaintext, token } = await create(user.client, 'mine');
  service.clock.advance(1_000);
  await revoke({ service, admin, user, id: token.id, plaintext });
  const [row] = await recorded(service, "name = 'mine'");
  expect(row).toMatchObject({ revoked_by: by, revoked_reason: reason });
  expect(row?.revoked_at).not.toBeNull();
  expect(await recorded(service, 'owner_id = 1')).toMatchObject([{ revoked_by: null, revoked_reason: null }]);

  // The first revocation stays, whatever comes after it.
  service.clock.advance(1_000);
  await revokeAccessToken({ client: admin.client, path: { token_id: token.id }, query: { owner: 2 } });
  await revokeOAuthToken({ client: admin.client, body: { token: plaintext } });
  expect(await recorded(service, "name = 'mine'")).toEqual([row]);
});

const ENDS: [string, Deed, by: number | null, reason: string][] = [
  ['logging out', ({ user }) => logOut({ client: user.client }), 2, 'logout'],
  [
    'a spent refresh token',
    async ({ service, user }) => {
      const body = { refresh_token: user.session.refresh_token };
      await answered(refreshSession({ client: service.anonymous, body }));
      expect((await refreshSession({ client: service.anonymous, body })).response.status).toBe(401);
    },
    null,
    'reuse',
  ],
  [
    "its user's new password",
    async ({ service, user }) => {
      const { client } = await service.logIn(user.email, user.password);
      const body = { currentPassword: user.password, newPassword: 'another password' };
      expect((await changePassword({ client, body })).response.status).toBe(204);
    },
    2,
    'password',
  ],
  [
    'an administrator who disables the user',
    ({ admin }) => updateUser({ client: admin.client, path: { user_id: 2 }, body: { disabled: true } }),
    1,
    'disabled',
  ],
  [
    'the command line, which disables the user',
    async ({ service, user }) => {
      const users = await openUsers(service.database);
      await users.disable(user.email);
      await users.close();
    },
    null,
    'disabled',
  ],
];

test.each(ENDS)('a session that ends by %s says so', async (_, end, by, reason) => {
  const service = await startService();
  const admin = await service.admin();
  const user = await service.newUser();
  const { plaintext, token } = await create(user.client, 'stays');
  await end({ service, admin, user, id: token.id, plaintext });
  const [session] = await recorded(service, "owner_id = 2 and type = 'session'");
  expect(session).toMatchObject({ revoked_by: by, revoked_reason: reason });
  expect(session?.revoked_at).not.toBeNull();
  expect(await recorded(service, "name = 'stays'")).toMatchObject([{ revoked_at: null, revoked_reason: null }]);
});

test('the log names the request that used a spent refresh token', async () => {
  const service = await startService();
  const { session } = await service.admin();
  const refresh = (headers: Record<string, string>) =>
    refreshSession({ client: service.anonymous, body: { refresh_token: session.refresh_token }, headers });
  await refresh({});
  await refresh({ 'X-Request-Id': 'the-second-use' });
  const line = service.log.map((text) => JSON.parse(text) as object).find((one) => 'sessionToken' in one);
  expect(line).toMatchObject({ requestId: 'the-second-use', userId: 1 });
});

test('a user whom an administrator adds belongs to the organization of the administrator', async () => {
  const service = await startService();
  const { client } = await service.admin();
  await answered(createUser({ client, body: { email: 'ada@example.org' } }));
  const added = await rowsOf(service, 'select kind, organization_id from users where id = 2');
  expect(added).toEqual([{ kind: 'person', organization_id: 1 }]);
});
