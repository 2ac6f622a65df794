import { describe, expect, test } from 'vitest';
import {
  createAccessToken,
  getMe,
  listAccessTokens,
  logIn,
  logOut,
  refreshSession,
  revokeAccessToken,
} from '../../../generated/index.js';
import { openUsers } from '../../../server/index.js';
import { createPasswords } from '../../../server/users/passwords.js';
import { send } from '../../support/http.js';
import { ANY_NUMBER, ANY_STRING, ANY_UUID, matching, SOME_MESSAGES, without } from '../../support/matchers.js';
import { withChecksum } from '../../support/plaintext.js';
import { expectNoSecret, expectRefusal } from '../../support/refusal.js';
import { ADMIN, answered, DAY, HOUR, MINUTE, type Person, type Service, startService } from '../../support/service.js';
import { shareService } from '../../support/shared.js';
import { contentOf } from '../../support/store.js';

const SESSION_TOKEN = matching(/^lk_ses_[0-9A-Za-z]{36}$/);
const LOGIN = 'POST /api/v1/auth/login/';
const REFRESH = 'POST /api/v1/auth/refresh/';

function attempt(service: Service, username: string, password: string) {
  return logIn({ client: service.anonymous, body: { username, password } });
}

function refresh(service: Service, refresh_token: string) {
  return refreshSession({ client: service.anonymous, body: { refresh_token } });
}

async function isAlive(service: Service, token: string): Promise<boolean> {
  return (await getMe({ client: service.as(token) })).response.status === 200;
}

async function withUsers(service: Service, change: (users: Awaited<ReturnType<typeof openUsers>>) => Promise<void>) {
  const users = await openUsers(service.database);
  await change(users);
  await users.close();
}

describe('logging in', () => {
  test('answers 200 with the user and one session token under both its names', async () => {
    const service = await startService();
    const { email, password } = await service.newUser('someone@example.org');
    const { data, response } = await attempt(service, email, password);
    expect(response.status).toBe(200);
    expect(data).toEqual({
      id: ANY_NUMBER,
      email,
      username: email,
      company_id: ANY_UUID,
      token_access: data?.access_token,
      access_token: SESSION_TOKEN,
      refresh_token: matching(/^lk_ref_[0-9A-Za-z]{36}$/),
      is_verified: true,
      profile: { full_name: `Name of ${email}`, kyc_enabled: false, terms_and_policy_accepted_at: null },
    });
    expect(await isAlive(service, data?.access_token ?? '')).toBe(true);
  });

  test('finds the user by the e-mail in any case, and compares the whole password', async () => {
    const service = await startService();
    expect((await attempt(service, ADMIN.email.toUpperCase(), ADMIN.password)).response.status).toBe(200);
    for (const password of [ADMIN.password.toUpperCase(), `${ADMIN.password} `, ADMIN.password.slice(0, -1)]) {
      await expectRefusal(service, () => attempt(service, ADMIN.email, password), { status: 401 });
    }
  });

  test('with a wrong password and with an unknown e-mail gets the same 401 after the same time', async () => {
    const service = await startService({ passwords: createPasswords() });
    const fastest = { known: Number.POSITIVE_INFINITY, unknown: Number.POSITIVE_INFINITY };
    const answers = [];
    for (let i = 0; i < 8; i++) {
      for (const [kind, username] of [
        ['known', ADMIN.email],
        ['unknown', 'nobody@example.org'],
      ] as const) {
        const start = performance.now();
        const answer = await send(service, LOGIN, { json: { username, password: 'wrong horse' } });
        fastest[kind] = Math.min(fastest[kind], performance.now() - start);
        const headers = without(answer.headers, 'date', 'x-request-id');
        answers.push({ status: answer.status, text: answer.text, headers });
        await expectNoSecret(service, answer, ['wrong horse']);
      }
    }
    expect(answers[0]).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': matching(/^Bearer/) },
    });
    expect(JSON.parse(answers[0]?.text ?? '')).toEqual({ detail: ANY_STRING });
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(fastest.unknown).toBeGreaterThan(fastest.known / 2);
    expect(fastest.known).toBeGreaterThan(fastest.unknown / 2);
  });

  test('leaves no trace of the password in the log', async () => {
    const service = await startService();
    await service.admin();
    await service.stop();
    expect(service.log.join('')).toContain('/api/v1/auth/login/');
    expect(service.log.join('')).not.toMatch(new RegExp(`${ADMIN.password}|lk_(ses|ref)_`));
  });

  const shared = shareService();
  test.each([
    ['no password', { username: ADMIN.email }, { password: SOME_MESSAGES }],
    ['no username', { password: 'hunter2hunter2' }, { username: SOME_MESSAGES }],
    ['nothing', {}, { username: SOME_MESSAGES, password: SOME_MESSAGES }],
    ['a username that is no e-mail', { username: 'admin', password: 'hunter2hunter2' }, { username: SOME_MESSAGES }],
    ['an empty password', { username: ADMIN.email, password: '' }, { password: SOME_MESSAGES }],
    ['a password of 1025', { username: ADMIN.email, password: 'p'.repeat(1025) }, { password: SOME_MESSAGES }],
    ['a password that is no string', { username: ADMIN.email, password: 12345678 }, { password: SOME_MESSAGES }],
    [
      'an unknown member',
      { username: ADMIN.email, password: 'hunter2hunter2', email: 'a@b' },
      { email: SOME_MESSAGES },
    ],
    ['a list', [], { non_field_errors: SOME_MESSAGES }],
  ])('with %s is 400', async (_, json, body) => {
    const { service } = await shared();
    const secrets = ['hunter2hunter2', 'p'.repeat(20), '12345678'];
    await expectRefusal(service, () => send(service, LOGIN, { json }), { status: 400, body, secrets });
  });

  test.each([LOGIN, REFRESH] as const)('%s with what is no JSON is 400 with a detail', async (line) => {
    const { service } = await shared();
    await expectRefusal(service, () => send(service, line, { body: '{"password": "hunter2hunter2"' }), {
      status: 400,
      body: { detail: ANY_STRING },
      secrets: ['hunter2hunter2'],
    });
  });
});

