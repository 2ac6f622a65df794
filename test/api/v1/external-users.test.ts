import { describe, expect, test } from 'vitest';
import {
  changePassword,
  createAccessToken,
  deleteExternalUser,
  getExternalUser,
  getMe,
  getUser,
  introspectToken,
  listAuditEvents,
  listUsers,
  logIn,
  putExternalUser,
  type UserPage,
  updateUser,
  verifyAccessToken,
} from '../../../generated/index.js';
import { send } from '../../support/http.js';
import { ANY_STRING } from '../../support/matchers.js';
import { expectRefusal } from '../../support/refusal.js';
import { ADMIN, answered, type Client, DAY, startService } from '../../support/service.js';
import { shareService } from '../../support/shared.js';
import { rowsOf } from '../../support/store.js';

// External owners: users whom the operator's own system knows, such as the customers of its API.

const ADA = { fullName: 'Ada Ltd', email: 'it@ada.example', metadata: { plan: 'pro' } };
const NO_USER = { status: 404, body: { detail: 'No such user.', code: 'not_found' } };

async function put(client: Client, id: string, body: Parameters<typeof putExternalUser>[0]['body'] = {}) {
  return await putExternalUser({ client, path: { external_id: id }, body });
}

const codeOf = async (client: Client, token: string) =>
  (await answered(verifyAccessToken({ client, body: { token } }))).code;

/** Gives the external owner a token. */
async function tokenFor(client: Client, externalOwner: string, scopes: string[] = []) {
  return await answered(createAccessToken({ client, query: { externalOwner }, body: { name: 'key', scopes } }));
}

test('an external owner is created, replaced and read', async () => {
  const service = await startService();
  const { client } = await service.admin();
  const created = await put(client, 'cus_42', ADA);
  expect(created.response.status).toBe(201);
  expect(created.response.headers.get('location')).toBe('/api/v1/users/external/cus_42');
  const known = { kind: 'external', externalId: 'cus_42', isAdmin: false, disabled: false, managers: [], scopes: null };
  expect(created.data).toEqual({ ...known, ...ADA, id: 2, createdAt: ANY_STRING });

  service.clock.advance(DAY / 48);
  const replaced = await put(client, 'cus_42', { email: null, metadata: { region: 'eu' } });
  expect(replaced.response.status).toBe(200);
  const now = { ...created.data, fullName: '', email: null, metadata: { region: 'eu' } };
  expect(replaced.data).toEqual(now);
  expect(await answered(getExternalUser({ client, path: { external_id: 'cus_42' } }))).toEqual(now);
  expect(await answered(getUser({ client, path: { user_id: 2 } }))).toEqual(now);
  await expectRefusal(service, () => getExternalUser({ client, path: { external_id: 'cus_43' } }), NO_USER);
});

test('several at once create one owner', async () => {
  const service = await startService();
  const { client } = await service.admin();
  const answers = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((fullName) => put(client, 'cus_42', { fullName })));
  expect(answers.map(({ response }) => response.status).sort()).toEqual([200, 200, 200, 200, 201]);
  expect(new Set(answers.map(({ data }) => data?.id)).size).toBe(1);
  expect((await answered(listUsers({ client, query: { kind: 'external' } }))).items).toHaveLength(1);
});

