import { describe, expect, test } from 'vitest';
import {
  createAccessToken,
  createService,
  getAccessToken,
  getMe,
  getUser,
  listAccessTokenEvents,
  listAccessTokens,
  listAuditEvents,
  listServices,
  listUsers,
  logIn,
  type NewService,
  offboardUser,
  revokeAccessToken,
  revokeAccessTokens,
  revokeAllAccessTokens,
  rotateAccessToken,
  type ServiceEdit,
  transferAccessTokens,
  updateAccessToken,
  updateService,
  updateUser,
  verifyAccessToken,
} from '../../../generated/index.js';
import { send } from '../../support/http.js';
import { ANY_STRING } from '../../support/matchers.js';
import { expectRefusal } from '../../support/refusal.js';
import { answered, type Client, type Person, type Service, startService } from '../../support/service.js';
import { change, rowsOf } from '../../support/store.js';

async function add(client: Client, body: NewService) {
  return await answered(createService({ client, body }));
}

function edit(client: Client, service_id: number, body: ServiceEdit) {
  return updateService({ client, path: { service_id }, body });
}

/** A service with the manager Ada, and Bea, who is nobody to it. */
async function managed(scopes: string[] | null = null) {
  const service = await startService();
  const admin = await service.admin();
  const ada = await service.newUser('ada@example.org');
  const bea = await service.newUser('bea@example.org');
  const jobs = await add(admin.client, { fullName: 'deploy jobs', managers: [ada.session.id], scopes });
  return { service, admin, ada, bea, jobs, query: { owner: jobs.id } };
}

async function createFor(client: Client, owner: number, name: string, scopes?: string[]) {
  return await answered(createAccessToken({ client, body: { name, ...(scopes && { scopes }) }, query: { owner } }));
}

const OTHER_PAT = { detail: ANY_STRING, code: 'insufficient_scope' };

/** Everything that somebody can do with the tokens of an owner. */
function deeds(client: Client, query: { owner: number }, token_id: string): (() => Promise<{ response?: Response }>)[] {
  const path = { token_id };
  return [
    () => createAccessToken({ client, query, body: { name: 'b' } }),
    () => listAccessTokens({ client, query }),
    () => getAccessToken({ client, query, path }),
    () => listAccessTokenEvents({ client, query, path }),
    () => updateAccessToken({ client, query, path, body: { name: 'c' } }),
    () => rotateAccessToken({ client, query, path }),
    () => transferAccessTokens({ client, query, body: { ids: [token_id], to: query.owner } }),
    () => revokeAccessTokens({ client, query, body: { ids: [token_id] } }),
    () => revokeAccessToken({ client, query, path }),
    () => revokeAllAccessTokens({ client, query }),
  ];
}

test('a service is an owner without a password, whom administrators add and edit', async () => {
  const { service, admin, ada, bea, jobs } = await managed(['deployments:write', 'tokens:read', 'a:b']);
  expect(jobs).toEqual({
    id: jobs.id,
    kind: 'service',
    externalId: null,
    email: null,
    fullName: 'deploy jobs',
    metadata: {},
    managers: [ada.session.id],
    scopes: ['a:b', 'deployments:write', 'tokens:read'],
    isAdmin: false,
    disabled: false,
    createdAt: '2030-06-15T12:00:00.000Z',
  });
  const { client } = admin;
  expect(await answered(getUser({ client, path: { user_id: jobs.id } }))).toEqual(jobs);
  const plain = await add(client, { fullName: 'plain' });
  expect(plain).toMatchObject({ managers: [], scopes: null });
  const edited = await answered(edit(client, jobs.id, { managers: [bea.session.id, ada.session.id], scopes: null }));
  expect(edited).toEqual({ ...jobs, managers: [ada.session.id, bea.session.id], scopes: null });
  expect(await answered(edit(client, jobs.id, { managers: [] }))).toEqual({ ...edited, managers: [] });
  const renamed = await answered(
    updateUser({ client, path: { user_id: jobs.id }, body: { fullName: 'releases', disabled: true } }),
  );
  expect(renamed).toMatchObject({ fullName: 'releases', disabled: true, kind: 'service' });
  for (const username of ['deploy jobs', '', String(jobs.id)]) {
    const { response } = await logIn({ client: service.anonymous, body: { username, password: 'a long password' } });
    expect(response.status).toBeGreaterThanOrEqual(400);
  }
  expect(await rowsOf(service, `select email, password_hash from users where kind = 'service'`)).toEqual([
    { email: null, password_hash: null },
    { email: null, password_hash: null },
  ]);
  const query = { action: 'user.updated' } as const;
  await expect.poll(async () => (await answered(listAuditEvents({ client, query }))).items.length).toBe(3);
  const { items } = await answered(listAuditEvents({ client, query }));
  expect(items.at(-1)).toMatchObject({
    ownerId: jobs.id,
    target: { kind: 'user', label: 'deploy jobs' },
    changes: {
      before: { managers: [ada.session.id], scopes: ['a:b', 'deployments:write', 'tokens:read'] },
      after: { managers: [ada.session.id, bea.session.id], scopes: null },
    },
  });
});

