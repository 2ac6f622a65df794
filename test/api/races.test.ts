import { describe, expect, test } from 'vitest';
import {
  createAccessToken,
  getAccessToken,
  getMe,
  listAccessTokens,
  logIn,
  revokeAccessToken,
  revokeAllAccessTokens,
  rotateAccessToken,
  updateAccessToken,
  updateUser,
} from '../../generated/index.js';
import { openUsers } from '../../server/index.js';
import { without } from '../support/matchers.js';
import { answered, type Client, DAY, type Service, startService } from '../support/service.js';
import { holdBack, openConnection } from '../support/socket.js';
import { contentOf } from '../support/store.js';

// What two requests do to each other when one is still under way.

const PRIVATE = 'POST /api/v1/auth/private_tokens/';

describe('a secret that ends while the body of its request is on the way does nothing any more', () => {
  const ENDS: [string, (service: Service, client: Client, token_id: string) => unknown][] = [
    ['revoked', (_, client) => answered(revokeAllAccessTokens({ client }))],
    [
      'disabled',
      (_, client, token_id) => answered(updateAccessToken({ client, path: { token_id }, body: { disabled: true } })),
    ],
    ['rotated', (_, client, token_id) => answered(rotateAccessToken({ client, path: { token_id } }))],
    [
      'expired',
      ({ clock }) => {
        clock.advance(DAY);
      },
    ],
  ];
  const REQUESTS: [string, string, string][] = [
    ['creating', 'POST /api/v1/access-tokens', '{"name":"heir"}'],
    ['rotating itself', 'POST /api/v1/access-tokens/current/rotate', '{"gracePeriodSeconds":60}'],
    ['revoking others', 'POST /api/v1/access-tokens/revoke', '{"filter":{"q":"lasting"}}'],
    ['editing itself', 'PATCH /api/v1/access-tokens/{id}', '{"name":"heir","expiresInDays":365}'],
  ];
  const CASES = ENDS.flatMap(([ending, end]) =>
    REQUESTS.map(([action, ...request]) => ({ ending, end, action, request })),
  );
  test.each(CASES)('$ending while it is $action', async ({ end, request: [line, body] }) => {
    const service = await startService();
    const { client: session } = await service.admin();
    const { plaintext: lasting } = await answered(createAccessToken({ client: session, body: { name: 'lasting' } }));
    const client = service.as(lasting);
    const { plaintext, token } = await answered(
      createAccessToken({ client, body: { name: 'leaked', expiresInDays: 1 } }),
    );
    const held = await holdBack(service, line.replace('{id}', token.id), plaintext, body);
    // The request is let in once its use of the token is noted, which an answer on the same server outlasts.
    await getMe({ client });
    await end(service, client, token.id);
    const before = await listAll(client);
    held.write(body.slice(3));

    expect(await held.closed).toMatch(/^HTTP\/1\.1 401 /);
    expect(await listAll(client)).toEqual(before);
  });

  test('nor does it get an answer again that its token got before', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { plaintext, token } = await answered(createAccessToken({ client, body: { name: 'leaked' } }));
    const body = '{"name":"heir"}';
    const create = () => holdBack(service, 'POST /api/v1/access-tokens', plaintext, body, 'Idempotency-Key: a\r\n');
    const first = await create();
    first.write(body.slice(3));
    expect(await first.closed).toMatch(/^HTTP\/1\.1 201 /);
    const held = await create();
    await getMe({ client });
    await revokeAccessToken({ client, path: { token_id: token.id } });
    held.write(body.slice(3));
    expect(await held.closed).toMatch(/^HTTP\/1\.1 401 /);
  });
});

