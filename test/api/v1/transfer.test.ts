import { describe, expect, test } from 'vitest';
import {
  type AccessToken,
  createAccessToken,
  createPrivateToken,
  createService,
  getAccessToken,
  getMe,
  listAccessTokenEvents,
  listAccessTokens,
  listAuditEvents,
  offboardUser,
  putExternalUser,
  revokeAccessToken,
  type Transfer,
  transferAccessTokens,
  updateAccessToken,
  updateUser,
  verifyAccessToken,
} from '../../../generated/index.js';
import { send } from '../../support/http.js';
import { ANY_STRING, without } from '../../support/matchers.js';
import { expectRefusal } from '../../support/refusal.js';
import { answered, type Client, DAY, startService } from '../../support/service.js';
import { shareService } from '../../support/shared.js';
import { change, rowsOf } from '../../support/store.js';

const NOBODYS = '019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b';
const PATS = { filter: { tokenType: 'pat' } } as const;

async function create(client: Client, name: string, scopes?: string[]) {
  return await answered(createAccessToken({ client, body: { name, ...(scopes && { scopes }) } }));
}

async function transfer(client: Client, body: Transfer, owner?: number) {
  return await answered(transferAccessTokens({ client, body, ...(owner !== undefined && { query: { owner } }) }));
}

async function named(client: Client, owner?: number): Promise<string[]> {
  const query = { tokenType: 'pat', sort: 'name', ...(owner !== undefined && { owner }) } as const;
  const { items } = await answered(listAccessTokens({ client, query }));
  return items.map(({ name }) => name);
}

async function three() {
  const service = await startService();
  const admin = await service.admin();
  const ada = await service.newUser('ada@example.org');
  const bea = await service.newUser('bea@example.org');
  return { service, admin, ada, bea, from: ada.session.id, to: bea.session.id };
}

/** What a transfer leaves as it is: everything but the owner. */
function record(token: AccessToken) {
  return without(token, 'lastUsedAt');
}

test('a token keeps its id, its secret and its times, and belongs to the new owner alone', async () => {
  const { service, admin, ada, bea, from, to } = await three();
  const { token, plaintext } = await create(ada.client, 'job', ['deployments:write', 'tokens:read']);
  const before = await getAccessToken({ client: ada.client, path: { token_id: token.id } });
  service.clock.advance(DAY / 24 / 2);
  const moved = await transfer(admin.client, { ids: [token.id.toUpperCase()], to }, from);
  expect(moved).toMatchObject({ transferredCount: 1, cutCount: 0, notFoundCount: 0, complete: true, dryRun: false });
  expect(moved.tokens.map(record)).toEqual([record(token)]);

  const after = await getAccessToken({ client: bea.client, path: { token_id: token.id } });
  expect(after.data && record(after.data)).toEqual(record(token));
  expect(after.response.headers.get('ETag')).not.toBe(before.response.headers.get('ETag'));
  expect(await named(ada.client)).toEqual([]);
  await expectRefusal(service, () => getAccessToken({ client: ada.client, path: { token_id: token.id } }), {
    status: 404,
    body: { detail: 'No such token.', code: 'not_found' },
  });
  expect(await answered(verifyAccessToken({ client: admin.client, body: { token: plaintext } }))).toMatchObject({
    valid: true,
    token: { id: token.id },
    owner: { id: to, email: bea.email },
  });
  const me = await answered(getMe({ client: service.as(plaintext) }));
  expect(me.user.id).toBe(to);
  // Who created it stays, also where that was the owner and therefore was not stored.
  expect(await rowsOf(service, "select owner_id, created_by from access_tokens where name = 'job'")).toEqual([
    { owner_id: to, created_by: from },
  ]);
  await transfer(admin.client, { ids: [token.id], to: from }, to);
  expect(await rowsOf(service, "select owner_id, created_by from access_tokens where name = 'job'")).toEqual([
    { owner_id: from, created_by: null },
  ]);
  // What was read before it moved and came back may be out of date.
  const ifMatch = { 'If-Match': before.response.headers.get('ETag') ?? '' };
  const edit = { client: ada.client, path: { token_id: token.id }, body: { name: 'renamed' }, headers: ifMatch };
  await expectRefusal(service, () => updateAccessToken(edit), { status: 412 });
});