describe('who acts for a service', () => {
  test('a manager does all with its tokens, and with no more scopes than the manager has', async () => {
    const { service, admin, ada, jobs, query } = await managed();
    const { token, plaintext } = await createFor(ada.client, jobs.id, 'job', ['deployments:write', 'tokens:read']);
    const verified = await answered(verifyAccessToken({ client: admin.client, body: { token: plaintext } }));
    expect(verified).toMatchObject({ valid: true, owner: { id: jobs.id, kind: 'service', fullName: 'deploy jobs' } });
    expect((await answered(getMe({ client: service.as(plaintext) }))).user.id).toBe(jobs.id);
    for (const deed of deeds(ada.client, query, token.id)) expect((await deed()).response?.ok).toBe(true);
    expect(await rowsOf(service, `select created_by from access_tokens where name = 'c'`)).toEqual([
      { created_by: ada.session.id },
    ]);

    const limited = await answered(
      createAccessToken({ client: ada.client, body: { name: 'mine', scopes: ['tokens:write', 'a:b'] } }),
    );
    const own = service.as(limited.plaintext);
    expect((await createFor(own, jobs.id, 'less', ['a:b'])).token.scopes).toEqual(['a:b']);
    const more = () => createAccessToken({ client: own, query, body: { name: 'more', scopes: ['c:d'] } });
    await expectRefusal(service, more, { status: 403, body: OTHER_PAT });
    await expectRefusal(service, () => listAccessTokens({ client: own, query }), { status: 403 });
  });

  test('nobody else does, and no answer tells whether there is such a service', async () => {
    const { service, admin, ada, bea, jobs, query } = await managed();
    const { token, plaintext } = await createFor(ada.client, jobs.id, 'job', ['tokens:read', 'tokens:write']);
    const other = await add(admin.client, { fullName: 'other', managers: [bea.session.id] });
    const foreign = await createFor(bea.client, other.id, 'foreign', ['tokens:read', 'tokens:write']);
    const texts = new Set<string>();
    for (const owner of [jobs.id, 4711]) {
      const all = [
        // A stranger, the manager of another service, and that service itself.
        ...deeds(bea.client, { owner }, token.id),
        ...deeds(service.as(foreign.plaintext), { owner }, token.id),
      ];
      for (const deed of all) texts.add((await expectRefusal(service, deed, { status: 403 })).text);
    }
    expect([...texts].map((text) => (JSON.parse(text) as { code: string }).code)).toEqual(['insufficient_scope']);
    // The service's own token sees its own tokens, and not its managers or itself as a user.
    const own = service.as(plaintext);
    expect((await answered(listAccessTokens({ client: own, query }))).items.map(({ id }) => id)).toEqual([token.id]);
    await expectRefusal(service, () => getUser({ client: own, path: { user_id: jobs.id } }), { status: 403 });
    await expectRefusal(service, () => edit(ada.client, jobs.id, { managers: [] }), { status: 403 });
  });

  test('a former manager and a disabled one do no more, a disabled one until enabled again', async () => {
    const { service, admin, ada, bea, jobs, query } = await managed();
    const { token } = await createFor(ada.client, jobs.id, 'job');
    const { plaintext } = await answered(createAccessToken({ client: bea.client, body: { name: 'pat' } }));
    await answered(edit(admin.client, jobs.id, { managers: [ada.session.id, bea.session.id] }));
    expect((await listAccessTokens({ client: service.as(plaintext), query })).response.status).toBe(200);
    await answered(edit(admin.client, jobs.id, { managers: [bea.session.id] }));
    for (const deed of deeds(ada.client, query, token.id)) {
      await expectRefusal(service, deed, { status: 403, body: OTHER_PAT });
    }
    const unmanaged = async () =>
      (await answered(listUsers({ client: admin.client, query: { unmanaged: true } }))).items.map(({ id }) => id);
    expect(await unmanaged()).toEqual([]);
    const path = { user_id: bea.session.id };
    await answered(updateUser({ client: admin.client, path, body: { disabled: true } }));
    for (const deed of deeds(service.as(plaintext), query, token.id))
      await expectRefusal(service, deed, { status: 401 });
    expect(await unmanaged()).toEqual([jobs.id]);
    await answered(updateUser({ client: admin.client, path, body: { disabled: false } }));
    expect((await listAccessTokens({ client: service.as(plaintext), query })).response.status).toBe(200);
    expect(await unmanaged()).toEqual([]);
  });

  test('an administrator does with tokens:act-as, which users:admin alone is not', async () => {
    const { service, admin, jobs, query } = await managed();
    const { token } = await createFor(admin.client, jobs.id, 'of the session');
    const make = async (scopes: string[]) =>
      service.as((await answered(createAccessToken({ client: admin.client, body: { name: 'a', scopes } }))).plaintext);
    const scopes = ['tokens:read', 'tokens:write', 'users:admin'];
    for (const deed of deeds(await make(scopes), query, token.id)) await expectRefusal(service, deed, { status: 403 });
    const acting = await make(['tokens:read', 'tokens:write', 'tokens:act-as']);
    for (const deed of deeds(acting, query, token.id)) expect((await deed()).response?.ok).toBe(true);
    await expectRefusal(service, () => listAccessTokens({ client: acting, query: { owner: 4711 } }), {
      status: 404,
      body: { detail: 'No such owner.', code: 'owner_not_found' },
    });
  });
});

