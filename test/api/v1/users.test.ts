import { describe, expect, test } from 'vitest';
import {
  createAccessToken,
  createUser,
  getMe,
  getUser,
  listUsers,
  logIn,
  type NewUser,
  type UserEdit,
  updateUser,
} from '../../../generated/index.js';
import { send } from '../../support/http.js';
import { ANY_STRING, matching } from '../../support/matchers.js';
import { expectRefusal } from '../../support/refusal.js';
import { answered, type Client, type Service, startService } from '../../support/service.js';
import { shareService } from '../../support/shared.js';

const ADA = { email: 'ada@example.org', fullName: 'Ada', password: 'a password of ada' };

async function add(client: Client, body: NewUser) {
  return await answered(createUser({ client, body }));
}

function edit(client: Client, user_id: number, body: UserEdit) {
  return updateUser({ client, path: { user_id }, body });
}

async function canLogIn({ anonymous }: Service, username: string, password: string): Promise<boolean> {
  return (await logIn({ client: anonymous, body: { username, password } })).response.status === 200;
}

async function isAccepted(service: Service, token: string): Promise<boolean> {
  return (await getMe({ client: service.as(token) })).response.status === 200;
}

describe('adding', () => {
  test('gives the user, who logs in with the password that was sent', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { data, response } = await createUser({ client, body: { ...ADA, email: 'Ada@Example.org' } });
    expect(response.status).toBe(201);
    expect(data).toEqual({
      user: {
        id: 2,
        kind: 'person',
        externalId: null,
        email: ADA.email,
        fullName: 'Ada',
        metadata: {},
        isAdmin: false,
        disabled: false,
        managers: [],
        scopes: null,
        createdAt: '2030-06-15T12:00:00.000Z',
      },
      password: null,
    });
    expect(response.headers.get('Location')).toBe('/api/v1/users/2');
    expect(await answered(getUser({ client, path: { user_id: 2 } }))).toEqual(data?.user);
    expect(await canLogIn(service, ADA.email, ADA.password)).toBe(true);
  });

  test('makes a password where none was sent, and logs it nowhere', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { password, user } = await add(client, { email: ADA.email });
    expect(password).toMatch(/^[0-9A-Za-z]{24}$/);
    expect(user).toMatchObject({ fullName: '', isAdmin: false });
    expect(await canLogIn(service, ADA.email, password ?? '')).toBe(true);
    expect(service.log.join('')).not.toContain(password);
  });

  test('refuses an e-mail that is taken, in whatever spelling, also of many at once', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const calls = Array.from({ length: 5 }, () => createUser({ client, body: ADA }));
    const statuses = (await Promise.all(calls)).map(({ response }) => response.status);
    expect(statuses.sort()).toEqual([201, 409, 409, 409, 409]);
    await expectRefusal(service, () => createUser({ client, body: { email: 'ADA@example.ORG' } }), {
      status: 409,
      body: { detail: 'A user with this e-mail already exists.', code: 'email_taken' },
    });
  });
});

describe('editing', () => {
  test('changes what is sent and nothing else', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { user } = await add(client, ADA);
    expect(await answered(edit(client, user.id, { fullName: 'Ada L.' }))).toEqual({ ...user, fullName: 'Ada L.' });
    expect(await answered(edit(client, user.id, { isAdmin: true }))).toMatchObject({
      fullName: 'Ada L.',
      isAdmin: true,
    });
    expect(await canLogIn(service, ADA.email, ADA.password)).toBe(true);
  });

  test('disabling ends sessions for good and stops tokens while it lasts', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const ada = await service.newUser(ADA.email);
    const { plaintext } = await answered(createAccessToken({ client: ada.client, body: { name: 'a' } }));
    const id = ada.session.id;
    expect(await answered(edit(client, id, { disabled: true }))).toMatchObject({ disabled: true });
    expect(await isAccepted(service, ada.token)).toBe(false);
    expect(await isAccepted(service, plaintext)).toBe(false);
    expect(await answered(edit(client, id, { disabled: false }))).toMatchObject({ disabled: false });
    expect(await isAccepted(service, ada.token)).toBe(false);
    expect(await isAccepted(service, plaintext)).toBe(true);
  });

  test('another password ends sessions, and tokens where that is asked for', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const ada = await service.newUser(ADA.email);
    const { plaintext } = await answered(createAccessToken({ client: ada.client, body: { name: 'a' } }));
    await answered(edit(client, ada.session.id, { password: 'another password' }));
    expect(await isAccepted(service, ada.token)).toBe(false);
    expect(await isAccepted(service, plaintext)).toBe(true);
    expect(await canLogIn(service, ADA.email, ada.password)).toBe(false);
    expect(await canLogIn(service, ADA.email, 'another password')).toBe(true);
    await answered(edit(client, ada.session.id, { revokeTokens: true }));
    expect(await isAccepted(service, plaintext)).toBe(false);
  });

  test('of nothing is refused', async () => {
    const service = await startService();
    const { token } = await service.admin();
    await expectRefusal(service, () => send(service, 'PATCH /api/v1/users/1', { token, json: {} }), {
      status: 422,
      body: { detail: [{ loc: ['body'], msg: ANY_STRING, type: 'too_short' }] },
    });
  });

  test('always leaves an administrator', async () => {
    const service = await startService();
    const admin = await service.admin();
    const own = admin.session.id;
    const refusal = { status: 409, body: { detail: ANY_STRING, code: 'last_admin' } };
    await expectRefusal(service, () => edit(admin.client, own, { isAdmin: false }), refusal);
    await expectRefusal(service, () => edit(admin.client, own, { disabled: true }), refusal);
    const { user } = await add(admin.client, { ...ADA, isAdmin: true });
    await answered(edit(admin.client, user.id, { disabled: true }));
    await expectRefusal(service, () => edit(admin.client, own, { isAdmin: false }), refusal);
    await answered(edit(admin.client, user.id, { disabled: false }));
    expect(await answered(edit(admin.client, own, { isAdmin: false }))).toMatchObject({ isAdmin: false });
    await expectRefusal(service, () => listUsers({ client: admin.client }), { status: 403 });
  });
});

