import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  createAccessToken,
  createPrivateToken,
  getAccessToken,
  getMe,
  listAccessTokens,
  listPrivateTokens,
  revokeAccessToken,
  revokeAllAccessTokens,
  revokePrivateToken,
} from '../../generated/index.js';
import { send } from '../support/http.js';
import { ANY_STRING, without } from '../support/matchers.js';
import { expectRefusal } from '../support/refusal.js';
import { answered, type Client, type Person, startService } from '../support/service.js';

const NEXT_YEAR = '2031-06-15T12:00:00.000Z';

async function create(client: Client, name: string) {
  return await answered(createAccessToken({ client, body: { name } }));
}

/** Everything of a user's that a request can show. */
async function view({ client }: Person) {
  const query = { includeRevoked: true, limit: 200 };
  const { items } = await answered(listAccessTokens({ client, query }));
  const { results } = await answered(listPrivateTokens({ client, query: { page_size: 200 } }));
  // When a token was last used is written a moment later, whoever does what.
  return { items: items.map((token) => without(token, 'lastUsedAt')), results };
}

async function twoUsers() {
  const service = await startService();
  const [alice, mallory] = [await service.admin(), await service.newUser()];
  return { service, alice, mallory };
}

test('the id of another user’s token is 404 with the same body as an id that never was', async () => {
  const { service, alice, mallory } = await twoUsers();
  const { token } = await create(alice.client, 'of alice');
  const { session } = await answered(getMe({ client: alice.client }));
  const { results } = await answered(listPrivateTokens({ client: alice.client }));
  const client = mallory.client;
  for (const call of [getAccessToken, revokeAccessToken]) {
    const bodies = [];
    for (const token_id of [token.id, session.sessionId ?? '', '497f6eca-6276-4993-bfeb-53cbbbba6f08']) {
      const refusal = await expectRefusal(service, () => call({ client, path: { token_id } }), { status: 404 });
      bodies.push(refusal.text);
    }
    expect(new Set(bodies).size).toBe(1);
  }
  const bodies = [];
  for (const id of [results[0]?.id ?? 0, 4711]) {
    const refusal = await expectRefusal(service, () => revokePrivateToken({ client, path: { id } }), { status: 404 });
    bodies.push(refusal.text);
  }
  expect(new Set(bodies).size).toBe(1);
});

test('neither list shows another user’s tokens, with any filter, order or search', async () => {
  const { service, alice, mallory } = await twoUsers();
  const { token } = await create(alice.client, 'of alice');
  await revokeAccessToken({ client: alice.client, path: { token_id: token.id } });
  await create(alice.client, 'of alice');
  await create(mallory.client, 'of mallory');
  for (const query of ['', '?includeRevoked=true', '?tokenType=pat', '?tokenType=session&includeRevoked=true']) {
    const { text } = await send(service, `GET /api/v1/access-tokens${query}`, { token: mallory.token });
    expect(text).not.toContain('of alice');
    expect(text).toMatch(/"name":"(of mallory|session)"/);
    expect((JSON.parse(text) as { items: unknown[] }).items.length).toBeLessThanOrEqual(2);
  }
  for (const query of ['', '?q=of', '?q=alice', '?ordering=name', '?ordering=-expiration_time', "?q='%20or%201=1--"]) {
    const { text } = await send(service, `GET /api/v1/auth/private_tokens/${query}`, { token: mallory.token });
    expect(text).not.toContain('of alice');
    expect((JSON.parse(text) as { count: number }).count).toBeLessThanOrEqual(1);
  }
});

test('another user’s cursor is a bad one', async () => {
  const { service, alice, mallory } = await twoUsers();
  for (const { client } of [alice, mallory]) for (const name of ['a', 'b']) await create(client, name);
  const { nextCursor } = await answered(listAccessTokens({ client: alice.client, query: { limit: 1 } }));
  const query = { limit: 1, cursor: nextCursor ?? '' };
  await expectRefusal(service, () => listAccessTokens({ client: mallory.client, query }), {
    status: 422,
    body: { detail: [{ loc: ['query', 'cursor'], msg: ANY_STRING, type: ANY_STRING }] },
  });
});

