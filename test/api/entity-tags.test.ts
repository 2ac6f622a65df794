import { expect, test } from 'vitest';
import {
  changePassword,
  createAccessToken,
  getAccessToken,
  listAccessTokens,
  listPrivateTokens,
  logOut,
  refreshSession,
  revokeAccessToken,
  revokeAccessTokens,
  revokeAllAccessTokens,
  revokeCurrentAccessToken,
  revokeOAuthToken,
  revokePrivateToken,
  rotateAccessToken,
  rotateCurrentAccessToken,
  updateAccessToken,
  updateUser,
  verifyAccessToken,
} from '../../generated/index.js';
import { openUsers } from '../../server/index.js';
import { answered, type Person, type Service, startService } from '../support/service.js';
import { change } from '../support/store.js';

// Every write of a token gives it another entity tag, and a use gives it none.

interface Parties {
  service: Service;
  admin: Person;
  user: Person;
  id: string;
  plaintext: string;
}

type Write = (parties: Parties) => unknown;

const edit =
  (body: Parameters<typeof updateAccessToken>[0]['body']): Write =>
  ({ user: { client }, id }) =>
    updateAccessToken({ client, path: { token_id: id }, body });

/** What leaves the user's personal access token in use. */
const CHANGES: [string, Write][] = [
  ['another name', edit({ name: 'b' })],
  ['the name that it has', edit({ name: 'mine' })],
  ['a description', edit({ description: 'b' })],
  ['metadata', edit({ metadata: { a: 'b' } })],
  ['an expiry', edit({ expiresInDays: 1 })],
  ['scopes', edit({ scopes: ['tokens:read', 'tokens:write'] })],
  ['disabling', edit({ disabled: true })],
  ['ending earlier secrets', edit({ previousSecret: null })],
  ['a rotation', ({ user: { client }, id }) => rotateAccessToken({ client, path: { token_id: id } })],
];

/** What ends the token, and what only its first plaintext can do. */
const ENDS: [string, Write][] = [
  ['a rotation by itself', ({ service, plaintext }) => rotateCurrentAccessToken({ client: service.as(plaintext) })],
  ['a revocation', ({ user: { client }, id }) => revokeAccessToken({ client, path: { token_id: id } })],
  [
    'a revocation by an administrator',
    ({ admin: { client }, id }) => revokeAccessToken({ client, path: { token_id: id }, query: { owner: 2 } }),
  ],
  ['a revocation by itself', ({ service, plaintext }) => revokeCurrentAccessToken({ client: service.as(plaintext) })],
  [
    'a revocation by the other API',
    async ({ user: { client } }) => {
      const { results } = await answered(listPrivateTokens({ client }));
      await revokePrivateToken({ client, path: { id: results[0]?.id ?? 0 } });
    },
  ],
  ['a revocation of several', ({ user: { client }, id }) => revokeAccessTokens({ client, body: { ids: [id] } })],
  ['a revocation of all', ({ user: { client } }) => revokeAllAccessTokens({ client })],
  [
    'a revocation by its plaintext',
    ({ admin: { client }, plaintext }) => revokeOAuthToken({ client, body: { token: plaintext } }),
  ],
  [
    'a password that an administrator sets',
    ({ admin: { client } }) =>
      updateUser({ client, path: { user_id: 2 }, body: { password: 'another password', revokeTokens: true } }),
  ],
];

/** On the session that the user logged in with. */
const SESSION_WRITES: [string, Write][] = [
  [
    'a refresh',
    ({ service, user }) =>
      refreshSession({ client: service.anonymous, body: { refresh_token: user.session.refresh_token } }),
  ],
  ['a rotation by itself', ({ user: { client } }) => rotateCurrentAccessToken({ client })],
  ['logging out', ({ user: { client } }) => logOut({ client })],
  [
    'a spent refresh token',
    async ({ service, user }) => {
      // The first use changes the tag too: it is the second one that is looked at.
      await change(service, 'update refresh_tokens set spent_at = expires_at');
      await refreshSession({ client: service.anonymous, body: { refresh_token: user.session.refresh_token } });
    },
  ],
  [
    'a new password',
    async ({ service, user }) => {
      const { client } = await service.logIn(user.email, user.password);
      await changePassword({ client, body: { currentPassword: user.password, newPassword: 'another password' } });
    },
  ],
  [
    'disabling its user',
    async ({ service, user }) => {
      const users = await openUsers(service.database);
      await users.disable(user.email);
      await users.close();
    },
  ],
];

async function start(): Promise<Parties> {
  const service = await startService();
  const admin = await service.admin();
  const user = await service.newUser();
  const { plaintext, token } = await answered(createAccessToken({ client: user.client, body: { name: 'mine' } }));
  return { service, admin, user, id: token.id, plaintext };
}

/** As the administrator sees it, who sees it after the user is disabled too. */
async function tagOf({ admin: { client } }: Parties, id: string): Promise<string> {
  const { response } = await getAccessToken({ client, path: { token_id: id }, query: { owner: 2 } });
  expect(response.status).toBe(200);
  return response.headers.get('ETag') ?? '';
}

test('every edit and rotation gives a personal access token another tag', async () => {
  const parties = await start();
  const tags = [await tagOf(parties, parties.id)];
  for (const [name, write] of CHANGES) {
    await write(parties);
    const tag = await tagOf(parties, parties.id);
    expect(tag, name).toMatch(/^"[A-Za-z0-9_-]{16}"$/);
    expect(tags, name).not.toContain(tag);
    tags.push(tag);
  }
});

test.each(ENDS)('%s gives a personal access token another tag', async (_, write) => {
  const parties = await start();
  const before = await tagOf(parties, parties.id);
  await write(parties);
  expect(await tagOf(parties, parties.id)).not.toBe(before);
});

test.each(SESSION_WRITES)('%s gives a session another tag', async (_, write) => {
  const parties = await start();
  const { items } = await answered(listAccessTokens({ client: parties.user.client, query: { tokenType: 'session' } }));
  const id = items[0]?.id ?? '';
  const before = await tagOf(parties, id);
  await write(parties);
  expect(await tagOf(parties, id)).not.toBe(before);
});

test('a use and a second revocation leave the tag as it is', async () => {
  const parties = await start();
  const { service, user, admin, id, plaintext } = parties;
  const before = await tagOf(parties, id);
  await answered(verifyAccessToken({ client: user.client, body: { token: plaintext } }));
  await answered(listAccessTokens({ client: service.as(plaintext) }));
  await service.restart();
  expect(await tagOf({ ...parties, admin: { ...admin, client: service.as(admin.token) } }, id)).toBe(before);

  const client = service.as(user.token);
  await revokeAccessToken({ client, path: { token_id: id } });
  const again = { ...parties, admin: { ...admin, client: service.as(admin.token) } };
  const revoked = await tagOf(again, id);
  for (let time = 0; time < 2; time++) await revokeAccessToken({ client, path: { token_id: id } });
  await answered(revokeAllAccessTokens({ client }));
  expect(await tagOf(again, id)).toBe(revoked);
});

test('a database that is restored repeats versions, and a rotation after the backup has another tag', async () => {
  const parties = await start();
  const { service, user, id } = parties;
  const path = { token_id: id };
  const first = await rotateAccessToken({ client: user.client, path });
  await change(service, "update access_tokens set version = version - 1 where name = 'mine'");
  const second = await rotateAccessToken({ client: user.client, path });
  expect(second.response.headers.get('ETag')).not.toBe(first.response.headers.get('ETag'));
});