describe('an external id', () => {
  const shared = shareService();

  test('is compared byte for byte, whatever characters it has', async () => {
    const { service, admin } = await shared();
    const ids = [
      'Ä',
      'A\u0308',
      'ä',
      'a',
      'A',
      'a b',
      ' a',
      'a/b',
      'a%2Fb',
      '%',
      '?x=1',
      '...',
      'offboard',
      '.a',
      '😀'.repeat(255),
    ];
    const made = new Map<string, number>();
    for (const id of ids) {
      const { data, response } = await put(admin.client, id, { fullName: id.slice(0, 100) });
      expect([id, response.status, data?.externalId]).toEqual([id, 201, id]);
      expect(decodeURIComponent(response.headers.get('location') ?? '')).toBe(`/api/v1/users/external/${id}`);
      made.set(id, data?.id ?? 0);
    }
    expect(new Set(made.values()).size).toBe(ids.length);
    for (const id of ids) {
      const { token, plaintext } = await tokenFor(admin.client, id);
      const { owner } = await answered(verifyAccessToken({ client: admin.client, body: { token: plaintext } }));
      expect(owner).toMatchObject({ id: made.get(id), externalId: id });
      const line = `GET /api/v1/access-tokens/${token.id}?externalOwner=${encodeURIComponent(id)}` as const;
      expect((await send(service, line, { token: admin.token })).status).toBe(200);
    }
  });

  test.each([
    ['%2E', 'string_pattern_mismatch'],
    ['%2e%2e', 'string_pattern_mismatch'],
    ['a%00', 'string_pattern_mismatch'],
    ['a%0A', 'string_pattern_mismatch'],
    ['%C2%85', 'string_pattern_mismatch'],
    ['%F0%9F%98%80'.repeat(256), 'string_too_long'],
  ])('%s is refused', async (id, type) => {
    const { service, admin } = await shared();
    const problem = { loc: ['path', 'external_id'], msg: ANY_STRING, type };
    const request = () => send(service, `PUT /api/v1/users/external/${id}`, { token: admin.token, json: {} });
    await expectRefusal(service, request, { status: 422, body: { detail: [problem] } });
  });

  test.each(['', '%ED%A0%80', '%E0%A4%A', 'a/b'])('%s leads to no owner', async (id) => {
    const { service, admin } = await shared();
    const request = () => send(service, `PUT /api/v1/users/external/${id}`, { token: admin.token, json: {} });
    await expectRefusal(service, request, { status: 404 });
  });
});

test('users are listed by kind, and found by name, e-mail and external id', async () => {
  const service = await startService();
  const { client } = await service.admin();
  await service.newUser('zoë@example.org');
  for (const [id, fullName, email] of [
    ['cus_1', 'Zoë Ltd', 'it@zoe.example'],
    ['CUS_2', 'Bea', null],
    ['ÄÖ', 'Cyd', 'cyd@example.org'],
  ] as const) {
    await put(client, id, { fullName, email });
  }
  const found = async (query: Parameters<typeof listUsers>[0]['query']) => {
    const names: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: UserPage = await answered(
        listUsers({ client, query: { ...query, limit: 1, ...(cursor !== '' && { cursor }) } }),
      );
      names.push(...page.items.map(({ email, externalId }) => externalId ?? email ?? ''));
      cursor = page.nextCursor;
    }
    return names;
  };
  expect(await found({ kind: 'person' })).toEqual([ADMIN.email, 'zoë@example.org']);
  expect(await found({ kind: 'external' })).toEqual(['cus_1', 'CUS_2', 'ÄÖ']);
  expect(await found({ kind: 'service' })).toEqual([]);
  expect(await found({ q: 'ZOË' })).toEqual(['zoë@example.org', 'cus_1']);
  expect(await found({ q: 'cus_' })).toEqual(['cus_1', 'CUS_2']);
  expect(await found({ q: 'äö' })).toEqual(['ÄÖ']);
  expect(await found({ q: 'zoe.example', kind: 'external' })).toEqual(['cus_1']);
  expect(await found({ q: 'zo', kind: 'person' })).toEqual(['zoë@example.org']);
  expect(await found({})).toHaveLength(5);
});

