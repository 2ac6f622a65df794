import { expect, test } from 'vitest';
import { createAccessToken, verifyAccessToken } from '../../generated/index.js';
import { startServer } from '../../server/index.js';
import { send } from '../support/http.js';
import { expectRefusal } from '../support/refusal.js';
import { answered } from '../support/service.js';
import { shareService } from '../support/shared.js';

// The beginnings of scopes that this service keeps for itself.

const RESERVED = ['tokens:delete', 'users:', 'audit:write', 'webhooks:write', 'organizations:a', 'policy:apply'];
const FREE = ['tokens', 'Tokens:read', 'my-tokens:read', 'auditor', 'a/audit:read'];
const OWN = [
  'audit:read',
  'webhooks:admin',
  'policy:admin',
  'tokens:act-as',
  'tokens:read',
  'tokens:verify',
  'tokens:write',
  'users:admin',
];

function refusal(index: number, scope: string) {
  const beginning = scope.replace(/:.*/, ':');
  const msg = `Scopes that begin with ${beginning} are reserved for this service, which has ${OWN.join(', ')}`;
  return { status: 422, body: { detail: [{ loc: ['body', 'scopes', String(index)], msg, type: 'value_error' }] } };
}

const shared = shareService(async (_service, { client }) => {
  const made = await answered(createAccessToken({ client, body: { name: 'a', scopes: ['orders:read'] } }));
  return { ...made, path: `/api/v1/access-tokens/${made.token.id}` as const };
});

test.each(RESERVED)('%s is no scope of a new token, and none that an edit adds', async (scope) => {
  const { service, admin, made } = await shared();
  const { token } = admin;
  const scopes = ['orders:read', scope];
  await expectRefusal(
    service,
    () => send(service, 'POST /api/v1/access-tokens', { token, json: { name: 'a', scopes } }),
    refusal(1, scope),
  );
  await expectRefusal(
    service,
    () => send(service, `PATCH ${made.path}`, { token, json: { scopes } }),
    refusal(1, scope),
  );
});

test('scopes of this service, and words that only look like reserved ones, are free', async () => {
  const { admin } = await shared();
  for (const scopes of [OWN, FREE]) {
    const { token } = await answered(createAccessToken({ client: admin.client, body: { name: 'a', scopes } }));
    expect(token.scopes).toEqual([...scopes].sort());
  }
});

test('anybody may ask whether a token has a reserved scope', async () => {
  const { admin, made } = await shared();
  const body = { token: made.plaintext, scopes: RESERVED };
  expect((await answered(verifyAccessToken({ client: admin.client, body }))).code).toBe('insufficient_scope');
});

test('a seed has none either', async () => {
  const seed = { users: [{ email: 'a@example.org', tokens: [{ name: 'a', scopes: ['audit:write'] }] }] };
  await expect(startServer({ port: 0, testing: { seed } })).rejects.toThrow(
    'users[0].tokens[0].scopes: audit:write is reserved for the service',
  );
});
