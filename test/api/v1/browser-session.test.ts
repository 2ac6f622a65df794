import { describe, expect, test } from 'vitest';
import { updateUser } from '../../../generated/index.js';
import { type Answer, send } from '../../support/http.js';
import { expectRefusal } from '../../support/refusal.js';
import { ADMIN, answered, DAY, HOUR, SECOND, type Service, startService } from '../../support/service.js';
import { shareService } from '../../support/shared.js';

// A session whose tokens a page keeps as cookies that its scripts cannot read.

const OPEN = 'POST /api/v1/auth/browser-session';
const REFRESH = 'POST /api/v1/auth/browser-session/refresh';
const ME = 'GET /api/v1/auth/me';
const json = { username: ADMIN.email, password: ADMIN.password };
const OWN = { 'Sec-Fetch-Site': 'same-origin' };
const OTHER_SITE = {
  detail: 'Only a page of this origin may open or refresh a browser session.',
  code: 'cross_site_request',
};
const NOT_VALID = { detail: 'The refresh token is not valid.', code: 'unauthorized' };

/** What a browser would send next, by the path of each cookie. */
interface Jar {
  access: string;
  refresh: string;
}

function jarOf({ headers }: Answer): Jar {
  const values = (headers['set-cookie'] ?? []).map((cookie) => cookie.split(';')[0] ?? '');
  const [access = '', refresh = ''] = values;
  return { access, refresh };
}

async function open(service: Service): Promise<Jar> {
  return jarOf(await send(service, OPEN, { json, headers: OWN }));
}

function refresh(service: Service, { access, refresh }: Jar, headers: Record<string, string> = OWN): Promise<Answer> {
  return send(service, REFRESH, { headers: { ...headers, Cookie: `${access}; ${refresh}` } });
}

async function isOpen(service: Service, { access }: Jar): Promise<boolean> {
  return (await send(service, ME, { headers: { Cookie: access } })).status === 200;
}

describe('logging in from a page', () => {
  test('sets two cookies that no script can read, and answers with nothing else', async () => {
    const service = await startService();
    const answer = await send(service, OPEN, { json, headers: OWN });
    expect([answer.status, answer.text]).toEqual([204, '']);
    const [access = '', refreshing = ''] = answer.headers['set-cookie'] ?? [];
    expect(access).toMatch(/^vai_token=lk_ses_\w{36}; Path=\/; Max-Age=3600; HttpOnly; SameSite=Lax$/);
    expect(refreshing).toMatch(
      /^vai_refresh=lk_ref_\w{36}; Path=\/api\/v1\/auth\/browser-session\/refresh; Max-Age=1209600; HttpOnly; SameSite=Strict$/,
    );
    expect(answer.headers['set-cookie']).toHaveLength(2);
    expect(await isOpen(service, jarOf(answer))).toBe(true);
    expect(service.log.join('')).not.toMatch(/lk_(ses|ref)_/);
  });

  test('sets both as Secure behind https', async () => {
    const service = await startService({ publicUrl: 'https://tokens.example.org' });
    const answer = await send(service, OPEN, { json, headers: OWN });
    for (const cookie of answer.headers['set-cookie'] ?? []) expect(cookie).toMatch(/; Secure$/);
  });

  test('is refused like any login: a wrong password, a disabled user, too many failures', async () => {
    const service = await startService();
    const admin = await service.admin();
    const user = await service.newUser();
    const attempt = (username: string, password: string) =>
      send(service, OPEN, { json: { username, password }, headers: OWN });
    await expectRefusal(service, () => attempt(user.email, 'wrong horse'), {
      status: 401,
      body: { detail: 'Wrong e-mail or password.', code: 'unauthorized' },
      secrets: ['wrong horse'],
    });
    const path = { user_id: user.session.id };
    await answered(updateUser({ client: admin.client, path, body: { disabled: true } }));
    await expectRefusal(service, () => attempt(user.email, user.password), {
      status: 403,
      body: { detail: 'This user is disabled.', code: 'user_disabled' },
    });
    let answer = await attempt(ADMIN.email, 'wrong horse');
    for (let failure = 0; failure < 20 && answer.status === 401; failure++)
      answer = await attempt(ADMIN.email, 'wrong horse');
    expect(answer).toMatchObject({ status: 429, body: { code: 'too_many_requests' } });
    expect(answer.headers).not.toHaveProperty('set-cookie');
  });
});

describe('a page of this origin alone', () => {
  const shared = shareService(async (service) => await open(service));

  test.each([
    ['another site', { 'Sec-Fetch-Site': 'cross-site' }],
    ['another host of this site', { 'Sec-Fetch-Site': 'same-site' }],
    ['no page', { 'Sec-Fetch-Site': 'none' }],
    ['another origin', { Origin: 'https://example.org' }],
    ['no origin', { Origin: 'null' }],
    ['no browser', {}],
  ])('may open and refresh: not %s', async (_, headers) => {
    const { service, made } = await shared();
    const attempts = [() => send(service, OPEN, { json, headers }), () => refresh(service, made, headers)];
    for (const attempt of attempts) {
      const answer = await expectRefusal(service, attempt, { status: 403, body: OTHER_SITE });
      expect(answer.headers).not.toHaveProperty('set-cookie');
    }
  });

  test('may open by its Origin, where the browser sends no Sec-Fetch-Site', async () => {
    const { service } = await shared();
    const answer = await send(service, OPEN, { json, headers: { Origin: service.url } });
    expect(answer.status).toBe(204);
  });
});