test('a disabled owner has no valid token in any process until it is enabled, and gets no new one', async () => {
  const service = await startService();
  const { client, token } = await service.admin();
  const elsewhere = (await startService({ database: service.database })).as(token);
  await put(client, 'cus_42', ADA);
  const { plaintext } = await tokenFor(client, 'cus_42');
  const states: [change: () => Promise<unknown>, code: string][] = [
    [() => put(client, 'cus_42', { ...ADA, disabled: true }), 'owner_disabled'],
    [() => put(client, 'cus_42', ADA), 'owner_disabled'],
    [() => updateUser({ client, path: { user_id: 2 }, body: { disabled: false } }), 'valid'],
    [() => updateUser({ client, path: { user_id: 2 }, body: { disabled: true } }), 'owner_disabled'],
  ];
  for (const [change, code] of states) {
    await change();
    for (const each of [client, elsewhere]) expect(await codeOf(each, plaintext)).toBe(code);
  }
  const create = () => createAccessToken({ client, query: { externalOwner: 'cus_42' }, body: { name: 'b' } });
  await expectRefusal(service, create, { status: 409, body: { detail: ANY_STRING, code: 'owner_disabled' } });
  await put(client, 'cus_42', { ...ADA, disabled: false });
  expect(await codeOf(elsewhere, plaintext)).toBe('valid');
  await deleteExternalUser({ client, path: { external_id: 'cus_42' } });
  const { code, owner } = await answered(verifyAccessToken({ client: elsewhere, body: { token: plaintext } }));
  expect([code, owner?.externalId, owner?.fullName, owner?.email, owner?.metadata]).toEqual([
    'revoked',
    null,
    '',
    null,
    {},
  ]);
});

test('whose token it is, verify and introspection say without a second request', async () => {
  const service = await startService();
  const { client, token } = await service.admin();
  await put(client, 'cus_42', ADA);
  const { plaintext } = await tokenFor(client, 'cus_42');
  const { owner } = await answered(verifyAccessToken({ client, body: { token: plaintext } }));
  const { user, session } = await answered(getMe({ client }));
  expect(owner).toEqual({
    ...ADA,
    id: 2,
    kind: 'external',
    externalId: 'cus_42',
    organizationId: session.organizationId,
  });
  const person = { id: 1, kind: 'person', externalId: null, email: ADMIN.email, metadata: {} };
  expect((await answered(verifyAccessToken({ client, body: { token } }))).owner).toMatchObject(person);
  expect(await answered(introspectToken({ client, body: { token: plaintext } }))).toMatchObject({
    sub: '2',
    username: ADA.email,
    owner_kind: 'external',
    external_id: 'cus_42',
    owner_metadata: ADA.metadata,
  });
  await put(client, 'cus_42');
  const bare = await answered(introspectToken({ client, body: { token: plaintext } }));
  expect(bare).toMatchObject({ owner_metadata: {} });
  expect(bare).not.toHaveProperty('username');
  expect(user.email).toBe(ADMIN.email);
});

test('a deleted owner is forgotten, and its id is free for a new owner', async () => {
  const service = await startService();
  const { client } = await service.admin();
  await put(client, 'cus_42', ADA);
  const { plaintext } = await tokenFor(client, 'cus_42');
  const path = { external_id: 'cus_42' };
  expect((await deleteExternalUser({ client, path })).response.status).toBe(204);
  expect(await codeOf(client, plaintext)).toBe('revoked');
  await expectRefusal(service, () => deleteExternalUser({ client, path }), NO_USER);
  await expectRefusal(service, () => getExternalUser({ client, path }), NO_USER);
  await expectRefusal(service, () => getUser({ client, path: { user_id: 2 } }), NO_USER);
  await expectRefusal(service, () => updateUser({ client, path: { user_id: 2 }, body: { disabled: false } }), NO_USER);
  for (const query of [{ owner: 2 }, { externalOwner: 'cus_42' }]) {
    const create = () => createAccessToken({ client, query, body: { name: 'a' } });
    await expectRefusal(service, create, { status: 404, body: { detail: 'No such owner.', code: 'owner_not_found' } });
  }
  expect((await answered(listUsers({ client }))).items).toHaveLength(1);
  expect((await answered(listUsers({ client, query: { q: 'a', kind: 'external' } }))).items).toEqual([]);

  const again = await put(client, 'cus_42');
  expect([again.response.status, again.data?.id]).toEqual([201, 3]);
  expect(await codeOf(client, plaintext)).toBe('revoked');

  await expect.poll(async () => (await answered(listAuditEvents({ client }))).items[0]?.action).toBe('user.created');
  const { items } = await answered(listAuditEvents({ client }));
  expect(items.map(({ action, reason, target }) => [action, reason, target?.label])).toEqual([
    ['user.created', null, 'cus_42'],
    ['user.deleted', null, 'cus_42'],
    ['token.revoked', 'deleted', null],
    ['token.created', null, 'key'],
    ['user.created', null, 'cus_42'],
    ['session.opened', null, 'session'],
    ['user.created', null, ADMIN.email],
  ]);
  // Not even the record of events knows more than the id.
  for (const table of ['users', 'audit_events', 'outgoing_mails']) {
    const text = JSON.stringify(await rowsOf(service, `select * from ${table}`));
    for (const word of ['Ada', 'ada.example', 'pro"']) expect(text).not.toContain(word);
  }
});