test('personal access tokens move, expired and disabled ones and private tokens too; sessions and revoked ones stay', async () => {
  const { service, admin, ada, from, to } = await three();
  await create(ada.client, 'a');
  const revoked = await create(ada.client, 'revoked');
  await revokeAccessToken({ client: ada.client, path: { token_id: revoked.token.id } });
  const body = { name: 'private', expiration_time: '2030-06-15T13:00:00Z' };
  await answered(createPrivateToken({ client: ada.client, body }));
  await create(ada.client, 'disabled');
  await change(service, `update access_tokens set disabled_at = 1 where name = 'disabled'`);
  const { session } = await answered(getMe({ client: ada.client }));
  await change(service, `update access_tokens set expires_at = 1 where name = 'private'`);
  const ids = [revoked.token.id, String(session.sessionId), NOBODYS];
  expect(await transfer(admin.client, { ids, to }, from)).toMatchObject({ transferredCount: 0, notFoundCount: 2 });
  const all = await transfer(admin.client, { filter: { createdAfter: '2020-01-01T00:00:00Z' }, to }, from);
  expect(all).toMatchObject({ transferredCount: 3, notFoundCount: 0 });
  expect(await named(admin.client, to)).toEqual(['a', 'disabled', 'private']);
  expect((await getMe({ client: ada.client })).response.status).toBe(200);
});

test('a dry run changes nothing, and says what would move', async () => {
  const { service, admin, ada, from, to } = await three();
  for (const name of ['a', 'b']) await create(ada.client, name);
  const before = await rowsOf(service, 'select * from access_tokens order by id');
  const tried = await transfer(admin.client, { ...PATS, to, dryRun: true }, from);
  expect(tried).toMatchObject({ transferredCount: 2, complete: true, dryRun: true });
  expect(await rowsOf(service, 'select * from access_tokens order by id')).toEqual(before);
  expect((await transfer(admin.client, { ...PATS, to }, from)).transferredCount).toBe(2);
});

test('scopes that the new owner may not have are cut or refused, by their names', async () => {
  const { service, admin, to } = await three();
  const { token } = await create(admin.client, 'root', ['users:admin', 'invoices:send', 'audit:read']);
  await create(admin.client, 'plain', ['invoices:send']);
  const again = await create(admin.client, 'root too', ['users:admin', 'invoices:send', 'audit:read']);
  for (const dryRun of [true, false]) {
    const { client } = admin;
    await expectRefusal(service, () => transferAccessTokens({ client, body: { ...PATS, to, dryRun } }), {
      status: 409,
      body: { detail: 'The owner may not have these scopes: audit:read, users:admin.', code: 'scopes_above_ceiling' },
    });
  }
  const moved = await transfer(admin.client, { ...PATS, to, cutScopes: true });
  expect(moved).toMatchObject({ transferredCount: 3, cutCount: 2 });
  expect(moved.tokens.map(({ name, scopes }) => [name, scopes])).toEqual([
    ['root too', ['invoices:send']],
    ['plain', ['invoices:send']],
    ['root', ['invoices:send']],
  ]);
  const me = await getMe({ client: service.as(again.plaintext) });
  expect(me.data?.user.id).toBe(to);
  // An administrator gets the token with all its scopes; those that were cut do not come back.
  expect(await transfer(admin.client, { ids: [token.id], to: 1 }, to)).toMatchObject({
    transferredCount: 1,
    cutCount: 0,
  });
});