describe('the scopes of a service', () => {
  test('limit what is created, edited and given to it', async () => {
    const { service, ada, jobs, query } = await managed(['deployments:write', 'tokens:read', 'tokens:write']);
    const refusal = (...names: string[]) => ({
      status: 409,
      body: { detail: `The owner may not have these scopes: ${names.join(', ')}.`, code: 'scopes_above_ceiling' },
    });
    const { client } = ada;
    const body = { name: 'b', scopes: ['x:y', 'deployments:write', 'a:b'] };
    await expectRefusal(service, () => createAccessToken({ client, query, body }), refusal('a:b', 'x:y'));
    const { token, plaintext } = await createFor(client, jobs.id, 'job', ['tokens:read', 'tokens:write']);
    const path = { token_id: token.id };
    const wider = { scopes: ['tokens:read', 'a:b'] };
    await expectRefusal(service, () => updateAccessToken({ client, query, path, body: wider }), refusal('a:b'));
    const own = service.as(plaintext);
    const byItself = () => createAccessToken({ client: own, body: { name: 'b', scopes: ['a:b'] } });
    await expectRefusal(service, byItself, { status: 403 });

    const mine = await answered(createAccessToken({ client, body: { name: 'mine', scopes: ['tokens:read', 'a:b'] } }));
    const move = { ids: [mine.token.id], to: jobs.id };
    await expectRefusal(service, () => transferAccessTokens({ client, body: move }), refusal('a:b'));
    const moved = await answered(transferAccessTokens({ client, body: { ...move, cutScopes: true } }));
    expect(moved).toMatchObject({ transferredCount: 1, cutCount: 1, tokens: [{ scopes: ['tokens:read'] }] });
  });

  test('cut what a new token gets by default, and leave tokens that exist as they are', async () => {
    const { service, admin, ada, jobs, query } = await managed();
    const { token, plaintext } = await createFor(ada.client, jobs.id, 'job', ['tokens:read', 'tokens:write', 'a:b']);
    await answered(edit(admin.client, jobs.id, { scopes: ['tokens:read', 'tokens:write'] }));
    const own = service.as(plaintext);
    const made = await answered(createAccessToken({ client: own, body: { name: 'child' } }));
    expect(made.token.scopes).toEqual(['tokens:read', 'tokens:write']);
    const path = { token_id: token.id };
    const rotated = await answered(rotateAccessToken({ client: ada.client, query, path }));
    expect(rotated.token.scopes).toEqual(['a:b', 'tokens:read', 'tokens:write']);
    const body = { scopes: ['a:b'] };
    expect((await answered(updateAccessToken({ client: ada.client, query, path, body }))).scopes).toEqual(['a:b']);
  });
});

