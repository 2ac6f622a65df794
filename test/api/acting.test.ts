import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  createAccessToken,
  deleteExternalUser,
  getMe,
  listAccessTokens,
  listPrivateTokens,
  putExternalUser,
  rotateCurrentAccessToken,
  updateUser,
  verifyAccessToken,
} from '../../generated/index.js';
import { type Answer, send } from '../support/http.js';
import { ANY_STRING } from '../support/matchers.js';
import { expectRefusal } from '../support/refusal.js';
import { answered, type Client, type Person, type Service, startService } from '../support/service.js';
import { shareService } from '../support/shared.js';
import { change } from '../support/store.js';

// Who may act for whom: every operation on tokens, as an attacker would call it.

const ALL = ['orders:read', 'tokens:act-as', 'tokens:read', 'tokens:write'];

function lacks(scope: string) {
  return { status: 403, body: { detail: `The token lacks a scope: ${scope}.`, code: 'insufficient_scope' } };
}
const LACKS_ACT_AS = {
  owner: lacks('tokens:act-as, or users:admin for the tokens of a person'),
  externalOwner: lacks('tokens:act-as'),
};

type Line = `${string} ${string}`;

/** Every operation on the tokens of an owner, with `ID` for the token; and what it does, by which an administrator may do it. */
const OPERATIONS: [line: Line, json: unknown, does: 'read' | 'revoke' | 'other'][] = [
  ['GET /api/v1/access-tokens', undefined, 'read'],
  ['GET /api/v1/access-tokens/counts', undefined, 'read'],
  ['GET /api/v1/access-tokens/limits', undefined, 'read'],
  ['POST /api/v1/access-tokens', { name: 'planted', scopes: [] }, 'other'],
  ['DELETE /api/v1/access-tokens', undefined, 'revoke'],
  ['POST /api/v1/access-tokens/revoke', { ids: ['ID'] }, 'revoke'],
  ['POST /api/v1/access-tokens/transfer', { ids: ['ID'], to: 1 }, 'revoke'],
  ['GET /api/v1/access-tokens/ID', undefined, 'read'],
  ['PATCH /api/v1/access-tokens/ID', { name: 'renamed' }, 'other'],
  ['POST /api/v1/access-tokens/ID/rotate', {}, 'other'],
  ['DELETE /api/v1/access-tokens/ID', undefined, 'revoke'],
  ['GET /api/v1/access-tokens/ID/audit-events', undefined, 'other'],
];

function call(service: Service, token: string, [line, json]: readonly [Line, unknown, string], id: string, query = '') {
  const named = `${line.replace('ID', id)}${query === '' ? '' : `?${query}`}` as Line;
  const body = json === undefined ? undefined : JSON.stringify(json).replace('ID', id);
  return (): Promise<Answer> => send(service, named, { token, ...(body !== undefined && { body }) });
}

async function tokenOf(client: Client, scopes: string[], query = {}) {
  return await answered(createAccessToken({ client, query, body: { name: 'key', scopes } }));
}

const shared = shareService(async (service, admin) => {
  const person = await service.newUser();
  for (const external_id of ['cus_42', 'cus_43']) {
    await putExternalUser({
      client: admin.client,
      path: { external_id },
      body: { fullName: `Name of ${external_id}` },
    });
  }
  const [ofExternal, foreign] = [
    await tokenOf(admin.client, ['orders:read'], { externalOwner: 'cus_42' }),
    await tokenOf(admin.client, ['tokens:read', 'tokens:write'], { externalOwner: 'cus_43' }),
  ];
  const ofPerson = await tokenOf(person.client, []);
  const { owner } = await answered(verifyAccessToken({ client: admin.client, body: { token: ofExternal.plaintext } }));
  return {
    person,
    externalId: owner?.id ?? 0,
    ofExternal,
    ofPerson,
    foreign,
    acting: await tokenOf(admin.client, ALL),
    reader: await tokenOf(admin.client, ['tokens:act-as', 'tokens:read']),
    writer: await tokenOf(admin.client, ['tokens:act-as', 'tokens:write']),
    narrow: await tokenOf(admin.client, ['tokens:act-as', 'tokens:read', 'tokens:write']),
  };
});

test('every operation that takes an owner is here', () => {
  const { paths } = JSON.parse(readFileSync('generated/openapi.json', 'utf8')) as {
    paths: Record<string, Record<string, { parameters?: { $ref?: string }[] }>>;
  };
  const taking = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { parameters = [] }]) => parameters.some(({ $ref }) => $ref?.endsWith('/ExternalOwner')))
      .map(([method]) => `${method.toUpperCase()} ${path.replace('{token_id}', 'ID')}`),
  );
  expect(OPERATIONS.map(([line]) => line).sort()).toEqual(taking.sort());
});

