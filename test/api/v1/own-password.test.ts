import { describe, expect, test } from 'vitest';
import {
  changePassword,
  createAccessToken,
  getMe,
  listAccessTokens,
  logIn,
  refreshSession,
} from '../../../generated/index.js';
import { send } from '../../support/http.js';
import { matching } from '../../support/matchers.js';
import { expectNoSecret, expectRefusal } from '../../support/refusal.js';
import { answered, MINUTE, type Person, type Service, startService } from '../../support/service.js';
import { contentOf } from '../../support/store.js';

const NEW = 'another horse altogether';
const PATH = 'POST /api/v1/auth/password';
const WRONG = {
  status: 422,
  body: {
    detail: [{ loc: ['body', 'currentPassword'], msg: 'Input should be the current password', type: 'value_error' }],
  },
};

function change({ client, password }: Person, newPassword = NEW, currentPassword = password) {
  return changePassword({ client, body: { currentPassword, newPassword } });
}

async function statusOfLogin(service: Service, { email }: Person, password: string): Promise<number> {
  return (await logIn({ client: service.anonymous, body: { username: email, password } })).response.status;
}

async function statusOf(service: Service, token: string): Promise<number> {
  return (await getMe({ client: service.as(token) })).response.status;
}

describe("changing one's own password", () => {
  test('answers 204: the new one opens sessions from then on, and the old one none', async () => {
    const service = await startService();
    const user = await service.newUser();
    const { token, password } = user;
    const answer = await send(service, PATH, { token, json: { currentPassword: password, newPassword: NEW } });
    expect(answer).toMatchObject({ status: 204, text: '' });
    expect(await statusOfLogin(service, user, NEW)).toBe(200);
    expect(await statusOfLogin(service, user, user.password)).toBe(401);
    expect(service.log.join('')).not.toMatch(/another horse|password of/);
  });

  test("ends the user's other sessions and their refresh tokens, and nothing else", async () => {
    const service = await startService();
    const admin = await service.admin();
    const user = await service.newUser();
    const other = await service.logIn(user.email, user.password);
    const { plaintext } = await answered(createAccessToken({ client: user.client, body: { name: 'a' } }));
    expect((await change(user)).response.status).toBe(204);

    expect(await statusOf(service, other.token)).toBe(401);
    const spent = await refreshSession({
      client: service.anonymous,
      body: { refresh_token: other.session.refresh_token },
    });
    expect(spent.response.status).toBe(401);
    for (const token of [user.token, plaintext, admin.token]) expect(await statusOf(service, token)).toBe(200);
    const { refresh_token } = user.session;
    const refreshed = await answered(refreshSession({ client: service.anonymous, body: { refresh_token } }));
    expect(await statusOf(service, refreshed.access_token)).toBe(200);
    const { items } = await answered(listAccessTokens({ client: user.client, query: { includeRevoked: true } }));
    expect(items.filter(({ revokedAt }) => revokedAt !== null)).toHaveLength(1);
  });

  test('with a wrong current password is 422, which no client takes for the end of its session', async () => {
    const service = await startService();
    const user = await service.newUser();
    for (const wrong of ['wrong horse', `${user.password} `, user.password.toUpperCase()]) {
      await expectRefusal(service, () => change(user, NEW, wrong), { ...WRONG, secrets: [wrong, NEW] });
    }
    expect(await statusOfLogin(service, user, user.password)).toBe(200);
  });

  test.each([
    ['no current password', { newPassword: NEW }, 'currentPassword'],
    ['no new password', { currentPassword: 'x' }, 'newPassword'],
    ['a new password of seven characters', { currentPassword: 'x', newPassword: '1234567' }, 'newPassword'],
    ['an unknown member', { currentPassword: 'x', newPassword: NEW, email: 'a@b.c' }, 'email'],
  ])('with %s is 422', async (_, json, member) => {
    const service = await startService();
    const { token } = await service.newUser();
    const refusal = await expectRefusal(service, () => send(service, PATH, { token, json }), { status: 422 });
    expect(refusal.body).toMatchObject({ detail: [{ loc: ['body', member] }] });
  });

  test('takes a session, and no personal access token whatever its scopes', async () => {
    const service = await startService();
    const admin = await service.admin();
    const body = { name: 'a', scopes: ['tokens:write', 'users:admin'] };
    const { plaintext } = await answered(createAccessToken({ client: admin.client, body }));
    await expectRefusal(service, () => change({ ...admin, client: service.as(plaintext) }), {
      status: 403,
      body: { detail: 'Only a session can change the password.', code: 'insufficient_scope' },
      secrets: [NEW],
    });
    await expectRefusal(service, () => change({ ...admin, client: service.anonymous }), { status: 401 });
  });

  test('by cookie needs a request of this origin', async () => {
    const service = await startService();
    const { token, password } = await service.newUser();
    const json = { currentPassword: password, newPassword: NEW };
    const from = (site: string) => ({ json, headers: { Cookie: `vai_token=${token}`, 'Sec-Fetch-Site': site } });
    await expectRefusal(service, () => send(service, PATH, from('cross-site')), { status: 403 });
    expect((await send(service, PATH, from('same-origin'))).status).toBe(204);
  });

  test('is throttled after ten wrong ones for a quarter of an hour, and logging in is not', async () => {
    const service = await startService();
    const user = await service.newUser();
    for (let failure = 0; failure < 10; failure++)
      expect((await change(user, NEW, 'wrong horse')).response.status).toBe(422);
    const refused = await expectRefusal(service, () => change(user), {
      status: 429,
      body: { detail: 'Too many failed logins. Try again after the time in Retry-After.', code: 'too_many_requests' },
    });
    expect(refused.headers['retry-after']).toEqual(matching(/^[1-9]\d*$/));
    expect(await statusOfLogin(service, user, user.password)).toBe(200);
    service.clock.advance(15 * MINUTE);
    expect((await change(user)).response.status).toBe(204);
  });

  test('at the same time as another change: one of them wins, and the other finds its current password wrong', async () => {
    const service = await startService();
    const user = await service.newUser();
    const wishes = ['the first of two', 'the second of two'];
    const answers = await Promise.all(wishes.map((wish) => change(user, wish)));
    expect(answers.map(({ response }) => response.status).sort()).toEqual([204, 422]);
    const logins = await Promise.all(wishes.map((wish) => statusOfLogin(service, user, wish)));
    expect(logins.sort()).toEqual([200, 401]);
  });

  test('of a user whom an administrator gives another password meanwhile changes nothing', async () => {
    const service = await startService();
    const admin = await service.admin();
    const user = await service.newUser();
    const path = `PATCH /api/v1/users/${String(user.session.id)}` as const;
    const set = await send(service, path, { token: admin.token, json: { password: 'set by somebody else' } });
    expect(set.status).toBe(200);
    const before = await contentOf(service);
    const answer = await send(service, PATH, {
      token: user.token,
      json: { currentPassword: user.password, newPassword: NEW },
    });
    expect(answer.status).toBe(401);
    await expectNoSecret(service, answer, [NEW]);
    expect(await contentOf(service)).toEqual(before);
    expect(await statusOfLogin(service, user, 'set by somebody else')).toBe(200);
  });
});