describe('listing', () => {
  const shared = shareService(async (_, { client }) => {
    for (const name of ['Ada', 'Bea', 'Cyd', 'Dee']) {
      await add(client, { email: `${name}@example.org`, fullName: `${name} 100%`, password: 'a long password' });
    }
  });

  test('walks all users by id, page by page', async () => {
    const { admin } = await shared();
    const { client } = admin;
    const found: string[] = [];
    let cursor: string | null | undefined;
    while (cursor !== null) {
      const query = { limit: 2, ...(cursor !== undefined && { cursor }) };
      const page = await answered(listUsers({ client, query }));
      found.push(...page.items.map(({ email }) => email ?? ''));
      cursor = page.nextCursor;
    }
    expect(found).toEqual([
      'admin@latchkey.local',
      'ada@example.org',
      'bea@example.org',
      'cyd@example.org',
      'dee@example.org',
    ]);
  });

  test.each([
    ['BEA', ['bea@example.org']],
    ['example.org', ['ada@example.org', 'bea@example.org', 'cyd@example.org', 'dee@example.org']],
    ['cyd 100%', ['cyd@example.org']],
    ['nobody', []],
  ])('finds %s', async (q, emails) => {
    const { admin } = await shared();
    const { items } = await answered(listUsers({ client: admin.client, query: { q } }));
    expect(items.map(({ email }) => email)).toEqual(emails);
  });

  test('a cursor of another list is refused', async () => {
    const { service, admin } = await shared();
    const { nextCursor } = await answered(listUsers({ client: admin.client, query: { limit: 1 } }));
    const line = `GET /api/v1/users?q=a&cursor=${String(nextCursor)}` as const;
    await expectRefusal(service, () => send(service, line, { token: admin.token }), { status: 422 });
    const tokens = `GET /api/v1/access-tokens?cursor=${String(nextCursor)}` as const;
    await expectRefusal(service, () => send(service, tokens, { token: admin.token }), { status: 422 });
  });

  test.each<[string, unknown, string, string]>([
    ['no e-mail', {}, 'email', 'missing'],
    ['no address', { email: 'ada' }, 'email', 'email_parsing'],
    ['a short password', { email: 'x@example.org', password: '1234567' }, 'password', 'string_too_short'],
    ['a long one', { email: 'x@example.org', password: 'x'.repeat(1_025) }, 'password', 'string_too_long'],
    ['a control character', { email: 'x@example.org', fullName: 'a\u0007' }, 'fullName', 'string_pattern_mismatch'],
    ['a member of its own', { email: 'x@example.org', id: 1 }, 'id', 'extra_forbidden'],
  ])('%s makes no user', async (_, json, field, type) => {
    const { service, admin } = await shared();
    const password = (json as { password?: string }).password;
    await expectRefusal(service, () => send(service, 'POST /api/v1/users', { token: admin.token, json }), {
      status: 422,
      body: { detail: [{ loc: ['body', field], msg: ANY_STRING, type }] },
      secrets: password === undefined ? [] : [password],
    });
  });

  test('a password of 1024 characters outside the plane is one', async () => {
    const { service, admin } = await shared();
    const password = '🔑'.repeat(1_024);
    await add(admin.client, { email: 'keys@example.org', password });
    expect(await canLogIn(service, 'keys@example.org', password)).toBe(true);
  });

  test('an id that nobody has is 404, and one that cannot be is 422', async () => {
    const { service, admin } = await shared();
    const { token } = admin;
    for (const method of ['GET', 'PATCH'] as const) {
      const json = method === 'PATCH' ? { disabled: true } : undefined;
      await expectRefusal(service, () => send(service, `${method} /api/v1/users/4711`, { token, json }), {
        status: 404,
        body: { detail: 'No such user.', code: 'not_found' },
      });
      await expectRefusal(service, () => send(service, `${method} /api/v1/users/0x1`, { token, json }), {
        status: 422,
        body: { detail: [{ loc: ['path', 'user_id'], msg: matching(/integer/), type: 'int_parsing' }] },
      });
    }
  });
});