describe('a secret that is superseded while the body of its request is on the way changes nothing', () => {
  const REQUESTS: [string, string, string][] = [
    ['creating', 'POST /api/v1/access-tokens', '{"name":"heir"}'],
    ['creating a private token', PRIVATE, '{"name":"heir","expiration_time":"2031-01-01T00:00:00Z"}'],
    ['rotating itself', 'POST /api/v1/access-tokens/current/rotate', '{"gracePeriodSeconds":60}'],
    ['rotating another', 'POST /api/v1/access-tokens/{other}/rotate', '{"gracePeriodSeconds":60}'],
    ['revoking others', 'POST /api/v1/access-tokens/revoke', '{"filter":{"q":"lasting"}}'],
    ['counting others', 'POST /api/v1/access-tokens/revoke', '{"filter":{"q":"lasting"},"dryRun":true}'],
    ['editing itself', 'PATCH /api/v1/access-tokens/{id}', '{"name":"heir","expiresInDays":365}'],
    ['adding a user', 'POST /api/v1/users', '{"email":"heir@example.org"}'],
    ['editing a user', 'PATCH /api/v1/users/1', '{"fullName":"heir"}'],
  ];
  test.each(REQUESTS)('%s', async (_, line, body) => {
    const service = await startService();
    const { client } = await service.admin();
    const scopes = ['tokens:read', 'tokens:write', 'users:admin'];
    const [old, other] = [
      await answered(createAccessToken({ client, body: { name: 'old', scopes } })),
      await answered(createAccessToken({ client, body: { name: 'lasting', scopes: [] } })),
    ];
    const path = line.replace('{id}', old.token.id).replace('{other}', other.token.id);
    const held = await holdBack(service, path, old.plaintext, body);
    await getMe({ client });
    const rotation = { path: { token_id: old.token.id }, body: { gracePeriodSeconds: 60 } };
    await answered(rotateAccessToken({ client, ...rotation }));
    const before = await contentOf(service);
    held.write(body.slice(3));
    const answer = await held.closed;
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    expect(answer).toContain(line === PRIVATE ? 'The token has a newer secret' : '"code":"superseded_secret"');
    expect(await contentOf(service)).toEqual(before);
  });

  test('but it gets an answer again that it got before', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { plaintext, token } = await answered(createAccessToken({ client, body: { name: 'old' } }));
    const body = '{"name":"heir"}';
    const create = () => holdBack(service, 'POST /api/v1/access-tokens', plaintext, body, 'Idempotency-Key: a\r\n');
    const [first, second] = [await create(), await create()];
    await getMe({ client });
    first.write(body.slice(3));
    expect(await first.closed).toMatch(/^HTTP\/1\.1 201 /);
    await answered(rotateAccessToken({ client, path: { token_id: token.id }, body: { gracePeriodSeconds: 60 } }));
    second.write(body.slice(3));
    expect((await second.closed).split('\r\n\r\n')[1]).toBe((await first.closed).split('\r\n\r\n')[1]);
  });
});

test('a token that is revoked while an empty body is on the way revokes nothing', async () => {
  const service = await startService();
  const { client } = await service.admin();
  const { plaintext, token } = await answered(createAccessToken({ client, body: { name: 'leaked' } }));
  const connection = await openConnection(service.url);
  connection.write(
    `DELETE /api/v1/access-tokens HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${plaintext}\r\n` +
      'Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n',
  );
  await getMe({ client });
  await revokeAccessToken({ client, path: { token_id: token.id } });
  connection.write('0\r\n\r\n');
  expect(await connection.closed).toMatch(/^HTTP\/1\.1 401 /);
  expect((await getMe({ client })).response.status).toBe(200);
});

test('an administrator who is none any more when the body comes revokes nothing of others', async () => {
  const service = await startService();
  const { client } = await service.admin();
  const [victim, person] = [await service.newUser(), await service.newUser()];
  const made = await answered(createAccessToken({ client: victim.client, body: { name: 'kept' } }));
  const owner = (await answered(getMe({ client: victim.client }))).user.id;
  const user_id = (await answered(getMe({ client: person.client }))).user.id;
  await answered(updateUser({ client, path: { user_id }, body: { isAdmin: true } }));
  const body = '{"filter":{"state":"active"}}';
  const held = await holdBack(service, `POST /api/v1/access-tokens/revoke?owner=${String(owner)}`, person.token, body);
  await getMe({ client });
  await answered(updateUser({ client, path: { user_id }, body: { isAdmin: false } }));
  held.write(body.slice(3));
  expect(await held.closed).toMatch(/^HTTP\/1\.1 403 /);
  expect(await isAccepted(service, made.plaintext)).toBe(true);
});

async function listAll(client: Client) {
  const { items } = await answered(listAccessTokens({ client, query: { includeRevoked: true, tokenType: 'pat' } }));
  return items.map((item) => without(item, 'lastUsedAt', 'previousSecret'));
}

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
  expect(statuses.filter((status) => status === 401)).toHaveLength(10);
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