describe('refreshing', () => {
  test('sets both cookies anew, for as long as the operator says', async () => {
    const service = await startService({ sessionMinutes: 5, refreshDays: 2 });
    const first = await open(service);
    service.clock.advance(2 * DAY - 1);
    expect(await isOpen(service, first)).toBe(false);
    const answer = await refresh(service, first);
    expect([answer.status, answer.text]).toEqual([204, '']);
    expect(answer.headers['set-cookie']?.map((cookie) => cookie.split('; ')[2])).toEqual([
      'Max-Age=300',
      'Max-Age=172800',
    ]);
    const next = jarOf(answer);
    expect(next.access).not.toBe(first.access);
    expect(next.refresh).not.toBe(first.refresh);
    expect(await isOpen(service, next)).toBe(true);
    expect(service.log.join('')).not.toMatch(/lk_(ses|ref)_/);
  });

  test.each([
    ['no cookie', '', { detail: 'Authentication is required: send a valid token.', code: 'unauthorized' }],
    ['nonsense', 'vai_refresh=nonsense', NOT_VALID],
    [
      'two tokens',
      'vai_refresh=lk_ref_2kPw7NvBs5XeCt9Yz3Ma6QhLr0DgFj43Re0F; vai_refresh=b',
      { detail: 'Authentication is required: send a valid token.', code: 'unauthorized' },
    ],
  ])('needs the cookie: not %s', async (_, Cookie, body) => {
    const service = await startService();
    await expectRefusal(service, () => send(service, REFRESH, { headers: { ...OWN, Cookie } }), { status: 401, body });
  });

  test('takes no access token', async () => {
    const service = await startService();
    const { access } = await open(service);
    const Cookie = access.replace('vai_token', 'vai_refresh');
    await expectRefusal(service, () => send(service, REFRESH, { headers: { ...OWN, Cookie } }), {
      status: 401,
      body: NOT_VALID,
    });
  });
});

describe('a refresh whose answer got lost', () => {
  test('passes once more within 10 seconds, and what got lost counts as used', async () => {
    const service = await startService();
    const first = await open(service);
    const lost = jarOf(await refresh(service, first));
    service.clock.advance(10 * SECOND);
    const answer = await refresh(service, first);
    expect(answer.status).toBe(204);
    const kept = jarOf(answer);
    expect(await isOpen(service, kept)).toBe(true);
    service.clock.advance(HOUR);
    const next = jarOf(await refresh(service, kept));
    expect(await isOpen(service, next)).toBe(true);
    // Whoever has what got lost is somebody else.
    expect((await refresh(service, lost)).status).toBe(401);
    expect(await isOpen(service, next)).toBe(false);
    expect((await refresh(service, next)).status).toBe(401);
  });

  test('passes no third time', async () => {
    const service = await startService();
    const first = await open(service);
    await refresh(service, first);
    service.clock.advance(SECOND);
    const kept = jarOf(await refresh(service, first));
    service.clock.advance(SECOND);
    const third = await refresh(service, first);
    expect([third.status, third.body]).toEqual([401, NOT_VALID]);
    expect(await isOpen(service, kept)).toBe(false);
  });

  test.each([
    ['after 10 seconds', 10 * SECOND + 1, false],
    ['once its successor was used', SECOND, true],
  ])('ends the session %s', async (_, later, isSuccessorUsed) => {
    const service = await startService();
    const first = await open(service);
    let kept = jarOf(await refresh(service, first));
    service.clock.advance(later);
    if (isSuccessorUsed) kept = jarOf(await refresh(service, kept));
    expect((await refresh(service, first)).status).toBe(401);
    expect(await isOpen(service, kept)).toBe(false);
  });

  test('passes again at the next refresh, and not outside of the cookies', async () => {
    const service = await startService();
    const first = await open(service);
    await refresh(service, first);
    service.clock.advance(SECOND);
    const second = jarOf(await refresh(service, first));
    service.clock.advance(HOUR);
    await refresh(service, second);
    service.clock.advance(SECOND);
    const third = jarOf(await refresh(service, second));
    expect(await isOpen(service, third)).toBe(true);
    service.clock.advance(HOUR);
    await refresh(service, third);
    const body = { refresh_token: third.refresh.split('=')[1] };
    expect((await send(service, 'POST /api/v1/auth/refresh/', { json: body })).status).toBe(401);
    expect(await isOpen(service, third)).toBe(false);
  });
});

test('logging out clears both cookies and ends the session', async () => {
  const service = await startService();
  const jar = await open(service);
  const answer = await send(service, 'POST /api/v1/auth/logout', { headers: { ...OWN, Cookie: jar.access } });
  expect(answer.status).toBe(204);
  expect(answer.headers['set-cookie']).toEqual([
    'vai_token=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax',
    'vai_refresh=; Path=/api/v1/auth/browser-session/refresh; Max-Age=0; HttpOnly; SameSite=Strict',
  ]);
  expect(await isOpen(service, jar)).toBe(false);
  expect((await refresh(service, jar)).status).toBe(401);
});