describe('too many failures', () => {
  /** Fails until the account is throttled from here. */
  async function exhaust(service: Service, username: string): Promise<number> {
    for (let failures = 0; failures < 100; failures++) {
      const { status, headers } = await send(service, LOGIN, { json: { username, password: 'wrong horse' } });
      if (status === 429) return Number(headers['retry-after']);
      expect(status).toBe(401);
    }
    throw new Error('a hundred failures were not too many');
  }

  test('are 429 with Retry-After even for the right password, in any spelling of the e-mail, until then', async () => {
    const service = await startService();
    const other = await service.newUser();
    const seconds = await exhaust(service, ADMIN.email);
    expect(seconds).toBeGreaterThan(0);
    for (const username of [ADMIN.email, ADMIN.email.toUpperCase()]) {
      const { headers } = await expectRefusal(
        service,
        () => send(service, LOGIN, { json: { username, password: ADMIN.password } }),
        { status: 429, body: { detail: ANY_STRING } },
      );
      expect(headers['retry-after']).toBe(String(seconds));
    }
    expect((await attempt(service, other.email, other.password)).response.status).toBe(200);

    service.clock.advance(seconds * 1_000 - 1);
    expect((await attempt(service, ADMIN.email, ADMIN.password)).response.status).toBe(429);
    service.clock.advance(1);
    expect((await attempt(service, ADMIN.email, ADMIN.password)).response.status).toBe(200);
  });

  test('do not end the sessions there are, nor keep them from being refreshed', async () => {
    const service = await startService();
    const { token, session } = await service.admin();
    await exhaust(service, ADMIN.email);
    expect(await isAlive(service, token)).toBe(true);
    expect((await refresh(service, session.refresh_token)).response.status).toBe(200);
  });
});

describe('the cookie', () => {
  test('is set by login and refresh, for scripts invisible and for the whole site', async () => {
    const service = await startService();
    const first = await attempt(service, ADMIN.email, ADMIN.password);
    const second = await refresh(service, first.data?.refresh_token ?? '');
    for (const { data, response } of [first, second]) {
      const [pair, ...attributes] = response.headers.getSetCookie()[0]?.split('; ') ?? [];
      expect(pair).toBe(`vai_token=${data?.access_token ?? ''}`);
      expect(attributes.sort()).toEqual(['HttpOnly', 'Max-Age=3600', 'Path=/', 'SameSite=Lax']);
    }
  });

  test('is Secure where the clients speak https', async () => {
    const json = { username: ADMIN.email, password: ADMIN.password };
    const headers = { 'X-Forwarded-Proto': 'https' };
    for (const [options, secure] of [
      [{ publicUrl: 'https://tokens.example.org' }, true],
      [{ trustProxy: 1 }, true],
      [{ trustProxy: 0 }, false],
    ] as const) {
      const service = await startService(options);
      const answer = await send(service, LOGIN, { json, headers });
      expect(answer.headers['set-cookie']?.[0]?.split('; ').includes('Secure')).toBe(secure);
    }
  });

  test('is not set by what fails', async () => {
    const service = await startService();
    const json = { username: ADMIN.email, password: 'wrong horse' };
    const { headers } = await expectRefusal(service, () => send(service, LOGIN, { json }), { status: 401 });
    expect(headers).not.toHaveProperty('set-cookie');
  });
});