describe.each(OPERATIONS)('%s', (...operation) => {
  const [line, , does] = operation;

  // The table of isolation has all callers.
  test('of an external owner needs tokens:act-as, which the refusal names', async () => {
    const { service, made } = await shared();
    const { id } = made.ofExternal.token;
    for (const [query, refusal] of [
      [`externalOwner=cus_42`, LACKS_ACT_AS.externalOwner],
      [`owner=${String(made.externalId)}`, LACKS_ACT_AS.owner],
    ] as const) {
      await expectRefusal(service, call(service, made.person.token, operation, id, query), refusal);
    }
  });

  test('needs its own scope besides', async () => {
    const { service, made } = await shared();
    const isRead = does === 'read' || line.startsWith('GET');
    const { plaintext } = isRead ? made.writer : made.reader;
    const refusal = lacks(isRead ? 'tokens:read' : 'tokens:write');
    const { id } = made.ofExternal.token;
    await expectRefusal(service, call(service, plaintext, operation, id, 'externalOwner=cus_42'), refusal);
  });

  test('of another owner than the one that is named finds no token', async () => {
    const { service, made } = await shared();
    if (!line.includes('ID')) return;
    const { plaintext } = made.acting;
    for (const id of [made.foreign.token.id, made.ofPerson.token.id, made.acting.token.id]) {
      const refusal = { status: 404, body: { detail: 'No such token.', code: 'not_found' } };
      await expectRefusal(service, call(service, plaintext, operation, id, 'externalOwner=cus_42'), refusal);
    }
  });

  test('takes one owner, not two', async () => {
    const { service, made } = await shared();
    const query = `externalOwner=cus_42&owner=${String(made.externalId)}`;
    const request = call(service, made.acting.plaintext, operation, made.ofExternal.token.id, query);
    await expectRefusal(service, request, { status: 422 });
  });
});

test('a caller gives an owner no scope that it lacks itself', async () => {
  const { service, admin, made } = await shared();
  const { plaintext } = made.narrow;
  const named = 'externalOwner=cus_42';
  const path = `/api/v1/access-tokens/${made.ofExternal.token.id}`;
  for (const [line, json] of [
    ['POST /api/v1/access-tokens', { name: 'a', scopes: ['orders:read'] }],
    [`PATCH ${path}`, { name: 'a' }],
    [`PATCH ${path}`, { scopes: ['orders:read', 'orders:write'] }],
    [`POST ${path}/rotate`, {}],
  ] as const) {
    const request = () => send(service, `${line}?${named}`, { token: plaintext, json });
    await expectRefusal(service, request, lacks('orders:read'));
  }
  for (const scope of [
    'users:admin',
    'audit:read',
    'webhooks:admin',
    'policy:admin',
    'tokens:act-as',
    'tokens:verify',
  ]) {
    for (const [line, json] of [
      ['POST /api/v1/access-tokens', { name: 'a', scopes: [scope] }],
      [`PATCH ${path}`, { scopes: ['orders:read', scope] }],
    ] as const) {
      const request = () => send(service, `${line}?${named}`, { token: admin.token, json });
      await expectRefusal(service, request, lacks(scope));
    }
  }
});