test('no move gives a customer tokens:verify, or makes scopes of administrators work that did not', async () => {
  const { service, admin, ada, bea, from, to } = await three();
  const { client } = admin;
  const refusal = (scope: string) => ({
    status: 409,
    body: { detail: `The owner may not have these scopes: ${scope}.`, code: 'scopes_above_ceiling' },
  });
  const customer = await answered(putExternalUser({ client, path: { external_id: 'cus_42' }, body: {} }));
  const { token } = await create(client, 'reader', ['tokens:read', 'tokens:verify']);
  const give = { ids: [token.id], to: customer.id };
  await expectRefusal(service, () => transferAccessTokens({ client, body: give }), refusal('tokens:verify'));
  const given = await transfer(client, { ...give, cutScopes: true });
  expect(given.tokens.map(({ scopes }) => scopes)).toEqual([['tokens:read']]);

  // Ada was an administrator, and manages a service.
  await change(service, `update users set is_admin = 1 where id = ${String(from)}`);
  const acting = await create(ada.client, 'acting', ['tokens:act-as', 'tokens:read']);
  const root = await create(ada.client, 'root', ['users:admin']);
  await answered(updateUser({ client, path: { user_id: from }, body: { isAdmin: false } }));
  const jobs = await answered(createService({ client, body: { fullName: 'jobs', managers: [from] } }));
  const toService = { ids: [acting.token.id], to: jobs.id };
  const bySelf = () => transferAccessTokens({ client: ada.client, body: toService });
  await expectRefusal(service, bySelf, refusal('tokens:act-as'));
  const leave = { tokens: 'transfer', to: 1 } as const;
  const offboard = () => offboardUser({ client, path: { user_id: from }, body: leave });
  await expectRefusal(service, offboard, refusal('tokens:act-as, users:admin'));
  const query = { owner: from };
  const toAdmin = () => transferAccessTokens({ client, query, body: { ids: [root.token.id], to: 1 } });
  await expectRefusal(service, toAdmin, refusal('users:admin'));
  const moved = await transfer(ada.client, { ...toService, cutScopes: true });
  expect(moved.tokens.map(({ scopes }) => scopes)).toEqual([['tokens:read']]);
  // Between administrators and services they stay.
  await change(service, `update users set is_admin = 1 where id = ${String(to)}`);
  const working = await create(bea.client, 'working', ['tokens:act-as']);
  const kept = await transfer(client, { ids: [working.token.id], to: jobs.id }, to);
  expect(kept).toMatchObject({ transferredCount: 1, cutCount: 0 });
});

test('by the token in use, that one stays unless it is told not to', async () => {
  const { service, admin, to } = await three();
  const { plaintext } = await create(admin.client, 'mover', ['users:admin', 'tokens:write', 'tokens:read']);
  await create(admin.client, 'other');
  const own = service.as(plaintext);
  expect(await transfer(own, { ...PATS, to, cutScopes: true })).toMatchObject({ transferredCount: 1, cutCount: 0 });
  const all = await transfer(own, { ...PATS, to, cutScopes: true, excludeCurrent: false });
  expect(all).toMatchObject({
    transferredCount: 1,
    cutCount: 1,
    tokens: [{ scopes: ['tokens:read', 'tokens:write'] }],
  });
  expect(await named(own)).toEqual(['mover', 'other']);
});

test('a full or disabled owner, one that is none, and the same one get nothing', async () => {
  const service = await startService({ maxTokensPerOwner: 2 });
  const [admin, ada, bea] = [await service.admin(), await service.newUser(), await service.newUser()];
  const [from, to] = [ada.session.id, bea.session.id];
  for (const name of ['a', 'b']) await create(ada.client, name);
  await create(bea.client, 'c');
  const moving = (body: Transfer) => () => transferAccessTokens({ client: admin.client, body, query: { owner: from } });
  await expectRefusal(service, moving({ ...PATS, to }), {
    status: 409,
    body: { detail: ANY_STRING, code: 'token_limit_reached' },
  });
  await expectRefusal(service, moving({ ...PATS, to: 4711 }), {
    status: 404,
    body: { detail: 'No such owner.', code: 'owner_not_found' },
  });
  const same = await answered(
    transferAccessTokens({ client: admin.client, body: { ...PATS, to: from }, query: { owner: from } }),
  );
  expect(same).toMatchObject({ transferredCount: 0, complete: true });
  // An expired token counts for nothing.
  await change(service, `update access_tokens set expires_at = 1 where name = 'a'`);
  expect(await transfer(admin.client, { ...PATS, to }, from)).toMatchObject({ transferredCount: 2 });
  await change(service, `update users set disabled_at = 1 where id = ${String(from)}`);
  const back = () => transferAccessTokens({ client: admin.client, body: { ...PATS, to: from }, query: { owner: to } });
  await expectRefusal(service, back, { status: 409, body: { detail: ANY_STRING, code: 'owner_disabled' } });
});