describe('a session', () => {
  test('opens the API for an hour', async () => {
    const service = await startService();
    const { token } = await service.admin();
    service.clock.advance(HOUR - 1);
    expect(await isAlive(service, token)).toBe(true);
    service.clock.advance(1);
    expect(await isAlive(service, token)).toBe(false);
  });

  test('lives as long as the operator says', async () => {
    const service = await startService({ sessionMinutes: 5 });
    const { token } = await service.admin();
    service.clock.advance(5 * MINUTE - 1);
    expect(await isAlive(service, token)).toBe(true);
    service.clock.advance(1);
    expect(await isAlive(service, token)).toBe(false);
  });
});

describe('refreshing', () => {
  test('answers like login, with a new pair, also after the session token has expired', async () => {
    const service = await startService();
    const { session } = await service.admin();
    service.clock.advance(2 * HOUR);
    const { data, response } = await refresh(service, session.refresh_token);
    expect(response.status).toBe(200);
    expect(data).toEqual({
      ...session,
      access_token: SESSION_TOKEN,
      token_access: data?.access_token,
      refresh_token: ANY_STRING,
    });
    expect(data?.access_token).not.toBe(session.access_token);
    expect(data?.refresh_token).not.toBe(session.refresh_token);
    service.clock.advance(HOUR - 1);
    expect(await isAlive(service, data?.access_token ?? '')).toBe(true);
    service.clock.advance(1);
    expect(await isAlive(service, data?.access_token ?? '')).toBe(false);
  });

  test('with a spent refresh token is 401 and revokes the whole family, of that session alone', async () => {
    const service = await startService();
    const { session } = await service.admin();
    const bystander = await service.admin();
    const second = await answered(refresh(service, session.refresh_token));
    const third = await answered(refresh(service, second.refresh_token));
    const reuse = await send(service, REFRESH, { json: { refresh_token: session.refresh_token } });
    expect(reuse).toMatchObject({ status: 401, body: { detail: ANY_STRING } });
    await expectNoSecret(service, reuse);
    for (const { access_token } of [session, second, third]) expect(await isAlive(service, access_token)).toBe(false);
    await expectRefusal(service, () => refresh(service, third.refresh_token), { status: 401 });
    expect(await isAlive(service, bystander.token)).toBe(true);
    const { items } = await answered(listAccessTokens({ client: bystander.client, query: { includeRevoked: true } }));
    expect(items.map(({ revokedAt }) => revokedAt)).toEqual([null, '2030-06-15T12:00:00.000Z']);
  });

  test('twice at once with one token serves one of the two at most, and revokes the family', async () => {
    const service = await startService();
    const { session } = await service.admin();
    const answers = await Promise.all([1, 2].map(() => refresh(service, session.refresh_token)));
    expect(answers.map(({ response }) => response.status).sort()).toEqual([200, 401]);
    const won = answers.find(({ data }) => data)?.data;
    expect(await isAlive(service, won?.access_token ?? '')).toBe(false);
  });

  test.each<[string, (service: Service, person: Person) => Promise<string>]>([
    ['nobody was given', () => Promise.resolve(withChecksum(`lk_ref_${'0'.repeat(30)}`))],
    ['is no token', () => Promise.resolve('refresh')],
    ['is a session token', (_, { token }) => Promise.resolve(token)],
    [
      'has expired',
      ({ clock }, { session }) => {
        clock.advance(14 * DAY);
        return Promise.resolve(session.refresh_token);
      },
    ],
    [
      'belongs to a revoked session',
      async (_, { client, session }) => {
        const me = await answered(getMe({ client }));
        await revokeAccessToken({ client, path: { token_id: me.session.sessionId ?? '' } });
        return session.refresh_token;
      },
    ],
    [
      'belongs to a disabled user',
      async (service, { session }) => {
        await withUsers(service, (users) => users.disable(ADMIN.email, { force: true }));
        return session.refresh_token;
      },
    ],
  ])('with a token that %s is 401', async (_, prepare) => {
    const service = await startService();
    const refreshToken = await prepare(service, await service.admin());
    const { headers } = await expectRefusal(service, () => refresh(service, refreshToken), {
      status: 401,
      body: { detail: 'The refresh token is not valid.' },
    });
    expect(headers['www-authenticate']).toBe('Bearer error="invalid_token"');
  });

  test.each([
    ['no token', {}, { refresh_token: [ANY_STRING] }],
    ['a token that is no string', { refresh_token: 1 }, { refresh_token: [ANY_STRING] }],
    ['an unknown member', { refresh_token: 'a', token: 'b' }, { token: [ANY_STRING] }],
  ])('with %s is 400', async (_, json, body) => {
    const service = await startService();
    await expectRefusal(service, () => send(service, REFRESH, { json }), { status: 400, body });
  });
});

