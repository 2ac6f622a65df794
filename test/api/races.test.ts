import { expect, test } from 'vitest';
import {
  createAccessToken,
  getAccessToken,
  getMe,
  listAccessTokens,
  logIn,
  revokeAccessToken,
  revokeAllAccessTokens,
} from '../../generated/index.js';
import { openUsers } from '../../server/index.js';
import { answered, type Service, startService } from '../support/service.js';
import { openConnection } from '../support/socket.js';

// What two requests do to each other when one is still under way.

test('a token that is revoked while the body of a create is on its way creates nothing', async () => {
  const service = await startService();
  const { client } = await service.admin();
  const { plaintext } = await answered(createAccessToken({ client, body: { name: 'leaked' } }));
  const body = '{"name":"heir"}';

  const connection = await openConnection(service.url);
  connection.write(
    `POST /api/v1/access-tokens HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${plaintext}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${String(body.length)}\r\nConnection: close\r\n\r\n${body.slice(0, 3)}`,
  );
  // The request is let in once its use of the token is noted, which an answer on the same server outlasts.
  await getMe({ client });
  await answered(revokeAllAccessTokens({ client }));
  connection.write(body.slice(3));

  expect(await connection.closed).toMatch(/^HTTP\/1\.1 401 /);
  const { items } = await answered(listAccessTokens({ client, query: { includeRevoked: true, tokenType: 'pat' } }));
  expect(items.map(({ name }) => name)).toEqual(['leaked']);
});

test('no session that the old password opened outlives the change of the password', async () => {
  const service = await startService();
  const { email, password } = await service.newUser();
  const sessions: string[] = [];
  let isChanged = false;
  const keepLoggingIn = async () => {
    while (!isChanged) {
      const { data } = await logIn({ client: service.anonymous, body: { username: email, password } });
      if (data !== undefined) sessions.push(data.access_token);
    }
  };
  const logins = Array.from({ length: 8 }, keepLoggingIn);
  const users = await openUsers(service.database);
  await users.setPassword(email, 'another long password');
  isChanged = true;
  await Promise.all(logins);
  await users.close();

  for (const token of sessions) expect(await isAccepted(service, token)).toBe(false);
});

test('wrong passwords that arrive together count together', async () => {
  const service = await startService();
  const { email } = await service.newUser();
  const guesses = Array.from({ length: 30 }, (_, index) =>
    logIn({ client: service.anonymous, body: { username: email, password: `guess ${String(index)}` } }),
  );
  const statuses = (await Promise.all(guesses)).map(({ response }) => response.status);
  // As many more than ten may be judged as there are judged at a time: one for each core but one.
  expect(statuses.filter((status) => status === 401).length).toBeLessThan(20);
  expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(10);
});

test.each([
  ['version 0', '12345678-1234-0234-8234-123456789abc'],
  ['version 15', '12345678-1234-f234-8234-123456789abc'],
  ['no variant', '12345678-1234-4234-0234-123456789abc'],
  ['all ones', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
  ['all zeros', '00000000-0000-0000-0000-000000000000'],
])('an id of %s is an id that never was', async (_case, id) => {
  const service = await startService();
  const { client } = await service.admin();
  expect((await getAccessToken({ client, path: { token_id: id } })).response.status).toBe(404);
  expect((await revokeAccessToken({ client, path: { token_id: id } })).response.status).toBe(404);
});

test('a page of the same host but another scheme is another origin', async () => {
  const service = await startService();
  const { token } = await service.admin();
  const headers = { Cookie: `vai_token=${token}`, Origin: service.url.replace('http:', 'https:') };
  const response = await fetch(`${service.url}/api/v1/access-tokens`, { method: 'DELETE', headers });
  expect(response.status).toBe(403);
  expect(await isAccepted(service, token)).toBe(true);
});

test('a body where none is taken is refused, and nothing is revoked', async () => {
  const service = await startService();
  const { client, token } = await service.admin();
  const { plaintext, token: made } = await answered(createAccessToken({ client, body: { name: 'kept' } }));
  const response = await fetch(`${service.url}/api/v1/access-tokens`, {
    method: 'DELETE',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ token_id: made.id }),
  });
  expect(response.status).toBe(422);
  expect(await response.json()).toEqual({
    detail: [{ loc: ['body'], msg: 'This request takes no body', type: 'extra_forbidden' }],
  });
  expect(await isAccepted(service, plaintext)).toBe(true);
});

async function isAccepted(service: Service, token: string): Promise<boolean> {
  return (await getMe({ client: service.as(token) })).response.status === 200;
}
