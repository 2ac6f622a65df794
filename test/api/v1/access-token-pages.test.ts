import { describe, expect, test } from 'vitest';
import { createAccessToken, getMe, listAccessTokens, revokeAccessToken } from '../../../generated/index.js';
import { send } from '../../support/http.js';
import { ANY_STRING } from '../../support/matchers.js';
import { expectRefusal } from '../../support/refusal.js';
import { answered, type Client, DAY, SECOND, startService } from '../../support/service.js';
import { shareService } from '../../support/shared.js';

const TOKENS = '/api/v1/access-tokens';

type ListQuery = NonNullable<NonNullable<Parameters<typeof listAccessTokens>[0]>['query']>;

async function create(client: Client, ...names: string[]) {
  const created = [];
  for (const name of names) created.push((await answered(createAccessToken({ client, body: { name } }))).token);
  return created;
}

async function list(client: Client, query: ListQuery = {}) {
  const { items, nextCursor } = await answered(listAccessTokens({ client, query }));
  return { names: items.map(({ name }) => name), nextCursor, items };
}

/** The names on all pages from `cursor` on. */
async function walk(client: Client, query: ListQuery): Promise<string[]> {
  const { names, nextCursor } = await list(client, query);
  return nextCursor === null ? names : [...names, ...(await walk(client, { ...query, cursor: nextCursor }))];
}

test('a page has the tokens with all their members, the newest first', async () => {
  const { admin, clock } = await startService();
  const { client } = await admin();
  const created = [];
  for (const name of ['a', 'b', 'c']) {
    clock.advance(SECOND);
    created.push(...(await create(client, name)));
  }
  expect(await answered(listAccessTokens({ client, query: { tokenType: 'pat' } }))).toEqual({
    items: created.toReversed(),
    nextCursor: null,
  });
});

test('sessions and personal access tokens are listed, either alone where that is asked for', async () => {
  const { admin } = await startService();
  const { client } = await admin();
  const { session } = await answered(getMe({ client }));
  const [pat] = await create(client, 'a');
  const ids = async (query: ListQuery) => (await list(client, query)).items.map(({ id }) => id);
  expect(await ids({})).toEqual([pat?.id, session.sessionId]);
  expect(await ids({ tokenType: 'pat' })).toEqual([pat?.id]);
  expect(await ids({ tokenType: 'session' })).toEqual([session.sessionId]);
});

test('revoked tokens are listed only where that is asked for', async () => {
  const { admin } = await startService();
  const { client } = await admin();
  const [kept, revoked] = await create(client, 'kept', 'revoked');
  await revokeAccessToken({ client, path: { token_id: revoked?.id ?? '' } });
  for (const query of [{}, { includeRevoked: false }]) {
    expect((await list(client, { tokenType: 'pat', ...query })).items).toEqual([kept]);
  }
  expect((await list(client, { tokenType: 'pat', includeRevoked: true })).items).toEqual([
    { ...revoked, revokedAt: '2030-06-15T12:00:00.000Z' },
    kept,
  ]);
});

test('expired tokens stay listed', async () => {
  const service = await startService();
  const { client } = await service.admin();
  const { plaintext } = await answered(createAccessToken({ client, body: { name: 'lasting' } }));
  await createAccessToken({ client, body: { name: 'short', expiresInDays: 1 } });
  service.clock.advance(2 * DAY);
  expect((await list(service.as(plaintext))).names).toEqual(['short', 'lasting', 'session']);
});

test('a page has 50 tokens unless asked otherwise, and up to 200', async () => {
  const { admin } = await startService();
  const { client } = await admin();
  await Promise.all(
    Array.from({ length: 51 }, (_, i) => createAccessToken({ client, body: { name: `token ${String(i)}` } })),
  );
  expect(await list(client)).toMatchObject({ names: { length: 50 }, nextCursor: ANY_STRING });
  expect(await list(client, { limit: 200 })).toMatchObject({ names: { length: 52 }, nextCursor: null });
});