test('each change has its event, which names the members and not their values', async () => {
  const service = await startService();
  const { client } = await service.admin();
  await put(client, 'cus_42', ADA);
  await put(client, 'cus_42', ADA);
  await put(client, 'cus_42', { ...ADA, metadata: {}, fullName: 'Ada Inc', disabled: true });
  await updateUser({ client, path: { user_id: 2 }, body: { disabled: false, fullName: '' } });
  const own = await tokenFor(client, 'cus_42', ['tokens:write']);
  await answered(createAccessToken({ client: service.as(own.plaintext), body: { name: 'b', scopes: [] } }));
  await expect.poll(async () => (await answered(listAuditEvents({ client }))).items[0]?.target?.label).toBe('b');
  const { items } = await answered(listAuditEvents({ client, query: { owner: 2 } }));
  expect(items.map(({ action, actor, changes }) => [action, actor.email, changes.after?.['changed']])).toEqual([
    ['token.created', 'cus_42', undefined],
    ['token.created', ADMIN.email, undefined],
    ['user.updated', ADMIN.email, ['fullName']],
    ['user.enabled', ADMIN.email, undefined],
    ['user.updated', ADMIN.email, ['fullName', 'metadata']],
    ['user.disabled', ADMIN.email, undefined],
    ['user.created', ADMIN.email, undefined],
  ]);
});

test('nobody logs in as an external owner, or sets its password', async () => {
  const service = await startService();
  const { client } = await service.admin();
  await put(client, 'cus_42', ADA);
  const login = (username: string) => () =>
    logIn({ client: service.anonymous, body: { username, password: 'a long password' } });
  const unknown = await expectRefusal(service, login('nobody@ada.example'), { status: 401 });
  await expectRefusal(service, login(ADA.email), { status: 401, body: unknown.body });
  for (const body of [
    { password: 'a long password' },
    { isAdmin: true },
    { fullName: 'Eve', password: 'a long password' },
  ]) {
    await expectRefusal(service, () => updateUser({ client, path: { user_id: 2 }, body }), NO_USER);
  }
  const { plaintext } = await tokenFor(client, 'cus_42', ['tokens:read', 'tokens:write']);
  const body = { currentPassword: 'a', newPassword: 'a long password' };
  await expectRefusal(service, () => changePassword({ client: service.as(plaintext), body }), { status: 403 });
  // A person may have the same e-mail, and logs in with it.
  const person = await service.newUser(ADA.email);
  expect((await answered(getMe({ client: person.client }))).user.email).toBe(ADA.email);
  expect(await codeOf(client, plaintext)).toBe('valid');
});

test('If-Match and If-None-Match count, although an owner has no ETag', async () => {
  const service = await startService();
  const { token } = await service.admin();
  const line = 'PUT /api/v1/users/external/cus_42';
  const failed = { status: 412 };
  const sent =
    (name: string, value: string, method = line) =>
    () =>
      send(service, method as 'PUT /', { token, json: method === line ? {} : undefined, headers: { [name]: value } });
  await expectRefusal(service, sent('If-Match', '*'), failed);
  expect((await sent('If-None-Match', '*')()).status).toBe(201);
  await expectRefusal(service, sent('If-None-Match', '*'), failed);
  await expectRefusal(service, sent('If-Match', '"a"'), failed);
  expect((await sent('If-Match', '*')()).status).toBe(200);
  await expectRefusal(service, sent('If-Match', '"a"', 'DELETE /api/v1/users/external/cus_42'), failed);
  expect((await sent('If-Match', '*', 'DELETE /api/v1/users/external/cus_42')()).status).toBe(204);
});