describe('the token of an external owner', () => {
  async function startOne() {
    const service = await startService();
    const admin = await service.admin();
    const path = { external_id: 'cus_42' };
    const owner = { fullName: 'Ada Ltd', email: 'it@ada.example', metadata: { risk: 'high' } };
    const { id } = await answered(putExternalUser({ client: admin.client, path, body: owner }));
    const { plaintext, token } = await tokenOf(admin.client, ['tokens:read', 'tokens:write'], { owner: id });
    return { service, admin, id, plaintext, token };
  }

  test('sees and changes the tokens of its owner alone', async () => {
    const { service, admin, id, plaintext, token } = await startOne();
    const foreign = (await tokenOf(admin.client, [])).token;
    const client = service.as(plaintext);
    for (const query of ['', 'externalOwner=cus_42', `owner=${String(id)}`]) {
      for (const [line, json] of OPERATIONS.filter(
        ([each]) => !each.startsWith('DELETE') && !each.endsWith('rotate'),
      )) {
        if (/\/(revoke|transfer)$/.test(line)) continue;
        const answer = await call(service, plaintext, [line, json, ''], token.id, query)();
        expect([line, query, answer.status]).toEqual([line, query, line.startsWith('POST') ? 201 : 200]);
        expect(answer.text).not.toContain(foreign.id);
      }
    }
    expect((await answered(listAccessTokens({ client }))).items).toHaveLength(4);
    expect((await answered(listPrivateTokens({ client }))).count).toBe(4);
    for (const operation of OPERATIONS.filter(([line]) => line.includes('ID'))) {
      await expectRefusal(service, call(service, plaintext, operation, foreign.id), { status: 404 });
    }
  });

  test('never shows or changes the record of its owner, or whatever is for administrators', async () => {
    const { service, id, plaintext } = await startOne();
    for (const [line, json] of [
      ['GET /api/v1/users', undefined],
      [`GET /api/v1/users/${String(id)}`, undefined],
      [`PATCH /api/v1/users/${String(id)}`, { fullName: 'Eve' }],
      ['POST /api/v1/users', { email: 'eve@example.org' }],
      ['GET /api/v1/users/external/cus_42', undefined],
      ['PUT /api/v1/users/external/cus_42', { fullName: 'Eve' }],
      ['PUT /api/v1/users/external/cus_44', {}],
      ['DELETE /api/v1/users/external/cus_42', undefined],
      ['POST /api/v1/access-tokens/verify', { token: plaintext }],
      ['POST /api/v1/access-tokens/verify-batch', { tokens: [{ token: plaintext }] }],
      ['GET /api/v1/audit-events', undefined],
      ['GET /api/v1/webhooks', undefined],
      ['GET /api/v1/policy', undefined],
    ] as const) {
      await expectRefusal(service, () => send(service, line, { token: plaintext, json }), { status: 403 });
    }
    const { user } = await answered(getMe({ client: service.as(plaintext) }));
    expect(user).toMatchObject({ id, email: null, fullName: '', isAdmin: false, emailVerified: false });
    const { text } = await send(service, 'GET /api/v1/auth/me', { token: plaintext });
    for (const word of ['Ada', 'ada.example', 'cus_42', 'risk']) expect(text).not.toContain(word);
  });

  test('has of the scopes of its creator only those that are named or no business of this service', async () => {
    const { service, admin } = await startOne();
    const { plaintext } = await tokenOf(admin.client, ALL);
    const query = { externalOwner: 'cus_42' };
    const create = { client: service.as(plaintext), query, body: { name: 'a' } };
    expect((await answered(createAccessToken(create))).token.scopes).toEqual(['orders:read']);
    expect((await answered(createAccessToken({ ...create, client: admin.client }))).token.scopes).toEqual([]);
  });
});

test('the policy counts for the owner who is named, and not for the caller', async () => {
  const service = await startService({ maxTokensPerOwner: 1, maxLifetimeDays: 90 });
  const { client } = await service.admin();
  await putExternalUser({ client, path: { external_id: 'cus_42' }, body: {} });
  const create = (query: object, expiresInDays = 30) =>
    createAccessToken({ client, query, body: { name: 'a', scopes: [], expiresInDays } });
  const named = { externalOwner: 'cus_42' };
  await expectRefusal(service, () => create(named, 91), { status: 422 });
  await answered(create(named));
  const full = { status: 409, body: { detail: ANY_STRING, code: 'token_limit_reached' } };
  await expectRefusal(service, () => create(named), full);
  await answered(create({}));
  await expectRefusal(service, () => create({}), full);
});

