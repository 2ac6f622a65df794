import { expect, test } from 'vitest';
import { createLatchkey, type LatchkeyOptions } from '../../client/index.js';
import { rejectionOf } from '../support/rejection.js';
import { ADMIN, HOUR, SECOND, startService } from '../support/service.js';

// The client of a page, whose browser keeps the cookies.

const body = { username: ADMIN.email, password: ADMIN.password };

/** A browser's `fetch` with its cookies, shared by the pages of `newPage`. */
async function startWithBrowser() {
  const service = await startService();
  const jar = new Map<string, string>();
  const sent: { path: string; init: RequestInit }[] = [];
  const browse = async (url: string, init: RequestInit) => {
    const path = new URL(url).pathname;
    sent.push({ path, init });
    const cookies = [...jar].filter(([name]) => name !== 'vai_refresh' || path.endsWith('/refresh'));
    const Cookie = cookies.map((pair) => pair.join('=')).join('; ');
    const headers = { ...(init.headers as Record<string, string>), 'Sec-Fetch-Site': 'same-origin' };
    const answer = await fetch(url, {
      ...init,
      headers: init.credentials === 'omit' ? headers : { ...headers, Cookie },
    });
    for (const cookie of answer.headers.getSetCookie()) {
      const [name = '', value = ''] = cookie.split(';')[0]?.split('=') ?? [];
      if (value === '') jar.delete(name);
      else jar.set(name, value);
    }
    return answer;
  };
  const newPage = () => createLatchkey({ baseUrl: service.url, cookies: true, fetch: browse });
  const refreshes = () => sent.filter(({ path }) => path.endsWith('/refresh')).length;
  return { service, jar, sent, newPage, refreshes };
}

test('a page authenticates by its cookies, and sends no token itself', async () => {
  const { newPage, sent } = await startWithBrowser();
  const page = newPage();
  await page.openBrowserSession({ body });
  expect(await page.getMe()).toMatchObject({ session: { authMethod: 'cookie' }, user: { email: ADMIN.email } });
  const { plaintext } = await page.createAccessToken({ body: { name: 'from a page' } });
  expect(plaintext).toMatch(/^lk_pat_/);
  for (const { init } of sent) {
    expect(init.credentials).toBe('same-origin');
    expect(JSON.stringify(init.headers)).not.toMatch(/authorization|lk_/i);
  }
});

test('one refresh serves all calls of a page that wait, and outlives the page', async () => {
  const { service, newPage, refreshes, sent } = await startWithBrowser();
  const page = newPage();
  await page.openBrowserSession({ body });
  for (let hour = 1; hour <= 3; hour++) {
    service.clock.advance(2 * HOUR);
    await Promise.all(Array.from({ length: 10 }, () => page.listAccessTokens()));
    expect(refreshes()).toBe(hour);
  }
  expect(sent.find(({ path }) => path.endsWith('/refresh'))?.init.keepalive).toBe(true);
});

test('two pages refresh one after the other', async () => {
  const { service, newPage, jar } = await startWithBrowser();
  const [one, two] = [newPage(), newPage()];
  await one.openBrowserSession({ body });
  service.clock.advance(2 * HOUR);
  await one.getMe();
  service.clock.advance(20 * SECOND);
  expect(await two.getMe()).toMatchObject({ user: { email: ADMIN.email } });
  service.clock.advance(2 * HOUR);
  expect(await two.getMe()).toMatchObject({ user: { email: ADMIN.email } });
  expect(await one.getMe()).toMatchObject({ user: { email: ADMIN.email } });
  await one.logOut();
  expect([...jar]).toEqual([]);
  expect(await rejectionOf(two.getMe())).toMatchObject({ code: 'unauthorized' });
});

test('a page reloaded during a refresh is still logged in', async () => {
  const { service, newPage, jar } = await startWithBrowser();
  const page = newPage();
  await page.openBrowserSession({ body });
  service.clock.advance(2 * HOUR);
  const before = new Map(jar);
  await page.getMe();
  // The answer never arrived.
  for (const [name, value] of before) jar.set(name, value);
  service.clock.advance(SECOND);
  expect(await newPage().getMe()).toMatchObject({ user: { email: ADMIN.email } });
});

test('a session that has ended is unauthorized, and open again after the next login', async () => {
  const { service, newPage } = await startWithBrowser();
  const page = newPage();
  await page.openBrowserSession({ body });
  service.clock.advance(15 * 24 * HOUR);
  expect(await rejectionOf(page.getMe())).toMatchObject({ code: 'unauthorized', status: 401 });
  await page.openBrowserSession({ body });
  expect(await page.getMe()).toMatchObject({ user: { email: ADMIN.email } });
});

test('a wrong password is sent once, and so is a refresh token that is not valid', async () => {
  const { service, newPage, sent } = await startWithBrowser();
  const page = newPage();
  const wrong = { body: { ...body, password: 'a wrong password' } };
  expect(await rejectionOf(page.openBrowserSession(wrong))).toMatchObject({ code: 'unauthorized' });
  expect(sent.map(({ path }) => path)).toEqual(['/api/v1/auth/browser-session']);
  await page.openBrowserSession({ body });
  service.clock.advance(15 * 24 * HOUR);
  sent.length = 0;
  expect(await rejectionOf(page.getMe())).toMatchObject({ code: 'unauthorized' });
  expect(sent.map(({ path }) => path)).toEqual(['/api/v1/auth/me', '/api/v1/auth/browser-session/refresh']);
});

test('cookies and a token are not combined', () => {
  const options: LatchkeyOptions = { baseUrl: 'https://tokens.example.org', cookies: true, token: 'lk_pat_a' };
  expect(() => createLatchkey(options)).toThrow(new TypeError('pass either token or cookies, not both'));
});