describe('logging out', () => {
  test('is 204, revokes the session with its refresh token, and clears the cookie', async () => {
    const service = await startService();
    const { client, token, session } = await service.admin();
    const other = await service.admin();
    const { response } = await logOut({ client });
    expect(response.status).toBe(204);
    const [pair, ...attributes] = response.headers.getSetCookie()[0]?.split('; ') ?? [];
    expect(pair).toBe('vai_token=');
    expect(attributes.sort()).toEqual(['HttpOnly', 'Max-Age=0', 'Path=/', 'SameSite=Lax']);
    expect(await isAlive(service, token)).toBe(false);
    await expectRefusal(service, () => refresh(service, session.refresh_token), { status: 401 });
    expect(await isAlive(service, other.token)).toBe(true);
  });

  test('with a personal access token revokes nothing, since that is no session', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { plaintext } = await answered(createAccessToken({ client, body: { name: 'a' } }));
    const before = await contentOf(service);
    expect((await logOut({ client: service.as(plaintext) })).response.status).toBe(204);
    expect(await contentOf(service)).toEqual(before);
  });
});

describe('a disabled user', () => {
  test('is 403 with the right password, and 401 with a wrong one like anybody', async () => {
    const service = await startService();
    const { email, password } = await service.newUser();
    await withUsers(service, (users) => users.disable(email));
    await expectRefusal(service, () => attempt(service, email, password), {
      status: 403,
      body: { detail: ANY_STRING },
    });
    await expectRefusal(service, () => attempt(service, email, 'wrong horse'), { status: 401 });
  });

  test('has no session and no token that opens anything, until they are enabled', async () => {
    const service = await startService();
    const { email, password, client, token } = await service.newUser();
    const { plaintext } = await answered(createAccessToken({ client, body: { name: 'a' } }));
    await withUsers(service, (users) => users.disable(email));
    for (const dead of [token, plaintext]) {
      await expectRefusal(service, () => getMe({ client: service.as(dead) }), { status: 401 });
    }
    await withUsers(service, (users) => users.enable(email));
    expect(await isAlive(service, plaintext)).toBe(true);
    expect(await isAlive(service, token)).toBe(false);
    expect((await attempt(service, email, password)).response.status).toBe(200);
  });
});

test('me tells the session, the organization and the user', async () => {
  const service = await startService();
  const { client, email, session, token } = await service.newUser('someone@example.org');
  const { items } = await answered(listAccessTokens({ client }));
  const me = await answered(getMe({ client }));
  expect(me).toEqual({
    session: {
      authMethod: 'bearer',
      organization: {
        id: session.company_id,
        name: ANY_STRING,
        slug: ANY_STRING,
        tenantStatus: 'active',
      },
      organizationId: session.company_id,
      sessionId: items[0]?.id,
      tokenType: 'session',
    },
    user: {
      id: session.id,
      email,
      emailVerified: true,
      fullName: `Name of ${email}`,
      isAdmin: false,
      createdAt: matching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    },
  });
  for (const [headers, authMethod] of [
    [{ 'X-API-Key': token }, 'apiKey'],
    [{ Cookie: `vai_token=${token}` }, 'cookie'],
  ] as const) {
    const { body } = await send(service, 'GET /api/v1/auth/me', { headers });
    expect(body).toEqual({ ...me, session: { ...me.session, authMethod } });
  }
  const { plaintext } = await answered(createAccessToken({ client, body: { name: 'a' } }));
  const byToken = await answered(getMe({ client: service.as(plaintext) }));
  expect(byToken).toEqual({ ...me, session: { ...me.session, sessionId: null, tokenType: 'pat' } });
});

test('all users belong to the one organization', async () => {
  const { admin, newUser } = await startService();
  const [first, second] = [await admin(), await newUser()];
  expect(second.session.company_id).toBe(first.session.company_id);
  expect(second.session.id).not.toBe(first.session.id);
});
