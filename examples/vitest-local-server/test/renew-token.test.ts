import { latchkeyPerFile } from 'latchkey/vitest';
import { expect, test } from 'vitest';
import { renewToken } from '../src/renew-token.js';

const server = latchkeyPerFile({
  testing: {
    frozenAt: '2030-01-01T00:00:00Z',
    seed: {
      users: [
        {
          email: 'deploy@example.org',
          tokens: [{ name: 'deploy', plaintext: 'deploy', expiresAt: '2030-01-31T00:00:00Z' }],
        },
      ],
    },
  },
});

function connection() {
  return { baseUrl: server.url, token: server.users[0]?.tokens[0]?.plaintext ?? '' };
}

async function tokens(token: string): Promise<{ name: string; expiresAt: string | null }[]> {
  const answer = await fetch(`${server.url}/api/v1/access-tokens`, { headers: { 'X-API-Key': token } });
  return ((await answer.json()) as { items: [] }).items;
}

test('a token that lives long enough stays', async () => {
  expect(await renewToken(connection(), 'deploy', server.clock.now())).toBe(connection().token);
});

test('a token is renewed in its last week, and the earlier one is revoked', async () => {
  server.clock.set('2030-01-25T00:00:00Z');
  const renewed = await renewToken(connection(), 'deploy', server.clock.now());
  expect(renewed).not.toBe(connection().token);
  expect(await tokens(renewed)).toMatchObject([{ name: 'deploy', expiresAt: '2030-02-24T00:00:00.000Z' }]);

  const revoked = await server.requests.waitFor(({ operationId }) => operationId === 'revokeAccessToken');
  expect(revoked).toMatchObject({ status: 204, path: `/api/v1/access-tokens/${server.users[0]?.tokens[0]?.id ?? ''}` });
});

test('a token that has expired cannot renew itself', async () => {
  server.clock.set('2030-01-31T00:00:00Z');
  await expect(renewToken(connection(), 'deploy', server.clock.now())).rejects.toThrow('401');
});

test('a busy service is asked again', async () => {
  server.clock.set('2030-01-25T00:00:00Z');
  server.faults.add({ operationId: 'createAccessToken', times: 2, status: 503 });
  expect(await renewToken(connection(), 'deploy', server.clock.now())).not.toBe(connection().token);
  const statuses = server.requests
    .all()
    .filter(({ operationId }) => operationId === 'createAccessToken')
    .map(({ status }) => status);
  expect(statuses).toEqual([503, 503, 201]);
});

test('a token whose answer was lost is cleared away', async () => {
  server.clock.set('2030-01-25T00:00:00Z');
  server.faults.add({ operationId: 'createAccessToken', drop: 'after-commit' });
  const renewed = await renewToken(connection(), 'deploy', server.clock.now());
  expect(await tokens(renewed)).toHaveLength(1);
});
