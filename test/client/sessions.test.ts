import { expect, test } from 'vitest';
import { createLatchkey, type LatchkeyOptions } from '../../client/index.js';
import { rejectionOf } from '../support/rejection.js';
import { ADMIN, HOUR, startService } from '../support/service.js';

const CREDENTIALS = { username: ADMIN.email, password: ADMIN.password };

interface Sent {
  path: string;
  authorization: string | undefined;
}

/** A service and a client of it, with a record of what the client sends. */
async function startWithClient(options: Partial<LatchkeyOptions> = {}) {
  const service = await startService();
  const sent: Sent[] = [];
  const lk = createLatchkey({
    baseUrl: service.url,
    fetch: (url, init) => {
      const { authorization } = init.headers as Record<string, string>;
      sent.push({ path: new URL(url).pathname, authorization });
      return fetch(url, init);
    },
    ...options,
  });
  const refreshes = () => sent.filter(({ path }) => path.endsWith('/refresh/')).length;
  return { service, lk, sent, refreshes };
}

function createGate() {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

test('logging in authenticates the calls that follow', async () => {
  const { lk, sent } = await startWithClient();
  const session = await lk.logIn(CREDENTIALS);
  expect(session).toMatchObject({ email: ADMIN.email, access_token: expect.stringMatching(/^lk_ses_/) as string });
  expect(await lk.getMe()).toMatchObject({ user: { email: ADMIN.email }, session: { tokenType: 'session' } });
  expect(sent.map(({ authorization }) => authorization)).toEqual([undefined, `Bearer ${session.access_token}`]);
});

test('logIn takes the options of its operation as well', async () => {
  const { lk } = await startWithClient();
  const { status, requestId } = await lk.logIn({ body: CREDENTIALS, headers: { 'X-Request-Id': 'a' } }).withResponse();
  expect({ status, requestId }).toEqual({ status: 200, requestId: 'a' });
  expect(await lk.getMe()).toMatchObject({ user: { email: ADMIN.email } });
});

test('a session stays fresh for longer than its token lives', async () => {
  const { service, lk, refreshes } = await startWithClient();
  await lk.logIn(CREDENTIALS);
  for (let day = 0; day < 30; day++) {
    service.clock.advance(24 * HOUR);
    expect(await lk.getMe()).toMatchObject({ user: { email: ADMIN.email } });
  }
  expect(refreshes()).toBe(30);
});

test('one refresh serves however many calls wait for it', async () => {
  const { service, lk, refreshes } = await startWithClient();
  await lk.logIn(CREDENTIALS);
  service.clock.advance(2 * HOUR);
  const calls = Array.from({ length: 20 }, (_, index) =>
    lk.createAccessToken({ body: { name: `token ${String(index)}` } }),
  );
  const created = await Promise.all(calls);
  expect(new Set(created.map(({ token }) => token.id)).size).toBe(20);
  expect(refreshes()).toBe(1);
});

test('a refusal that arrives after the refresh starts no second one', async () => {
  const service = await startService();
  const late = createGate();
  let refreshes = 0;
  const lk = createLatchkey({
    baseUrl: service.url,
    fetch: async (url, init) => {
      if (url.endsWith('/refresh/')) refreshes++;
      const answer = await fetch(url, init);
      if (url.includes('limit=1') && answer.status === 401) await late.opened;
      return answer;
    },
  });
  await lk.logIn(CREDENTIALS);
  service.clock.advance(2 * HOUR);
  const slow = lk.listAccessTokens({ query: { limit: 1 } });
  await lk.getMe();
  late.open();
  expect(await slow).toMatchObject({ items: [{ tokenType: 'session' }] });
  expect(refreshes).toBe(1);
});

test('calls that start during a refresh wait for it', async () => {
  const { service, lk, sent } = await startWithClient();
  const { access_token: first } = await lk.logIn(CREDENTIALS);
  service.clock.advance(2 * HOUR);
  const refreshing = lk.getMe();
  while (!sent.some(({ path }) => path.endsWith('/refresh/'))) await new Promise((resolve) => setTimeout(resolve, 1));
  await Promise.all([refreshing, lk.listAccessTokens()]);
  const [list] = sent.filter(({ path }) => path === '/api/v1/access-tokens');
  expect(list?.authorization).not.toBe(`Bearer ${first}`);
});

test('aborting one call that waits leaves the refresh to the others', async () => {
  const { service, lk, refreshes } = await startWithClient();
  await lk.logIn(CREDENTIALS);
  service.clock.advance(2 * HOUR);
  const controller = new AbortController();
  const aborted = lk.getMe({ signal: controller.signal });
  const other = lk.listAccessTokens();
  while (refreshes() === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  controller.abort();
  await expect(aborted).rejects.toMatchObject({ name: 'AbortError' });
  expect(await other).toMatchObject({ items: [{ tokenType: 'session' }] });
  expect(refreshes()).toBe(1);
});

test('a session that was revoked is unauthorized, and is not refreshed for ever', async () => {
  const { service, lk, refreshes } = await startWithClient();
  await lk.logIn(CREDENTIALS);
  const { token } = await service.admin();
  await createLatchkey({ baseUrl: service.url, token }).revokeAllAccessTokens();
  for (let call = 0; call < 3; call++) {
    expect(await rejectionOf(lk.getMe())).toMatchObject({ code: 'unauthorized', status: 401 });
  }
  expect(refreshes()).toBe(1);
});

test('a refresh that fails on the way is an error of the calls that wait, and is tried again by the next', async () => {
  const service = await startService();
  let broken = true;
  const lk = createLatchkey({
    baseUrl: service.url,
    maxRetries: 0,
    fetch: (url, init) => {
      if (broken && url.endsWith('/refresh/')) return Promise.reject(new TypeError('fetch failed'));
      return fetch(url, init);
    },
  });
  await lk.logIn(CREDENTIALS);
  service.clock.advance(2 * HOUR);
  const errors = await Promise.all([rejectionOf(lk.getMe()), rejectionOf(lk.getMe())]);
  expect(errors.map(({ code }) => code)).toEqual(['network_error', 'network_error']);
  broken = false;
  expect(await lk.getMe()).toMatchObject({ user: { email: ADMIN.email } });
});

test('logging out ends the session on the service and in the client', async () => {
  const { service, lk, sent } = await startWithClient();
  const { access_token: token } = await lk.logIn(CREDENTIALS);
  await lk.logOut();
  expect(await rejectionOf(lk.getMe())).toMatchObject({ code: 'unauthorized' });
  expect(sent.at(-1)?.authorization).toBeUndefined();
  const other = createLatchkey({ baseUrl: service.url, token });
  expect(await rejectionOf(other.getMe())).toMatchObject({ code: 'unauthorized' });
});

test('logging out works after the token has expired', async () => {
  const { service, lk } = await startWithClient();
  await lk.logIn(CREDENTIALS);
  service.clock.advance(2 * HOUR);
  const { status } = await lk.logOut().withResponse();
  expect(status).toBe(204);
});

test('a session takes the place of the token until it ends', async () => {
  const service = await startService();
  const { token } = await service.newUser('ada@example.org');
  const lk = createLatchkey({ baseUrl: service.url, token });
  await lk.logIn(CREDENTIALS);
  expect(await lk.getMe()).toMatchObject({ user: { email: ADMIN.email } });
  await lk.logOut();
  expect(await lk.getMe()).toMatchObject({ user: { email: 'ada@example.org' } });
});

test('a call that was refused in one session is not repeated in the next', async () => {
  const service = await startService();
  const { email, password } = await service.newUser();
  const held = createGate();
  const lk = createLatchkey({
    baseUrl: service.url,
    fetch: async (url, init) => {
      const answer = await fetch(url, init);
      if (url.endsWith('/access-tokens') && answer.status === 401) await held.opened;
      return answer;
    },
  });
  await lk.logIn({ username: email, password });
  service.clock.advance(2 * HOUR);
  const refused = rejectionOf(lk.createAccessToken({ body: { name: 'of the first user' } }));
  await lk.logIn(CREDENTIALS);
  held.open();
  expect(await refused).toMatchObject({ code: 'unauthorized' });
  expect(await lk.listAccessTokens({ query: { tokenType: 'pat' } })).toMatchObject({ items: [] });
});

test('refreshing by hand shares the one refresh, so that no refresh token is spent twice', async () => {
  const { service, lk, refreshes } = await startWithClient();
  const { refresh_token } = await lk.logIn(CREDENTIALS);
  service.clock.advance(2 * HOUR);
  const [session] = await Promise.all([lk.refreshSession({ body: { refresh_token } }), lk.getMe(), lk.getMe()]);
  expect(session.refresh_token).not.toBe(refresh_token);
  expect(await lk.getMe()).toMatchObject({ user: { email: ADMIN.email } });
  expect(refreshes()).toBe(1);
});

test('a refresh token of earlier opens the session again in a new client', async () => {
  const { service, lk } = await startWithClient();
  const { refresh_token } = await lk.logIn(CREDENTIALS);
  const later = createLatchkey({ baseUrl: service.url });
  await later.refreshSession({ body: { refresh_token } });
  expect(await later.getMe()).toMatchObject({ user: { email: ADMIN.email } });
});
