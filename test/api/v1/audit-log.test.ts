import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  type AuditEvent,
  applyPolicy,
  changePassword,
  createAccessToken,
  createPrivateToken,
  createService,
  createUser,
  createWebhook,
  deleteExternalUser,
  deleteWebhook,
  exportAuditEvents,
  getMe,
  listAccessTokenEvents,
  listAuditEvents,
  listPrivateTokens,
  logIn,
  logOut,
  offboardUser,
  openBrowserSession,
  putExternalUser,
  refreshSession,
  revokeAccessToken,
  revokeAccessTokens,
  revokeAllAccessTokens,
  revokeCurrentAccessToken,
  revokeOAuthToken,
  revokePrivateToken,
  rotateAccessToken,
  rotateCurrentAccessToken,
  rotateWebhookSecret,
  transferAccessTokens,
  updateAccessToken,
  updateService,
  updateUser,
  updateWebhook,
} from '../../../generated/index.js';
import { openUsers } from '../../../server/index.js';
import { ADMIN, answered, type Client, type Person, type Service, startService } from '../../support/service.js';
import { rowsOf } from '../../support/store.js';

// Who changed what, and when, is in the audit log.

const UUID = expect.stringMatching(/^[0-9a-f-]{36}$/) as string;
const PRIVATE = { name: 'private', expiration_time: '2031-01-01T00:00:00Z' };

async function create(client: Client, name = 'deploy', scopes?: string[]) {
  return await answered(createAccessToken({ client, body: { name, ...(scopes && { scopes }) } }));
}

const byId = (a: AuditEvent, b: AuditEvent) => a.id.localeCompare(b.id);

/** The events since the first `known`, oldest first. */
async function eventsOf(client: Client, known = 0): Promise<AuditEvent[]> {
  const { items } = await answered(listAuditEvents({ client, query: { limit: 200 } }));
  return items.toReversed().slice(known);
}

interface Setting {
  service: Service;
  admin: Person;
  user: Person;
  /** A token of the user. */
  id: string;
  plaintext: string;
}

const HOOK = 'https://hooks.example.org/latchkey';

async function hook({ admin: { client } }: Setting) {
  const { webhook } = await answered(createWebhook({ client, body: { url: HOOK } }));
  return { webhook_id: webhook.id };
}

type Act = (setting: Setting) => Promise<{ response?: Response }>;

