import { describe, expect, test } from 'vitest';
import {
  createAccessToken,
  createPrivateToken,
  listAccessTokens,
  listPrivateTokens,
  type PrivateTokenPage,
  revokeAccessToken,
} from '../../../generated/index.js';
import { send } from '../../support/http.js';
import { ANY_NUMBER, matching, without } from '../../support/matchers.js';
import { expectRefusal } from '../../support/refusal.js';
import { answered, type Client, DAY, startService } from '../../support/service.js';
import { shareService } from '../../support/shared.js';

const TOKENS = '/api/v1/auth/private_tokens/';

/** What a token has that never expires. */
const LAST = '9999-12-31T23:59:59.999Z';

async function create(client: Client, name: string, expiration_time = '2031-06-15T12:00:00.000Z') {
  return await answered(createPrivateToken({ client, body: { name, expiration_time } }));
}

type ListQuery = NonNullable<Parameters<typeof listPrivateTokens>[0]>['query'];

async function names(client: Client, query: ListQuery = {}): Promise<string[]> {
  const { results } = await answered(listPrivateTokens({ client, query }));
  return results.map(({ name }) => name);
}

describe('listing', () => {
  test('gives id, name and expiration time of each token, the newest first', async () => {
    const { admin } = await startService();
    const { client } = await admin();
    const [a, b] = [await create(client, 'a'), await create(client, 'b')];
    expect(await answered(listPrivateTokens({ client }))).toEqual({
      count: 2,
      next: null,
      previous: null,
      results: [b, a].map((token) => without(token, 'data')),
    });
  });

  test('shows what the other surface created, without sessions and without what is revoked there', async () => {
    const { admin } = await startService();
    const { client } = await admin();
    const { token } = await answered(createAccessToken({ client, body: { name: 'immortal' } }));
    const revoked = await answered(createAccessToken({ client, body: { name: 'revoked' } }));
    await revokeAccessToken({ client, path: { token_id: revoked.token.id } });
    expect(token.expiresAt).toBeNull();
    expect((await answered(listPrivateTokens({ client }))).results).toEqual([
      { id: ANY_NUMBER, name: 'immortal', expiration_time: LAST },
    ]);
  });

  test('keeps expired tokens', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { data: token } = await create(client, 'lasting');
    await create(client, 'short', '2030-06-16T12:00:00Z');
    service.clock.advance(2 * DAY);
    expect(await names(service.as(token))).toEqual(['short', 'lasting']);
  });

  test('is empty where there is nothing', async () => {
    const { admin } = await startService();
    const { client } = await admin();
    const nothing = { count: 0, next: null, previous: null, results: [] };
    expect(await answered(listPrivateTokens({ client }))).toEqual(nothing);
    expect(await answered(listPrivateTokens({ client, query: { page: 1, q: 'nothing' } }))).toEqual(nothing);
  });
});

describe('ordering', () => {
  const shared = shareService(async (_, { client }) => {
    await create(client, 'beta', '2032-01-01T00:00:00Z');
    await create(client, 'alpha', '2033-01-01T00:00:00Z');
    await create(client, 'gamma', '2031-01-01T00:00:00Z');
  });
  test.each([
    ['id', ['beta', 'alpha', 'gamma']],
    ['-id', ['gamma', 'alpha', 'beta']],
    ['name', ['alpha', 'beta', 'gamma']],
    ['-name', ['gamma', 'beta', 'alpha']],
    ['expiration_time', ['gamma', 'beta', 'alpha']],
    ['-expiration_time', ['alpha', 'beta', 'gamma']],
  ] as const)('by %s', async (ordering, expected) => {
    expect(await names((await shared()).admin.client, { ordering })).toEqual(expected);
  });
});

describe('tokens that never expire', () => {
  const shared = shareService(async (_, { client }) => {
    const never = (name: string) => answered(createAccessToken({ client, body: { name } }));
    await never('never 1');
    await create(client, 'last 2', LAST);
    await create(client, 'soon 3', '2031-01-01T00:00:00Z');
    await never('never 4');
    await create(client, 'almost 5', '9999-12-31T23:59:59.998Z');
    await create(client, 'last 6', '9999-12-31T22:59:59.999-01:00');
  });
  const ORDERED = ['soon 3', 'almost 5', 'never 1', 'last 2', 'never 4', 'last 6'];

  test.each([
    ['expiration_time', ORDERED],
    ['-expiration_time', ORDERED.toReversed()],
  ] as const)('are ordered by %s with those of the last instant, by id', async (ordering, expected) => {
    const { client } = (await shared()).admin;
    expect(await names(client, { ordering })).toEqual(expected);
    for (const [q, kept] of [
      ['', expected],
      ['never', expected.filter((name) => name.startsWith('never'))],
      ['a', expected.filter((name) => name.includes('a'))],
    ] as const) {
      const paged = [];
      for (let page = 1; page <= kept.length; page++) {
        const query = { ordering, q, page, page_size: 1 };
        const { results, count } = await answered(listPrivateTokens({ client, query }));
        expect(count).toBe(kept.length);
        paged.push(...results.map(({ name }) => name));
      }
      expect(paged).toEqual(kept);
    }
  });

  test('have the last instant that there is, here alone', async () => {
    const { client } = (await shared()).admin;
    const { results } = await answered(listPrivateTokens({ client, query: { ordering: 'id' } }));
    const times = results.map(({ expiration_time }) => expiration_time);
    expect(times).toEqual([LAST, LAST, '2031-01-01T00:00:00.000Z', LAST, '9999-12-31T23:59:59.998Z', LAST]);
    const { items } = await answered(
      listAccessTokens({ client, query: { tokenType: 'pat', sort: 'expiresAt', limit: 200 } }),
    );
    expect(items.map(({ name, expiresAt }) => [name, expiresAt])).toEqual([
      ['soon 3', '2031-01-01T00:00:00.000Z'],
      ['almost 5', '9999-12-31T23:59:59.998Z'],
      ['last 2', LAST],
      ['last 6', LAST],
      ['never 1', null],
      ['never 4', null],
    ]);
  });
});

