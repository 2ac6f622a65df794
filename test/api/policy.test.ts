import { describe, expect, test } from 'vitest';
import {
  createAccessToken,
  createPrivateToken,
  getAccessToken,
  getMe,
  listAccessTokens,
  revokeAccessToken,
  rotateAccessToken,
  updateAccessToken,
} from '../../generated/index.js';
import { type ServerOptions, startServer } from '../../server/index.js';
import { ANY_STRING, matching } from '../support/matchers.js';
import { expectRefusal } from '../support/refusal.js';
import { answered, type Client, DAY, startService } from '../support/service.js';

// What the operator allows holds on both APIs, for creating, editing and rotating.

const NOW = Date.parse('2030-06-15T12:00:00.000Z');

function daysFromNow(days: number): string {
  return new Date(NOW + days * DAY).toISOString();
}

function create(client: Client, expiresInDays?: number | null) {
  const body = { name: 'deploy bot', ...(expiresInDays !== undefined && { expiresInDays }) };
  return createAccessToken({ client, body });
}

function createPrivate(client: Client, expiration_time: string) {
  return createPrivateToken({ client, body: { name: 'deploy bot', expiration_time } });
}

function edit(client: Client, token_id: string, expiresInDays: number | null) {
  return updateAccessToken({ client, path: { token_id }, body: { expiresInDays } });
}

function rotate(client: Client, token_id: string, expiresInDays?: number | null) {
  const body = expiresInDays === undefined ? {} : { expiresInDays };
  return rotateAccessToken({ client, path: { token_id }, body });
}

function lifetimeProblem(msg: unknown, type: string) {
  return { status: 422, body: { detail: [{ loc: ['body', 'expiresInDays'], msg, type }] } };
}

describe('lifetimes', () => {
  const CASES: [string, ServerOptions, number | null][] = [
    ['no policy', {}, null],
    ['a default', { defaultLifetimeDays: 30 }, 30],
    ['a maximum', { maxLifetimeDays: 90 }, 90],
    ['a default and a maximum', { defaultLifetimeDays: 30, maxLifetimeDays: 90 }, 30],
    ['a default and an expiry that is required', { defaultLifetimeDays: 30, requireExpiry: true }, 30],
    ['a default above what a request may ask for', { defaultLifetimeDays: 1_000 }, 1_000],
  ];
  test.each(CASES)('with %s, none at all becomes the right one everywhere', async (_, options, days) => {
    const service = await startService(options);
    const { client } = await service.admin();
    const expected = days === null ? null : daysFromNow(days);
    expect((await answered(create(client))).token.expiresAt).toBe(expected);
    const { token } = await answered(create(client, null));
    expect(token.expiresAt).toBe(expected);
    const { token: short } = await answered(create(client, 1));
    expect(short.expiresAt).toBe(daysFromNow(1));
    expect((await answered(edit(client, short.id, null))).expiresAt).toBe(expected);
    expect((await answered(rotate(client, short.id, null))).token.expiresAt).toBe(expected);
  });

  test('with an expiry that is required and no default, none is refused', async () => {
    const service = await startService({ requireExpiry: true, maxLifetimeDays: 90 });
    const { client } = await service.admin();
    const { token } = await answered(create(client, 1));
    const refusal = lifetimeProblem('This service requires an expiry: 1 to 90 days', 'missing');
    await expectRefusal(service, () => create(client), refusal);
    await expectRefusal(service, () => create(client, null), refusal);
    await expectRefusal(service, () => edit(client, token.id, null), refusal);
    await expectRefusal(service, () => rotate(client, token.id, null), refusal);
    expect((await answered(rotate(client, token.id))).token.expiresAt).toBe(daysFromNow(1));
  });

  test('beyond the maximum are refused, with the bound', async () => {
    const service = await startService({ maxLifetimeDays: 90 });
    const { client } = await service.admin();
    const { token } = await answered(create(client, 90));
    const refusal = lifetimeProblem(matching(/less than or equal to 90\b/), 'less_than_equal');
    await expectRefusal(service, () => create(client, 91), refusal);
    await expectRefusal(service, () => edit(client, token.id, 91), refusal);
    await expectRefusal(service, () => rotate(client, token.id, 91), refusal);

    await answered(createPrivate(client, daysFromNow(90)));
    const tooFar = new Date(NOW + 90 * DAY + 1).toISOString();
    // The last instant is how this API lists a token that never expires; it is no way around the maximum.
    for (const instant of [tooFar, '9999-12-31T23:59:59.999Z']) {
      await expectRefusal(service, () => createPrivate(client, instant), {
        status: 400,
        body: { expiration_time: [matching(/at most 90 days from now/)] },
      });
    }
  });

  test('of sessions are not the policy’s', async () => {
    const service = await startService({ maxLifetimeDays: 1, requireExpiry: true, maxTokensPerOwner: 1 });
    const { client } = await service.admin();
    await service.admin();
    const { items } = await answered(listAccessTokens({ client }));
    expect(items.map(({ expiresAt }) => expiresAt)).toEqual([daysFromNow(1 / 24), daysFromNow(1 / 24)]);
  });

  test('a stricter policy shortens the lifetime of a token that is rotated, and of no other', async () => {
    const service = await startService();
    const { client, token: session } = await service.admin();
    const never = await answered(create(client));
    const long = await answered(createPrivate(client, daysFromNow(1_000)));
    await service.stop();
    const strict = await startService({ database: service.database, maxLifetimeDays: 30 });
    const again = strict.as(session);
    const { items } = await answered(listAccessTokens({ client: again, query: { tokenType: 'pat' } }));
    expect(items.map(({ expiresAt }) => expiresAt)).toEqual([daysFromNow(1_000), null]);
    for (const { id } of items) {
      expect((await answered(rotate(again, id))).token.expiresAt).toBe(daysFromNow(30));
    }
    expect([never.token.expiresAt, long.expiration_time]).toEqual([null, daysFromNow(1_000)]);
  });

  test('the former lifetime of an expired token is cut to the maximum', async () => {
    const service = await startService({ maxLifetimeDays: 90, sessionMinutes: 60 });
    const { client } = await service.admin();
    const { token } = await answered(create(client, 90));
    service.clock.advance(91 * DAY);
    const { client: again } = await service.admin();
    expect((await answered(rotate(again, token.id))).token.expiresAt).toBe(daysFromNow(91 + 90));
  });
});