/** Each operation that changes something, and the events that it writes. The actor is the user but where it says otherwise. */
const CHANGES: [operation: string, act: Act, events: [action: string, reason?: string][], actor?: string][] = [
  ['createPrivateToken', ({ user: { client } }) => createPrivateToken({ client, body: PRIVATE }), [['token.created']]],
  [
    'revokePrivateToken',
    async ({ user: { client } }) => {
      const { results } = await answered(listPrivateTokens({ client }));
      return await revokePrivateToken({ client, path: { id: results[0]?.id ?? 0 } });
    },
    [['token.revoked', 'user']],
  ],
  [
    'createAccessToken',
    ({ user: { client } }) => createAccessToken({ client, body: { name: 'b' } }),
    [['token.created']],
  ],
  ['revokeAllAccessTokens', ({ user: { client } }) => revokeAllAccessTokens({ client }), [['token.revoked', 'all']]],
  [
    'revokeCurrentAccessToken',
    ({ user: { client } }) => revokeCurrentAccessToken({ client }),
    [['token.revoked', 'user']],
  ],
  [
    'rotateCurrentAccessToken',
    ({ service, plaintext }) => rotateCurrentAccessToken({ client: service.as(plaintext) }),
    [['token.rotated']],
    'token',
  ],
  [
    'revokeAccessTokens',
    ({ user: { client }, id }) => revokeAccessTokens({ client, body: { ids: [id] } }),
    [['token.revoked', 'bulk']],
  ],
  [
    'transferAccessTokens',
    ({ admin: { client }, id }) => transferAccessTokens({ client, body: { ids: [id], to: 1 }, query: { owner: 2 } }),
    [['token.transferred']],
    'admin',
  ],
  [
    'updateAccessToken',
    ({ user: { client }, id }) => updateAccessToken({ client, path: { token_id: id }, body: { name: 'c' } }),
    [['token.updated']],
  ],
  [
    'revokeAccessToken',
    ({ admin: { client }, id }) => revokeAccessToken({ client, path: { token_id: id }, query: { owner: 2 } }),
    [['token.revoked', 'admin']],
    'admin',
  ],
  [
    'rotateAccessToken',
    ({ user: { client }, id }) => rotateAccessToken({ client, path: { token_id: id } }),
    [['token.rotated']],
  ],
  [
    'revokeOAuthToken',
    ({ admin: { client }, plaintext }) => revokeOAuthToken({ client, body: { token: plaintext } }),
    [['token.revoked', 'presented']],
    'admin',
  ],
  [
    'createUser',
    ({ admin: { client } }) => createUser({ client, body: { email: 'new@example.org' } }),
    [['user.created']],
    'admin',
  ],
  [
    'updateUser',
    ({ admin: { client } }) =>
      updateUser({
        client,
        path: { user_id: 2 },
        body: { fullName: 'Other', disabled: true, password: 'a new password' },
      }),
    [['token.revoked', 'disabled'], ['user.disabled'], ['user.updated'], ['user.password_changed']],
    'admin',
  ],
  [
    'offboardUser',
    ({ admin: { client } }) => offboardUser({ client, path: { user_id: 2 }, body: { tokens: 'revoke' } }),
    [['user.disabled'], ['token.revoked', 'offboarding'], ['token.revoked', 'offboarding'], ['user.offboarded']],
    'admin',
  ],
  [
    'createService',
    ({ admin: { client } }) => createService({ client, body: { fullName: 'jobs', managers: [2] } }),
    [['user.created']],
    'admin',
  ],
  [
    'updateService',
    async ({ admin: { client } }) => {
      const { id } = await answered(createService({ client, body: { fullName: 'jobs' } }));
      return await updateService({ client, path: { service_id: id }, body: { managers: [2], scopes: ['a:b'] } });
    },
    [['user.created'], ['user.updated']],
    'admin',
  ],
  [
    'putExternalUser',
    ({ admin: { client } }) => putExternalUser({ client, path: { external_id: 'cus_42' }, body: {} }),
    [['user.created']],
    'admin',
  ],
  [
    'deleteExternalUser',
    async ({ admin: { client } }) => {
      const path = { external_id: 'cus_42' };
      await putExternalUser({ client, path, body: {} });
      return await deleteExternalUser({ client, path });
    },
    [['user.created'], ['user.deleted']],
    'admin',
  ],
  [
    'applyPolicy',
    async ({ service, admin }) => {
      // Another process with a policy.
      const strict = await startService({ database: service.database, maxLifetimeDays: 30, now: service.clock.now });
      return await applyPolicy({ client: strict.as(admin.token), body: { action: 'expire', inDays: 1 } });
    },
    [['token.updated', 'policy'], ['policy.applied']],
    'admin',
  ],
  [
    'logIn',
    ({ service, user }) =>
      logIn({ client: service.anonymous, body: { username: user.email, password: user.password } }),
    [['session.opened']],
    'anonymous',
  ],
  [
    'openBrowserSession',
    ({ service, user: { email, password } }) =>
      openBrowserSession({
        client: service.anonymous,
        body: { username: email, password },
        headers: { 'Sec-Fetch-Site': 'same-origin' },
      }),
    [['session.opened']],
    'anonymous',
  ],
  ['logOut', ({ user: { client } }) => logOut({ client }), [['session.closed', 'logout']]],
  [
    'changePassword',
    ({ user: { client, password } }) =>
      changePassword({ client, body: { currentPassword: password, newPassword: 'another password' } }),
    [['user.password_changed']],
  ],
  [
    'createWebhook',
    ({ admin: { client } }) => createWebhook({ client, body: { url: HOOK } }),
    [['webhook.created']],
    'admin',
  ],
  [
    'updateWebhook',
    async (given) => {
      const body = { url: `${HOOK}/other`, enabled: false };
      return await updateWebhook({ client: given.admin.client, path: await hook(given), body });
    },
    [['webhook.created'], ['webhook.disabled'], ['webhook.updated']],
    'admin',
  ],
  [
    'rotateWebhookSecret',
    async (given) => await rotateWebhookSecret({ client: given.admin.client, path: await hook(given) }),
    [['webhook.created'], ['webhook.secret_rotated']],
    'admin',
  ],
  [
    'deleteWebhook',
    async (given) => await deleteWebhook({ client: given.admin.client, path: await hook(given) }),
    [['webhook.created'], ['webhook.deleted']],
    'admin',
  ],
];