describe('following nextCursor', () => {
  const shared = shareService(async (_, { client }) => {
    await create(client, 'a', 'b', 'c', 'd', 'e', 'f');
  });
  test.each([
    ['of one', 1, 6],
    ['that do not come out even', 4, 2],
    ['that come out even', 3, 2],
    ['larger than the list', 7, 1],
  ])('in pages %s gives each token once and ends with null', async (_, limit, pages) => {
    const { client } = (await shared()).admin;
    const seen: string[] = [];
    let cursor: string | undefined;
    for (let page = 1; page <= pages; page++) {
      const { names, nextCursor } = await list(client, { tokenType: 'pat', limit, ...(cursor && { cursor }) });
      seen.push(...names);
      expect(nextCursor === null).toBe(page === pages);
      cursor = nextCursor ?? undefined;
    }
    // All six were created within one millisecond.
    expect(seen).toEqual(['f', 'e', 'd', 'c', 'b', 'a']);
  });

  test('may change the limit on the way', async () => {
    const { client } = (await shared()).admin;
    const { names, nextCursor } = await list(client, { tokenType: 'pat', limit: 2 });
    const rest = await list(client, { tokenType: 'pat', limit: 200, cursor: nextCursor ?? '' });
    expect([...names, ...rest.names]).toEqual(['f', 'e', 'd', 'c', 'b', 'a']);
  });
});

test.each([
  ['nothing changes', () => Promise.resolve(), ['c', 'b', 'a']],
  [
    'others are created',
    async (client: Client) => {
      await create(client, 'new 1', 'new 2');
    },
    ['c', 'b', 'a'],
  ],
  ['tokens of the page before are revoked', (client: Client) => revokeNamed(client, 'e', 'f'), ['c', 'b', 'a']],
  ['the last token of the page before is revoked', (client: Client) => revokeNamed(client, 'd'), ['c', 'b', 'a']],
  ['a token of the next page is revoked', (client: Client) => revokeNamed(client, 'c'), ['b', 'a']],
])('a cursor neither repeats nor loses a token while %s', async (_, change, rest) => {
  const service = await startService();
  const { client } = await service.admin();
  await create(client, 'a', 'b', 'c', 'd', 'e', 'f');
  const query = { tokenType: 'pat', limit: 3 } as const;
  const { names, nextCursor } = await list(client, query);
  expect(names).toEqual(['f', 'e', 'd']);
  await change(client);
  expect(await walk(client, { ...query, limit: 1, cursor: nextCursor ?? '' })).toEqual(rest);
});

async function revokeNamed(client: Client, ...names: string[]): Promise<void> {
  const { items } = await list(client);
  for (const { id } of items.filter(({ name }) => names.includes(name))) {
    await revokeAccessToken({ client, path: { token_id: id } });
  }
}

test('a cursor is still good after a restart', async () => {
  const service = await startService();
  const { client, token } = await service.admin();
  await create(client, 'a', 'b');
  const { nextCursor } = await list(client, { limit: 1 });
  await service.restart();
  expect((await list(service.as(token), { cursor: nextCursor ?? '' })).names).toEqual(['a', 'session']);
});

describe('a bad cursor is 422 on ["query","cursor"]', () => {
  const shared = shareService(async (_, { client }) => {
    await create(client, 'a', 'b', 'c');
    return (await list(client, { limit: 2 })).nextCursor ?? '';
  });
  test.each<[string, (good: string) => string]>([
    ['an empty one', () => ''],
    ['a word', () => 'next'],
    ['a number', () => '2'],
    ['one without its end', (good) => good.slice(0, -1)],
    ['one with something behind', (good) => `${good}A`],
    ['one with padding', (good) => `${good}=`],
    ['one with a character changed', (good) => (good.startsWith('B') ? 'C' : 'B') + good.slice(1)],
    ['one in another case', (good) => good.toLowerCase()],
    ['one with a space in it', (good) => `${good.slice(0, 5)}%20${good.slice(5)}`],
    ['one of 10000 characters', (good) => good.repeat(10_000 / good.length)],
    ['one for other filters', (good) => `${good}&includeRevoked=true`],
    ['one for another type', (good) => `${good}&tokenType=pat`],
  ])('%s', async (_, spoil) => {
    const { service, admin, made: good } = await shared();
    expect((await list(admin.client, { limit: 2, cursor: good })).names).toEqual(['a', 'session']);
    const line = `GET ${TOKENS}?limit=2&cursor=${spoil(good)}` as const;
    await expectRefusal(service, () => send(service, line, { token: admin.token }), {
      status: 422,
      body: { detail: [{ loc: ['query', 'cursor'], msg: ANY_STRING, type: ANY_STRING }] },
    });
  });
});