describe('tokens that are alike in what they are ordered by', () => {
  const shared = shareService(async (_, { client }) => {
    const ids = [];
    for (let i = 0; i < 5; i++) ids.push((await create(client, 'tie')).id);
    return ids;
  });
  test.each(['name', '-name', 'expiration_time', '-expiration_time'] as const)(
    'by %s are ordered by id, so that pages neither repeat nor lose one',
    async (ordering) => {
      const { admin, made: ids } = await shared();
      const paged = [];
      for (let page = 1; page <= ids.length; page++) {
        const query = { ordering, page, page_size: 1 };
        const { results } = await answered(listPrivateTokens({ client: admin.client, query }));
        paged.push(...results.map(({ id }) => id));
      }
      expect([ids, ids.toReversed()]).toContainEqual(paged);
    },
  );
});

describe('searching', () => {
  const shared = shareService(async (_, { client }) => {
    for (const name of ['Deploy bot', 'snake_case', 'back\\slash', 'ärger 100%']) await create(client, name);
  });
  test.each([
    ['a part in another case', 'PLOY', ['Deploy bot']],
    ['a part in another case beyond ASCII', 'ÄRGER', ['ärger 100%']],
    ['a percent sign', '%', ['ärger 100%']],
    ['an underscore', '_', ['snake_case']],
    ['a backslash', '\\', ['back\\slash']],
    ['a percent sign between others', 'e%b', []],
    ['a quotation mark', "'", []],
    ['white space', ' ', ['ärger 100%', 'Deploy bot']],
    ['nothing', '', ['ärger 100%', 'back\\slash', 'snake_case', 'Deploy bot']],
  ])('by %s finds names that contain it', async (_, q, expected) => {
    const { client } = (await shared()).admin;
    const page = await answered(listPrivateTokens({ client, query: { q } }));
    expect(page.results.map(({ name }) => name)).toEqual(expected);
    expect(page.count).toBe(expected.length);
  });

  test('looks at the name alone', async () => {
    const { client } = (await shared()).admin;
    for (const q of ['lk_pat', '2031', '1-']) expect(await names(client, { q })).toEqual([]);
  });
});

describe('paging', () => {
  test('has 50 tokens on a page unless asked otherwise, and up to 200', async () => {
    const { admin } = await startService();
    const { client } = await admin();
    await Promise.all(Array.from({ length: 51 }, (_, i) => create(client, `token ${String(i)}`)));
    const first = await answered(listPrivateTokens({ client }));
    expect(first.results).toHaveLength(50);
    expect(first).toMatchObject({ count: 51, previous: null, next: matching(/[?&]page=2$/) });
    const all = await answered(listPrivateTokens({ client, query: { page_size: 200 } }));
    expect(all.results).toHaveLength(51);
    expect(all.next).toBeNull();
  });

  test('leads by absolute URLs through every token once, with the right count on every page', async () => {
    const service = await startService();
    const { client, token } = await service.admin();
    for (const name of ['a 1', 'b', 'a 2', 'a 3', 'a 4', 'a 5']) await create(client, name);
    const path = `${TOKENS}?ordering=name&q=a+&page_size=2`;
    const [forwards, last] = await walk(`${service.url}${path}`, token, 'next');
    expect(forwards).toEqual([['a 1', 'a 2'], ['a 3', 'a 4'], ['a 5']]);
    const [backwards, first] = await walk(last, token, 'previous');
    expect(backwards).toEqual(forwards.toReversed());
    expect(new URL(first).searchParams.get('page')).toBe('1');
  });

  async function walk(from: string, token: string, direction: 'next' | 'previous'): Promise<[string[][], string]> {
    const pages: string[][] = [];
    let url = from;
    for (let next: string | null = url; next !== null; ) {
      url = next;
      const response = await fetch(url, { headers: { 'X-API-Key': token } });
      const page = (await response.json()) as PrivateTokenPage;
      expect(page.count).toBe(5);
      pages.push(page.results.map(({ name }) => name));
      next = page[direction];
    }
    return [pages, url];
  }

  test('builds the URLs from the address that the operator has named, never from the Host header', async () => {
    const parts = { headers: { Host: 'evil.example' } };
    for (const [options, origin] of [
      [{}, undefined],
      [{ publicUrl: 'https://tokens.example.org' }, 'https://tokens.example.org'],
    ] as const) {
      const service = await startService(options);
      const { client, token } = await service.admin();
      for (const name of ['a', 'b']) await create(client, name);
      const { body } = await send(service, `GET ${TOKENS}?page_size=1`, { token, ...parts });
      expect(body).toMatchObject({ next: `${origin ?? service.url}${TOKENS}?page_size=1&page=2` });
    }
  });
});

describe('a page that is not there is 404', () => {
  const shared = shareService(async (_, { client }) => {
    for (const name of ['a', 'b']) await create(client, name);
  });
  test.each([
    ['the page past the last', 'page=3&page_size=1'],
    ['a page far past the last', 'page=9007199254740991&page_size=200'],
    ['page 2 of nothing', 'page=2&q=nothing'],
  ])('%s', async (_, query) => {
    const { service, admin } = await shared();
    await expectRefusal(service, () => send(service, `GET ${TOKENS}?${query}`, { token: admin.token }), {
      status: 404,
      body: { detail: 'Invalid page.' },
    });
  });
});