/** Operations that are neither a GET nor change anything that the audit log tells. */
const WITHOUT_EVENTS = [
  // A report changes nothing yet. The events are written a moment later, when the service acts on it.
  'reportLeakedCredentials',
  'reportGitHubSecrets',
  'verifyAccessToken',
  'verifyAccessTokens',
  'introspectToken',
  // It replaces the secrets of a session every few minutes. Only the reuse of a spent refresh token is an event.
  'refreshSession',
  'refreshBrowserSession',
  // They send again, or send a test: no right and no setting changes, and the list of deliveries shows it.
  'testWebhook',
  'redeliverWebhookDelivery',
  'redeliverWebhookDeliveries',
];

async function setting(): Promise<Setting> {
  const service = await startService();
  const admin = await service.admin();
  const user = await service.newUser();
  const { plaintext, token } = await create(user.client);
  service.clock.advance(1_000);
  return { service, admin, user, id: token.id, plaintext };
}

describe('each change writes its event', () => {
  test('of every operation', () => {
    const { paths } = JSON.parse(readFileSync('generated/openapi.json', 'utf8')) as {
      paths: Record<string, Record<string, { operationId?: string }>>;
    };
    const changing = Object.values(paths).flatMap((methods) =>
      Object.entries(methods).flatMap(([method, { operationId }]) =>
        method === 'get' || operationId === undefined ? [] : [operationId],
      ),
    );
    expect([...CHANGES.map(([operation]) => operation), ...WITHOUT_EVENTS].sort()).toEqual(changing.sort());
  });

  test.each(CHANGES)('%s', async (_, act, expected, actor = 'user') => {
    const given = await setting();
    const { service, admin, user } = given;
    const known = (await eventsOf(admin.client)).length;
    const { response } = await act(given);
    expect(response?.ok).toBe(true);
    const events = await eventsOf((await service.admin()).client, known);
    // The last one is the login above.
    expect(events.pop()).toMatchObject({ action: 'session.opened', ownerId: 1 });
    expect(events.map(({ action, reason }) => (reason === null ? [action] : [action, reason]))).toEqual(expected);
    const { session, email } = actor === 'admin' ? admin : user;
    for (const event of events) {
      expect(event.actor).toEqual(
        actor === 'anonymous'
          ? { kind: 'anonymous', userId: null, tokenId: null, email: null }
          : { kind: actor === 'token' ? 'token' : 'user', userId: session.id, tokenId: UUID, email },
      );
      expect(event).toMatchObject({
        createdAt: '2030-06-15T12:00:01.000Z',
        address: '127.0.0.1',
        ...(!(/^(webhook|user)\.created$/.test(event.action) && events.length > 1) && {
          requestId: response?.headers.get('x-request-id'),
        }),
      });
    }
  });

  test('by the command line, and a first user by the service', async () => {
    const { service, admin, user } = await setting();
    const users = await openUsers(service.database);
    await users.disable(user.email);
    await users.enable(user.email);
    await users.setPassword(user.email, 'another password', { revokeTokens: true });
    await users.close();
    const rows = await rowsOf(service, 'select action, actor_kind, reason from audit_events order by id');
    expect(rows.map((row) => Object.values(row))).toEqual([
      ['user.created', 'system', null],
      ['session.opened', 'anonymous', null],
      ['user.created', 'cli', null],
      ['session.opened', 'anonymous', null],
      ['token.created', 'user', null],
      ['user.disabled', 'cli', null],
      ['token.revoked', 'cli', 'disabled'],
      ['user.enabled', 'cli', null],
      ['user.password_changed', 'cli', null],
      ['token.revoked', 'cli', 'password'],
    ]);
    const query = { action: 'token.revoked' } as const;
    const { items } = await answered(listAuditEvents({ client: admin.client, query }));
    expect(items).toHaveLength(2);
    expect(items[0]).toMatchObject({ ownerId: user.session.id, target: { kind: 'tokens' }, changes: { count: 1 } });
  });

  test('but a change that fails, or that changes nothing, writes none', async () => {
    const { admin, user, id } = await setting();
    const known = (await eventsOf(admin.client)).length;
    const { client } = user;
    const path = { token_id: id };
    await updateAccessToken({ client, path, body: { name: 'deploy' } });
    await updateAccessToken({ client, path, body: { name: 'c' }, headers: { 'If-Match': '"other"' } });
    await revokeAccessTokens({ client, body: { ids: [id], dryRun: true } });
    await createAccessToken({ client, body: { name: 'b', scopes: ['users:admin'] } });
    await revokeOAuthToken({ client, body: { token: 'nothing' } });
    expect(await eventsOf(admin.client, known)).toEqual([]);
    await revokeAccessToken({ client, path });
    await revokeAccessToken({ client, path });
    expect(await eventsOf(admin.client, known)).toHaveLength(1);
  });

  test('a repetition with an Idempotency-Key writes none', async () => {
    const { admin, user } = await setting();
    const known = (await eventsOf(admin.client)).length;
    const request = { client: user.client, body: { name: 'b' }, headers: { 'Idempotency-Key': 'one' } };
    await answered(createAccessToken(request));
    await answered(createAccessToken(request));
    expect(await eventsOf(admin.client, known)).toHaveLength(1);
  });
});

