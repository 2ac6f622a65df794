import { expect, test } from 'vitest';
import { send } from '../support/http.js';
import { SEED, startLocal } from '../support/local-server.js';

test('the local server has the console, and gives a page both cookies of its session', async () => {
  const server = await startLocal();
  const [ada] = SEED.users;
  const json = { username: ada?.email, password: ada?.password };
  const headers = { 'Sec-Fetch-Site': 'same-origin' };
  const opened = await send(server, 'POST /api/v1/auth/browser-session', { json, headers });
  expect(opened.headers['set-cookie']?.map((cookie) => cookie.split('=')[0])).toEqual(['vai_token', 'vai_refresh']);
  expect((await send(server, 'GET /console')).text).toContain('<div id="console">');
});