test('a manager gives own tokens to the service, and takes them back; another person gets none', async () => {
  const { service, ada, bea, jobs, query } = await managed();
  const { client } = ada;
  const { token, plaintext } = await answered(createAccessToken({ client, body: { name: 'job' } }));
  const ids = [token.id];
  expect(await answered(transferAccessTokens({ client, body: { ids, to: jobs.id } }))).toMatchObject({
    transferredCount: 1,
  });
  expect((await answered(getMe({ client: service.as(plaintext) }))).user.id).toBe(jobs.id);
  for (const to of [bea.session.id, 4711]) {
    const give = () => transferAccessTokens({ client, query, body: { ids, to } });
    await expectRefusal(service, give, { status: 403, body: OTHER_PAT });
  }
  const back = { client, query, body: { ids, to: ada.session.id } };
  expect(await answered(transferAccessTokens(back))).toMatchObject({ transferredCount: 1 });
  expect((await answered(getMe({ client: service.as(plaintext) }))).user.id).toBe(ada.session.id);
});

test('whoever leaves gives the tokens to a service, and the answer counts services without a manager', async () => {
  const { service, admin, ada, jobs } = await managed();
  const { plaintext } = await answered(createAccessToken({ client: ada.client, body: { name: 'job' } }));
  const leave = (dryRun: boolean) =>
    answered(
      offboardUser({
        client: admin.client,
        path: { user_id: ada.session.id },
        body: { tokens: 'transfer', to: jobs.id, dryRun },
      }),
    );
  const numbers = { sessionCount: 1, transferredCount: 1, unmanagedCount: 1 };
  expect(await leave(true)).toMatchObject(numbers);
  expect(await leave(false)).toMatchObject(numbers);
  expect((await answered(getMe({ client: service.as(plaintext) }))).user.id).toBe(jobs.id);
  const { items } = await answered(listUsers({ client: admin.client, query: { unmanaged: true } }));
  expect(items.map(({ id }) => id)).toEqual([jobs.id]);
  // A service leaves as well.
  const retired = await answered(
    offboardUser({ client: admin.client, path: { user_id: jobs.id }, body: { tokens: 'revoke' } }),
  );
  expect(retired).toMatchObject({ sessionCount: 0, revokedCount: 1 });
  expect((await getMe({ client: service.as(plaintext) })).response.status).toBe(401);
});