test('an event says what was different before, and names the token as it was', async () => {
  const { admin, user, id } = await setting();
  const { client } = user;
  const path = { token_id: id };
  await updateAccessToken({ client, path, body: { name: 'release', scopes: ['tokens:read'], disabled: true } });
  const rotated = await answered(rotateAccessToken({ client, path, body: { gracePeriodSeconds: 60 } }));
  await updateAccessToken({ client, path, body: { previousSecret: null } });
  const [edit, rotation, end] = (await eventsOf(admin.client)).slice(-3);
  expect(edit).toMatchObject({
    target: { kind: 'token', tokenId: id, label: 'release' },
    changes: {
      before: { name: 'deploy', scopes: ['tokens:read', 'tokens:verify', 'tokens:write'], disabled: false },
      after: { name: 'release', scopes: ['tokens:read'], disabled: true },
    },
  });
  expect(Object.keys(edit?.changes.after ?? {}).sort()).toEqual(['disabled', 'name', 'scopes']);
  expect(rotation).toMatchObject({
    target: { tokenPrefix: rotated.token.tokenPrefix },
    changes: { after: { prefix: rotated.token.tokenPrefix, earlierSecretValidUntil: '2030-06-15T12:01:01.000Z' } },
  });
  expect(end).toMatchObject({
    action: 'token.grace_ended',
    changes: { before: { prefix: edit?.target?.tokenPrefix } },
  });
});

test('a spent refresh token that comes back is an event of the session that it ended', async () => {
  const { service, admin, user } = await setting();
  const body = { refresh_token: user.session.refresh_token };
  await answered(refreshSession({ client: service.anonymous, body }));
  await refreshSession({ client: service.anonymous, body });
  expect((await eventsOf(admin.client)).at(-1)).toMatchObject({
    action: 'session.refresh_reused',
    reason: 'reuse',
    ownerId: user.session.id,
    target: { kind: 'token', label: 'session' },
  });
});

test('no event has a plaintext or a password', async () => {
  const { service, admin, user, plaintext } = await setting();
  await answered(rotateAccessToken({ client: user.client, path: { token_id: (await create(user.client)).token.id } }));
  const made = await answered(createUser({ client: admin.client, body: { email: 'new@example.org' } }));
  const text = JSON.stringify(await rowsOf(service, 'select * from audit_events'));
  for (const secret of [
    plaintext,
    user.token,
    user.session.refresh_token,
    user.password,
    ADMIN.password,
    made.password,
  ])
    expect(text).not.toContain(secret);
});