describe('the number of tokens', () => {
  const LIMIT = {
    status: 409,
    body: { detail: matching(/\b2 tokens, and at most 2 are allowed\b/), code: 'token_limit_reached' },
  };

  test('counts what serves: neither revoked nor expired tokens, sessions, nor those of others', async () => {
    const service = await startService({ maxTokensPerOwner: 2 });
    const { client } = await service.admin();
    const stranger = await service.newUser();
    for (let count = 0; count < 2; count++) await answered(create(stranger.client));
    const { token: first } = await answered(create(client, 1));
    await answered(createPrivate(client, daysFromNow(10)));
    await expectRefusal(service, () => create(client), LIMIT);
    await expectRefusal(service, () => createPrivate(client, daysFromNow(10)), {
      status: 400,
      body: { non_field_errors: ['The owner has 2 tokens, and at most 2 are allowed. Revoke one first.'] },
    });
    await answered(rotate(client, first.id));

    await revokeAccessToken({ client, path: { token_id: first.id } });
    const { token: next } = await answered(create(client, 1));
    service.clock.advance(DAY);
    const { client: again } = await service.admin();
    const { token: third } = await answered(create(again));
    // The expired one would be the third that serves.
    await expectRefusal(service, () => rotate(again, next.id), LIMIT);
    // One that is disabled may serve again at any time.
    await answered(updateAccessToken({ client: again, path: { token_id: third.id }, body: { disabled: true } }));
    await expectRefusal(service, () => create(again), LIMIT);
  });

  test('is held by many creations at the same time, on two processes', async () => {
    const service = await startService({ maxTokensPerOwner: 5 });
    const other = await startService({ database: service.database, maxTokensPerOwner: 5 });
    const { client, token } = await service.admin();
    const clients = [client, other.as(token)];
    const creations = Array.from({ length: 40 }, (_, index) =>
      index % 4 < 2
        ? create(clients[index % 2] ?? client)
        : createPrivate(clients[index % 2] ?? client, daysFromNow(10)),
    );
    const statuses = (await Promise.all(creations)).map(({ response }) => response.status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(5);
    const { items } = await answered(listAccessTokens({ client, query: { tokenType: 'pat' } }));
    expect(items).toHaveLength(5);
  });

  test('is held when many expired tokens come back at the same time', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const made = await Promise.all(Array.from({ length: 10 }, () => answered(create(client, 1))));
    await service.stop();
    const strict = await startService({ database: service.database, maxTokensPerOwner: 3 });
    strict.clock.advance(2 * DAY);
    const { client: again } = await strict.admin();
    const rotations = await Promise.all(made.map(({ token }) => rotate(again, token.id)));
    expect(rotations.filter(({ response }) => response.status === 200)).toHaveLength(3);
    expect(rotations.filter(({ response }) => response.status === 409)).toHaveLength(7);
  });

  test('is no business of a repeated request', async () => {
    const service = await startService({ maxTokensPerOwner: 1 });
    const { client } = await service.admin();
    const once = () => createAccessToken({ client, body: { name: 'a' }, headers: { 'Idempotency-Key': 'once' } });
    const first = await answered(once());
    expect(await answered(once())).toEqual(first);
  });
});

test('an owner who had more tokens than a new policy allows keeps them', async () => {
  const service = await startService();
  const { client, token } = await service.admin();
  const made = await Promise.all(Array.from({ length: 3 }, () => answered(create(client))));
  await service.stop();
  const strict = await startService({ database: service.database, maxTokensPerOwner: 1 });
  for (const {
    plaintext,
    token: { id },
  } of made) {
    expect((await getMe({ client: strict.as(plaintext) })).response.status).toBe(200);
    expect((await answered(getAccessToken({ client: strict.as(token), path: { token_id: id } }))).revokedAt).toBeNull();
  }
  await expectRefusal(strict, () => create(strict.as(token)), {
    status: 409,
    body: { detail: 'The owner has 3 tokens, and at most 1 are allowed. Revoke one first.', code: ANY_STRING },
  });
});

test.each<[string, ServerOptions, RegExp]>([
  ['no day by default', { defaultLifetimeDays: 0 }, /defaultLifetimeDays must be an integer from 1 to 36500/],
  ['half a day at most', { maxLifetimeDays: 0.5 }, /maxLifetimeDays must be an integer from 1 to 36500/],
  ['no token at all', { maxTokensPerOwner: 0 }, /maxTokensPerOwner must be an integer from 1 to 1000000/],
  [
    'a default beyond the maximum',
    { defaultLifetimeDays: 31, maxLifetimeDays: 30 },
    /defaultLifetimeDays must be .* no more than LATCHKEY_MAX_LIFETIME_DAYS/,
  ],
])('%s is no policy', async (_, options, message) => {
  await expect(startServer({ port: 0, database: ':memory:', ...options })).rejects.toThrow(message);
});