test('between people only an administrator moves tokens, and nobody else learns who exists', async () => {
  const { service, admin, ada, bea, from, to } = await three();
  const { token } = await create(ada.client, 'a');
  const stranger = { client: bea.client, body: { ids: [token.id], to } };
  const texts: string[] = [];
  for (const owner of [from, 4711]) {
    const refusal = await expectRefusal(service, () => transferAccessTokens({ ...stranger, query: { owner } }), {
      status: 403,
    });
    texts.push(refusal.text);
  }
  for (const other of [to, 4711]) {
    const give = () => transferAccessTokens({ client: ada.client, body: { ids: [token.id], to: other } });
    texts.push((await expectRefusal(service, give, { status: 403 })).text);
  }
  expect(new Set(texts).size).toBe(1);
  // Its own tokens are not among those of another owner.
  expect(await transfer(admin.client, { ids: [token.id], to })).toMatchObject({
    transferredCount: 0,
    notFoundCount: 1,
  });
});

test('one event tells who gave what to whom, and the history goes with the token', async () => {
  const { admin, ada, bea, from, to } = await three();
  const one = await create(ada.client, 'one');
  await transfer(admin.client, { ids: [one.token.id], to }, from);
  const many = [await create(ada.client, 'two'), await create(ada.client, 'three')];
  await transfer(admin.client, { ...PATS, to }, from);
  await transfer(admin.client, { ...PATS, to }, from);
  const query = { action: 'token.transferred' } as const;
  await expect
    .poll(async () => (await answered(listAuditEvents({ client: admin.client, query }))).items.length)
    .toBe(2);
  const { items } = await answered(listAuditEvents({ client: admin.client, query }));
  const changes = { before: { ownerId: from }, after: { ownerId: to, cutCount: 0 } };
  expect(items).toMatchObject([
    {
      ownerId: from,
      actor: { userId: 1 },
      target: { kind: 'tokens' },
      changes: { ...changes, count: 2, ids: [many[1]?.token.id, many[0]?.token.id] },
    },
    { ownerId: from, target: { kind: 'token', tokenId: one.token.id, label: 'one' }, changes },
  ]);
  for (const { token } of [one, ...many]) {
    const path = { token_id: token.id };
    const events = await answered(listAccessTokenEvents({ client: bea.client, path }));
    expect(events.items.map(({ action }) => action)).toEqual(['token.transferred', 'token.created']);
    expect((await listAccessTokenEvents({ client: ada.client, path })).response.status).toBe(404);
  }
});

test('of two at the same time each token moves once, and none gets lost', async () => {
  const { admin, ada, bea, from, to } = await three();
  await Promise.all(Array.from({ length: 30 }, (_, index) => create(ada.client, String(index).padStart(2, '0'))));
  const answers = await Promise.all([
    transfer(admin.client, { ...PATS, to }, from),
    transfer(admin.client, { ...PATS, to: 1 }, from),
    transfer(admin.client, { ...PATS, to }, from),
  ]);
  expect(answers.reduce((sum, { transferredCount }) => sum + transferredCount, 0)).toBe(30);
  expect([...(await named(bea.client)), ...(await named(admin.client))]).toHaveLength(30);
});

describe('what is refused', () => {
  const shared = shareService((_, { client }) => create(client, 'a'));
  test.each<[string, unknown, string[], string]>([
    ['nothing', {}, ['to'], 'missing'],
    ['neither', { to: 2 }, [], 'value_error'],
    ['both', { to: 2, ids: [NOBODYS], filter: { q: 'a' } }, [], 'value_error'],
    ['an empty filter, which would be all', { to: 2, filter: {} }, ['filter'], 'too_short'],
    ['a text for the owner', { to: '2', ids: [NOBODYS] }, ['to'], 'int_type'],
    ['a misspelt member', { to: 2, ids: [NOBODYS], cutscopes: true }, ['cutscopes'], 'extra_forbidden'],
  ])('%s', async (_, json, field, type) => {
    const { service, admin } = await shared();
    const line = 'POST /api/v1/access-tokens/transfer';
    const refusal = await expectRefusal(service, () => send(service, line, { token: admin.token, json }), {
      status: 422,
    });
    expect((refusal.body as { detail: unknown[] }).detail).toContainEqual({
      loc: ['body', ...field],
      msg: ANY_STRING,
      type,
    });
  });
});