describe('the list', () => {
  test('has pages that follow each other, newest first', async () => {
    const { admin, user } = await setting();
    for (const name of ['b', 'c', 'd']) await create(user.client, name);
    const all = (await eventsOf(admin.client)).toReversed();
    const found: AuditEvent[] = [];
    let cursor: string | undefined;
    do {
      const query = { limit: 3, ...(cursor !== undefined && { cursor }) };
      const page = await answered(listAuditEvents({ client: admin.client, query }));
      found.push(...page.items);
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    // The linker may give events their places meanwhile.
    expect(found.map(({ id }) => id)).toEqual(all.map(({ id }) => id));
    expect(found).toHaveLength(8);
  });

  test('keeps events by action, actor, owner, token, request and time', async () => {
    const { service, admin, user, id } = await setting();
    const { client } = user;
    const { response } = await updateAccessToken({ client, path: { token_id: id }, body: { name: 'c' } });
    await revokeAccessToken({ client: admin.client, path: { token_id: id }, query: { owner: 2 } });
    service.clock.advance(1_000);
    await create(admin.client, 'd');
    const ask = async (query: NonNullable<Parameters<typeof listAuditEvents>[0]>['query']) => {
      const { items } = await answered(listAuditEvents({ client: admin.client, query: { ...query } }));
      return items.map(({ action }) => action);
    };
    expect(await ask({ action: 'token.updated' })).toEqual(['token.updated']);
    expect(await ask({ actor: 1 })).toEqual(['token.created', 'token.revoked']);
    expect(await ask({ owner: 2 })).toEqual([
      'token.revoked',
      'token.updated',
      'token.created',
      'session.opened',
      'user.created',
    ]);
    expect(await ask({ token: id.toUpperCase() })).toEqual(['token.revoked', 'token.updated', 'token.created']);
    expect(await ask({ requestId: response.headers.get('x-request-id') ?? '' })).toEqual(['token.updated']);
    expect(await ask({ after: '2030-06-15T12:00:01Z' })).toEqual(['token.created']);
    expect(await ask({ after: '2030-06-15T12:00:00Z', before: '2030-06-15T12:00:02Z' })).toEqual([
      'token.revoked',
      'token.updated',
    ]);
    expect(await ask({ actor: 1, action: 'token.updated' })).toEqual([]);
  });

  test('is for administrators with audit:read alone, which a token has only by name', async () => {
    const { service, admin, user } = await setting();
    const statusOf = async (client: Client) => (await listAuditEvents({ client })).response.status;
    expect(await statusOf(user.client)).toBe(403);
    expect(await statusOf(service.as((await create(admin.client)).plaintext))).toBe(403);
    expect(await statusOf(service.as((await create(admin.client, 'a', ['users:admin'])).plaintext))).toBe(403);
    const named = await create(admin.client, 'a', ['audit:read', 'tokens:write']);
    expect(await statusOf(service.as(named.plaintext))).toBe(200);
    expect((await create(service.as(named.plaintext))).token.scopes).toEqual(['tokens:write']);
    expect(
      (await createAccessToken({ client: user.client, body: { name: 'a', scopes: ['audit:read'] } })).error,
    ).toEqual({
      detail: 'The token lacks a scope: audit:read.',
      code: 'insufficient_scope',
    });
  });
});

describe('the events of one token', () => {
  test('are for its owner, also the one that revoked several tokens', async () => {
    const { admin, user, id } = await setting();
    const { client } = user;
    await create(client, 'other');
    await answered(revokeAllAccessTokens({ client, query: { exclude_current: true } }));
    const ask = async (asker: Client) => await listAccessTokenEvents({ client: asker, path: { token_id: id } });
    const { items } = await answered(ask(client));
    expect(items.map(({ action, target }) => [action, target?.kind])).toEqual([
      ['token.revoked', 'tokens'],
      ['token.created', 'token'],
    ]);
    expect(items[0]?.changes).toEqual({ count: 2, ids: expect.arrayContaining([id]) as string[] });
    expect((await ask(admin.client)).response.status).toBe(404);
  });

  test('have pages', async () => {
    const { user, id } = await setting();
    const { client } = user;
    for (const name of ['b', 'c', 'd']) await updateAccessToken({ client, path: { token_id: id }, body: { name } });
    const first = await answered(listAccessTokenEvents({ client, path: { token_id: id }, query: { limit: 3 } }));
    expect(first.items.map(({ target }) => target?.label)).toEqual(['d', 'c', 'b']);
    const query = { limit: 3, cursor: first.nextCursor ?? '' };
    const second = await answered(listAccessTokenEvents({ client, path: { token_id: id }, query }));
    expect(second).toMatchObject({ items: [{ action: 'token.created' }], nextCursor: null });
  });
});

test('the export has linked events in the order of the chain, and goes on after the last one', async () => {
  const { service, admin, user } = await setting();
  await create(user.client, 'b');
  await expect
    .poll(async () => (await rowsOf(service, 'select id from audit_events where seq is null')).length)
    .toBe(0);
  const exported = async (query: { after?: number; limit?: number }) => {
    const { data, response } = await exportAuditEvents({ client: admin.client, query, parseAs: 'text' });
    expect(response.headers.get('content-type')).toBe('application/jsonl');
    return String(data)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as AuditEvent);
  };
  const all = await exported({});
  expect(all.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(all.toSorted(byId)).toEqual((await eventsOf(admin.client)).toSorted(byId));
  expect(await exported({ limit: 4 })).toEqual(all.slice(0, 4));
  expect(await exported({ after: 4 })).toEqual(all.slice(4));
  expect(await exported({ after: 6 })).toEqual([]);
  expect((await answered(getMe({ client: admin.client }))).user.id).toBe(1);
});
