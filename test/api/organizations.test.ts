import { expect, test } from 'vitest';
import {
  createAccessToken,
  createUser,
  getAccessToken,
  getExternalUser,
  getMe,
  listAccessTokens,
  listPrivateTokens,
  listUsers,
  putExternalUser,
  revokeAllAccessTokens,
  verifyAccessToken,
} from '../../generated/index.js';
import { send } from '../support/http.js';
import { expectRefusal } from '../support/refusal.js';
import { answered, startService } from '../support/service.js';
import { change } from '../support/store.js';

// There is one organization for now. What another one has is nobody's business here, not even an administrator's.

const NONE = { status: 404 };
const NO_OWNER = { status: 404, body: { detail: 'No such owner.', code: 'owner_not_found' } };

/** The first user, and another administrator, whose organization is moved away; each with a token. */
async function startTwo() {
  const service = await startService();
  const admin = await service.admin();
  const other = await service.newUser('other@example.org');
  const [mine, theirs] = [
    await answered(createAccessToken({ client: admin.client, body: { name: 'mine' } })),
    await answered(createAccessToken({ client: other.client, body: { name: 'theirs' } })),
  ];
  await change(
    service,
    "insert into organizations (uuid, name, slug, created_at) select uuid, 'Other', 'other', 0 from access_tokens where id = 1",
    "update users set organization_id = 2, is_admin = 1 where email = 'other@example.org'",
    'update access_tokens set organization_id = 2 where owner_id = 2',
  );
  return { service, admin, other, mine, theirs };
}

test('an administrator neither sees nor changes tokens and users of another organization', async () => {
  const { service, admin, other, mine, theirs } = await startTwo();
  for (const [{ token, client }, owner, { token: foreign }] of [
    [admin, 2, theirs],
    [other, 1, mine],
  ] as const) {
    const path = `/api/v1/access-tokens/${foreign.id}`;
    for (const [line, json] of [
      ['GET /api/v1/access-tokens', undefined],
      ['DELETE /api/v1/access-tokens', undefined],
      ['POST /api/v1/access-tokens', { name: 'a' }],
      ['POST /api/v1/access-tokens/revoke', { ids: [foreign.id] }],
      ['POST /api/v1/access-tokens/revoke', { filter: { tokenType: 'pat' } }],
      [`PATCH ${path}`, { name: 'b' }],
      [`POST ${path}/rotate`, {}],
      [`GET ${path}/audit-events`, undefined],
    ] as const) {
      const named = `${line}?owner=${String(owner)}` as const;
      await expectRefusal(service, () => send(service, named, { token, json }), NO_OWNER);
    }
    for (const line of [
      `GET ${path}?owner=${String(owner)}`,
      `DELETE ${path}?owner=${String(owner)}`,
      `GET ${path}`,
      `DELETE ${path}`,
      `POST ${path}/rotate`,
      `GET /api/v1/users/${String(owner)}`,
    ] as const) {
      await expectRefusal(service, () => send(service, line, { token }), NONE);
    }
    for (const [line, json] of [
      [`PATCH ${path}`, { name: 'b' }],
      [`PATCH /api/v1/users/${String(owner)}`, { password: 'another password', revokeTokens: true }],
    ] as const) {
      await expectRefusal(service, () => send(service, line, { token, json }), NONE);
    }
    const { items } = await answered(listUsers({ client }));
    expect(items.map(({ id }) => id)).toEqual([owner === 1 ? 2 : 1]);
  }
});

test('each organization serves its own people in full', async () => {
  const { service, admin, other, mine, theirs } = await startTwo();
  for (const [{ client, token }, { plaintext, token: own }, organization] of [
    [admin, mine, 'Latchkey'],
    [other, theirs, 'Other'],
  ] as const) {
    expect((await answered(getMe({ client }))).session.organization.name).toBe(organization);
    expect((await answered(listPrivateTokens({ client }))).results.map(({ name }) => name)).toEqual([own.name]);
    expect(await answered(getAccessToken({ client, path: { token_id: own.id } }))).toMatchObject({ name: own.name });
    const { token: created } = await answered(createAccessToken({ client, body: { name: 'new' } }));
    const listed = await answered(listAccessTokens({ client, query: { tokenType: 'pat' } }));
    expect(listed.items.map(({ id }) => id)).toEqual([created.id, own.id]);
    const { user } = await answered(createUser({ client, body: { email: `new@${organization}.example` } }));
    expect((await answered(listUsers({ client }))).items.map(({ id }) => id)).toContain(user.id);
    // The last administrator of an organization, whoever administers others.
    const { id } = (await answered(getMe({ client }))).user;
    await expectRefusal(
      service,
      () => send(service, `PATCH /api/v1/users/${String(id)}`, { token, json: { isAdmin: false } }),
      { status: 409 },
    );
    expect((await answered(verifyAccessToken({ client, body: { token: plaintext } }))).code).toBe('valid');
    expect((await answered(revokeAllAccessTokens({ client }))).revokedCount).toBe(2);
  }
});

test('an external id means an owner of the own organization, and no owner of another one gets or gives tokens', async () => {
  const { service, admin, other, mine, theirs } = await startTwo();
  const path = { external_id: 'cus_42' };
  const foreign = await answered(putExternalUser({ client: other.client, path, body: { fullName: 'Theirs' } }));
  const query = { externalOwner: 'cus_42' };
  const key = await answered(createAccessToken({ client: other.client, query, body: { name: 'key', scopes: [] } }));
  const { client, token } = admin;
  for (const [line, json] of [
    ['GET /api/v1/access-tokens?externalOwner=cus_42', undefined],
    ['POST /api/v1/access-tokens?externalOwner=cus_42', { name: 'a' }],
    [`DELETE /api/v1/access-tokens/${key.token.id}?externalOwner=cus_42`, undefined],
    [`DELETE /api/v1/access-tokens?owner=${String(foreign.id)}`, undefined],
    ['POST /api/v1/access-tokens/transfer', { ids: [mine.token.id], to: foreign.id }],
    [`POST /api/v1/access-tokens/transfer?owner=${String(foreign.id)}`, { ids: [key.token.id], to: 1 }],
  ] as const) {
    await expectRefusal(service, () => send(service, line, { token, json }), NO_OWNER);
  }
  for (const [line, json] of [
    ['GET /api/v1/users/external/cus_42', undefined],
    ['DELETE /api/v1/users/external/cus_42', undefined],
    [`PATCH /api/v1/users/${String(foreign.id)}`, { disabled: true }],
    [`POST /api/v1/users/${String(foreign.id)}/offboard`, { tokens: 'revoke' }],
    ['POST /api/v1/users/services', { fullName: 'jobs', managers: [2] }],
  ] as const) {
    await expectRefusal(service, () => send(service, line, { token, json }), NONE);
  }
  const own = await answered(putExternalUser({ client, path, body: { fullName: 'Ours' } }));
  expect(own.id).not.toBe(foreign.id);
  expect((await answered(getExternalUser({ client: other.client, path }))).fullName).toBe('Theirs');
  expect((await answered(listAccessTokens({ client, query }))).items).toEqual([]);
  await answered(createAccessToken({ client, query, body: { name: 'key', scopes: [] } }));
  expect((await answered(listAccessTokens({ client: other.client, query }))).items).toEqual([key.token]);
  const { code } = await answered(verifyAccessToken({ client: other.client, body: { token: theirs.plaintext } }));
  expect(code).toBe('valid');
});