test('the list finds services by kind, name and missing managers, page by page', async () => {
  const { admin, bea, jobs } = await managed();
  const { client } = admin;
  const ids: number[] = [];
  for (const fullName of ['first', 'second', 'third']) ids.push((await add(client, { fullName })).id);
  await answered(edit(client, ids[1] ?? 0, { managers: [bea.session.id] }));
  const list = async (query: Parameters<typeof listUsers>[0]['query']) => {
    const found: number[] = [];
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page: { items: { id: number }[]; nextCursor: string | null } = await answered(
        listUsers({ client, query: { ...query, limit: 1, ...(cursor !== undefined && { cursor }) } }),
      );
      found.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    return found;
  };
  expect(await list({ kind: 'service' })).toEqual([jobs.id, ...ids]);
  expect(await list({ unmanaged: true })).toEqual([ids[0], ids[2]]);
  expect(await list({ unmanaged: true, q: 'THIRD' })).toEqual([ids[2]]);
  expect(await list({ unmanaged: true, kind: 'person' })).toEqual([]);
  expect(await list({ unmanaged: false, kind: 'service', q: 'deploy' })).toEqual([jobs.id]);
});

test('the managers of a service are listed with their names, page by page', async () => {
  const { admin, ada, bea, jobs } = await managed();
  const { client } = admin;
  await answered(edit(client, jobs.id, { managers: [bea.session.id, ada.session.id, admin.session.id] }));
  const list = async (query: Parameters<typeof listUsers>[0]['query']) => await answered(listUsers({ client, query }));
  const { items, nextCursor } = await list({ manages: jobs.id });
  expect([items.map(({ email }) => email), nextCursor]).toEqual([
    ['admin@latchkey.local', 'ada@example.org', 'bea@example.org'],
    null,
  ]);
  expect((await list({ manages: jobs.id, q: 'NAME of bea' })).items).toMatchObject([{ id: bea.session.id }]);
  const first = await list({ manages: jobs.id, limit: 2 });
  expect(first.items.map(({ id }) => id)).toEqual([admin.session.id, ada.session.id]);
  const second = await list({ manages: jobs.id, limit: 2, cursor: first.nextCursor ?? '' });
  expect([second.items.map(({ id }) => id), second.nextCursor]).toEqual([[bea.session.id], null]);
  const { response } = await listUsers({ client, query: { manages: ada.session.id, cursor: first.nextCursor ?? '' } });
  expect(response.status).toBe(422);
  for (const id of [ada.session.id, 4711]) expect((await list({ manages: id })).items).toEqual([]);
  expect((await list({ manages: jobs.id, kind: 'service' })).items).toEqual([]);
});

test('a manager lists the services that they manage, and nobody else sees them', async () => {
  const { service, admin, ada, bea, jobs } = await managed();
  const more = [];
  for (const fullName of ['second', 'third'])
    more.push(await add(admin.client, { fullName, managers: [ada.session.id] }));
  await add(admin.client, { fullName: 'of nobody' });
  expect(await answered(listServices({ client: ada.client }))).toEqual({ items: [jobs, ...more], nextCursor: null });
  const first = await answered(listServices({ client: ada.client, query: { limit: 2 } }));
  expect(first.items.map(({ id }) => id)).toEqual([jobs.id, more[0]?.id]);
  const cursor = first.nextCursor ?? '';
  const second = await answered(listServices({ client: ada.client, query: { limit: 2, cursor } }));
  expect([second.items.map(({ id }) => id), second.nextCursor]).toEqual([[more[1]?.id], null]);
  expect((await listServices({ client: bea.client, query: { cursor } })).response.status).toBe(422);
  const { plaintext } = await createFor(ada.client, jobs.id, 'job', ['tokens:read']);
  // Administrators list all services by listUsers.
  for (const client of [bea.client, admin.client, service.as(plaintext)]) {
    expect(await answered(listServices({ client }))).toEqual({ items: [], nextCursor: null });
  }
  await answered(edit(admin.client, jobs.id, { managers: [bea.session.id] }));
  const body = { disabled: true };
  await answered(updateUser({ client: admin.client, path: { user_id: more[0]?.id ?? 0 }, body }));
  const { items } = await answered(listServices({ client: ada.client }));
  expect(items.map(({ id, disabled }) => [id, disabled])).toEqual([
    [more[0]?.id, true],
    [more[1]?.id, false],
  ]);
  const weak = await answered(createAccessToken({ client: ada.client, body: { name: 'weak', scopes: ['a:b'] } }));
  await expectRefusal(service, () => listServices({ client: service.as(weak.plaintext) }), { status: 403 });
  await expectRefusal(service, () => listServices({ client: service.anonymous }), { status: 401 });
});