describe('an Idempotency-Key', () => {
  const create = (
    service: Service,
    token: string,
    query: string,
    key: string,
    json: object = { name: 'a', scopes: [] },
  ) => send(service, `POST /api/v1/access-tokens?${query}`, { token, json, headers: { 'Idempotency-Key': key } });

  test('belongs to the token and the owner together', async () => {
    const { service, admin, made } = await shared();
    const { plaintext } = made.acting;
    const queries = ['externalOwner=cus_42', `owner=${String(made.externalId)}`, 'externalOwner=cus_43', ''];
    const answers = [];
    for (const query of queries) answers.push(await create(service, plaintext, query, 'key-1'));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    const [first, again, other, own] = answers.map(({ text }) => text);
    expect(again).toBe(first);
    expect(new Set([first, other, own]).size).toBe(3);
    const fourth = await create(service, admin.token, 'externalOwner=cus_42', 'key-1');
    expect([fourth.status, fourth.text === first]).toEqual([201, false]);
    const differs = () => create(service, plaintext, 'externalOwner=cus_42', 'key-1', { name: 'b', scopes: [] });
    await expectRefusal(service, differs, { status: 422 });
  });

  test('finds no answer that a deleted owner with the same external id got', async () => {
    const service = await startService();
    const { client, token } = await service.admin();
    const path = { external_id: 'cus_42' };
    const answers = [];
    for (let time = 0; time < 2; time++) {
      await putExternalUser({ client, path, body: {} });
      answers.push(await create(service, token, 'externalOwner=cus_42', 'key-1'));
      await deleteExternalUser({ client, path });
    }
    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
    expect(answers[0]?.text).not.toBe(answers[1]?.text);
    const late = () => create(service, token, 'externalOwner=cus_42', 'key-1');
    await expectRefusal(service, late, { status: 404, body: { detail: 'No such owner.', code: 'owner_not_found' } });
  });

  test('gives an earlier secret the answer that it got for this owner, and no other', async () => {
    const service = await startService();
    const { client } = await service.admin();
    for (const external_id of ['cus_42', 'cus_43']) await putExternalUser({ client, path: { external_id }, body: {} });
    const { plaintext } = await tokenOf(client, ALL);
    const first = await create(service, plaintext, 'externalOwner=cus_42', 'key-1');
    await answered(rotateCurrentAccessToken({ client: service.as(plaintext), body: { gracePeriodSeconds: 60 } }));
    const again = await create(service, plaintext, 'externalOwner=cus_42', 'key-1');
    expect([again.status, again.text]).toEqual([201, first.text]);
    for (const query of ['externalOwner=cus_43', '']) {
      await expectRefusal(service, () => create(service, plaintext, query, 'key-1'), { status: 403 });
    }
  });
});

describe('tokens:act-as', () => {
  async function startActing() {
    const service = await startService();
    const admin = await service.admin();
    await putExternalUser({ client: admin.client, path: { external_id: 'cus_42' }, body: {} });
    const other = await service.newUser();
    const path = { user_id: other.session.id };
    await updateUser({ client: admin.client, path, body: { isAdmin: true } });
    const { plaintext } = await tokenOf((await service.logIn(other.email, other.password)).client, ALL);
    return { service, admin, path, plaintext };
  }
  const list = (service: Service, token: string) => () =>
    send(service, 'GET /api/v1/access-tokens?externalOwner=cus_42', { token });

  test('ends with the rights of the administrator, and is given by nobody who lacks it', async () => {
    const { service, admin, path, plaintext } = await startActing();
    expect((await list(service, plaintext)()).status).toBe(200);
    await updateUser({ client: admin.client, path, body: { isAdmin: false } });
    await expectRefusal(service, list(service, plaintext), lacks('tokens:act-as'));
    const heir = { token: plaintext, json: { name: 'heir', scopes: ['tokens:act-as'] } };
    await expectRefusal(service, () => send(service, 'POST /api/v1/access-tokens', heir), lacks('tokens:act-as'));
    const put = { token: plaintext, json: {} };
    const line = 'PUT /api/v1/users/external/cus_42';
    await expectRefusal(service, () => send(service, line, put), lacks('tokens:act-as'));
    // A service keeps it, since no administrator's right is behind it.
    const user = `where id = ${String(path.user_id)}`;
    await change(service, `update users set kind = 'service', email = null, password_hash = null ${user}`);
    expect((await list(service, plaintext)()).status).toBe(200);
    await change(service, `update users set kind = 'external' ${user}`);
    await expectRefusal(service, list(service, plaintext), lacks('tokens:act-as'));
  });

  test('gives nothing to a token from a time when it was a word of another API', async () => {
    const { service, plaintext } = await startActing();
    await change(service, `update organizations set audit_since = ${String(service.clock.now() + 1)}`);
    await expectRefusal(service, list(service, plaintext), lacks('tokens:act-as'));
  });

  test('is in no token that does not name it, and for no user who is no administrator', async () => {
    const { service, admin } = await startActing();
    const narrow = async ({ client }: Person) =>
      (await answered(createAccessToken({ client, body: { name: 'a' } }))).token.scopes;
    expect(await narrow(admin)).not.toContain('tokens:act-as');
    const user = await service.newUser();
    const json = { name: 'a', scopes: ['tokens:act-as'] };
    const request = () => send(service, 'POST /api/v1/access-tokens', { token: user.token, json });
    await expectRefusal(service, request, lacks('tokens:act-as'));
    await expectRefusal(service, list(service, user.token), lacks('tokens:act-as'));
  });
});