test('revoking all touches the caller’s tokens only', async () => {
  const { alice, mallory } = await twoUsers();
  await create(alice.client, 'of alice');
  await create(mallory.client, 'of mallory');
  const before = await view(alice);
  for (const exclude_current of [true, false]) {
    const { revokedCount } = await answered(
      revokeAllAccessTokens({ client: mallory.client, query: { exclude_current } }),
    );
    expect(revokedCount).toBe(1);
  }
  expect(await view(alice)).toEqual(before);
});

test.each(['owner_id', 'ownerId', 'userId', 'user_id', 'user', 'id'])(
  'a body cannot name another owner by %s',
  async (member) => {
    const { service, alice, mallory } = await twoUsers();
    const json = { name: 'a', [member]: alice.session.id };
    const parts = { token: mallory.token, json };
    await expectRefusal(service, () => send(service, 'POST /api/v1/access-tokens', parts), { status: 422 });
  },
);

test('whatever one user does, the other’s tokens stay as they are and their own change as told', async () => {
  const { alice, mallory } = await twoUsers();
  const people = [alice, mallory] as const;
  const operation = fc.record({
    actor: fc.constantFrom(0, 1),
    act: fc.constantFrom('create A', 'create B', 'revoke A', 'revoke B', 'get', 'search', 'walk', 'revoke all'),
    pick: fc.nat(),
    theirs: fc.boolean(),
  });
  type Operation = typeof operation extends fc.Arbitrary<infer Value> ? Value : never;

  async function perform({ actor, act, pick, theirs }: Operation): Promise<void> {
    const { client } = people[actor === 0 ? 0 : 1];
    const target = await view(people[(actor === 0) === theirs ? 1 : 0]);
    const token_id = target.items[pick % target.items.length]?.id ?? '';
    const id = target.results[pick % target.results.length]?.id ?? 4711;
    const isOwnSession = target.items.find((token) => token.id === token_id)?.tokenType === 'session';
    const statusOf = async (call: Promise<{ response?: Response }>) => (await call).response?.status;
    switch (act) {
      case 'create A': {
        const body = { name: `of ${String(actor)}`, expiration_time: NEXT_YEAR };
        expect(await statusOf(createPrivateToken({ client, body }))).toBe(201);
        return;
      }
      case 'create B':
        expect(await statusOf(createAccessToken({ client, body: { name: `of ${String(actor)}` } }))).toBe(201);
        return;
      case 'revoke A': {
        const isThere = !theirs && target.results.length > 0;
        expect(await statusOf(revokePrivateToken({ client, path: { id } }))).toBe(isThere ? 204 : 404);
        return;
      }
      case 'revoke B':
        // One's own session has to last for the next operation.
        if (!theirs && isOwnSession) return;
        expect(await statusOf(revokeAccessToken({ client, path: { token_id } }))).toBe(theirs ? 404 : 204);
        return;
      case 'get':
        expect(await statusOf(getAccessToken({ client, path: { token_id } }))).toBe(theirs ? 404 : 200);
        return;
      case 'search': {
        const { results } = await answered(listPrivateTokens({ client, query: { q: 'OF' } }));
        expect(results.every(({ name }) => name === `of ${String(actor)}`)).toBe(true);
        return;
      }
      case 'walk': {
        const { nextCursor } = await answered(listAccessTokens({ client: people[0].client, query: { limit: 1 } }));
        if (nextCursor === null) return;
        const query = { limit: 1, cursor: nextCursor };
        expect(await statusOf(listAccessTokens({ client, query }))).toBe(actor === 0 ? 200 : 422);
        return;
      }
      case 'revoke all': {
        const own = (await view(people[actor === 0 ? 0 : 1])).items.filter(({ revokedAt }) => revokedAt === null);
        const { revokedCount } = await answered(revokeAllAccessTokens({ client }));
        expect(revokedCount).toBe(own.length - 1);
      }
    }
  }

  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 12 }), async (operations) => {
      for (const each of operations) {
        const other = people[each.actor === 0 ? 1 : 0];
        const before = await view(other);
        await perform(each);
        expect(await view(other)).toEqual(before);
      }
    }),
    { numRuns: 20 },
  );
});