describe('what is refused', () => {
  const cases: [what: string, json: unknown, status: number][] = [
    ['no name', { managers: [1] }, 422],
    ['an empty name', { fullName: '' }, 422],
    ['a manager twice', { fullName: 'a', managers: [1, 1] }, 422],
    ['a reserved scope', { fullName: 'a', scopes: ['tokens:other'] }, 422],
    ['an e-mail', { fullName: 'a', email: 'a@example.org' }, 422],
    ['a password', { fullName: 'a', password: 'a long password' }, 422],
    ['an unknown manager', { fullName: 'a', managers: [1, 4711] }, 404],
  ];
  test('a name of white space, of a new service and of one that exists', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { id } = await answered(createService({ client, body: { fullName: 'jobs' } }));
    const problem = { loc: ['body', 'fullName'], msg: ANY_STRING, type: 'string_pattern_mismatch' };
    for (const fullName of [' ', '\u00a0\u3000', '\ufeff']) {
      const wrong = { status: 422, body: { detail: [problem] } };
      await expectRefusal(service, () => createService({ client, body: { fullName } }), wrong);
      await expectRefusal(service, () => updateUser({ client, path: { user_id: id }, body: { fullName } }), wrong);
    }
    const empty = () => updateUser({ client, path: { user_id: id }, body: { fullName: '' } });
    await expectRefusal(service, empty, { status: 422 });
    expect((await answered(updateUser({ client, path: { user_id: 1 }, body: { fullName: '' } }))).fullName).toBe('');
  });

  test('of a new service, and of one that is none', async () => {
    const { service, admin, ada, jobs } = await managed();
    const { token } = admin;
    for (const [what, json, status] of cases) {
      const secrets = what === 'a password' ? ['a long password'] : [];
      await expectRefusal(service, () => send(service, 'POST /api/v1/users/services', { token, json }), {
        status,
        secrets,
      });
    }
    const twice = () => post(admin, { fullName: 'a', managers: [jobs.id] });
    await expectRefusal(service, twice, { status: 404, body: { detail: 'No such user.', code: 'not_found' } });
    for (const id of [ada.session.id, 4711]) {
      await expectRefusal(service, () => edit(admin.client, id, { scopes: null }), { status: 404 });
    }
    await expectRefusal(service, () => edit(admin.client, jobs.id, {}), { status: 422 });
    await expectRefusal(service, () => post(ada, { fullName: 'a' }), { status: 403 });
  });
});

function post({ client }: Person, body: NewService) {
  return createService({ client, body });
}

test('a disabled service gets no token, and its tokens are invalid until it is enabled', async () => {
  const { service, admin, ada, jobs, query } = await managed();
  const { plaintext } = await createFor(ada.client, jobs.id, 'job');
  const disable = (disabled: boolean) =>
    answered(updateUser({ client: admin.client, path: { user_id: jobs.id }, body: { disabled } }));
  await disable(true);
  const make = () => createAccessToken({ client: ada.client, query, body: { name: 'b' } });
  await expectRefusal(service, make, { status: 409, body: { detail: ANY_STRING, code: 'owner_disabled' } });
  const verdict = async (of: Service) =>
    (await answered(verifyAccessToken({ client: (await of.admin()).client, body: { token: plaintext } }))).code;
  expect(await verdict(service)).toBe('owner_disabled');
  await disable(false);
  expect(await verdict(service)).toBe('valid');
  await change(service, `delete from managers`);
  await expectRefusal(service, make, { status: 403 });
});
