import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createLatchkey, LatchkeyError, type PrivateToken } from '../../client/index.js';
import { allPrivateTokens } from '../../client/pages.js';
import { JSON_TYPE, serveAnswers } from '../support/answers.js';
import { rejectionOf } from '../support/rejection.js';
import { startService } from '../support/service.js';

/** A client of a service with `count` tokens, named `token 1` and so on, and the paths of the requests it sends. */
async function startWithTokens(count: number) {
  const service = await startService();
  const { token } = await service.admin();
  const paths: string[] = [];
  const lk = createLatchkey({
    baseUrl: service.url,
    token,
    fetch: (url, init) => {
      paths.push(`${init.method ?? ''} ${url.slice(service.url.length)}`);
      return fetch(url, init);
    },
  });
  const names = Array.from({ length: count }, (_, index) => `token ${String(index + 1)}`);
  // In order, so that the ids are too.
  for (const name of names) await lk.createPrivateToken({ body: { name, expiration_time: '2031-01-01T00:00:00Z' } });
  paths.length = 0;
  return { service, lk, names, paths };
}

async function namesOf(tokens: AsyncIterable<{ name: string }>): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of tokens) names.push(name);
  return names;
}

describe('access tokens', () => {
  test('all are given once, newest first, however many pages they fill', async () => {
    const { lk, names } = await startWithTokens(23);
    expect(await namesOf(lk.accessTokens.all({ tokenType: 'pat', limit: 5 }))).toEqual([...names].reverse());
  });

  test('the filters hold on every page', async () => {
    const { lk } = await startWithTokens(5);
    const revoked: string[] = [];
    for await (const { id, name } of lk.accessTokens.all({ tokenType: 'pat', limit: 2 })) {
      await lk.revokeAccessToken({ path: { token_id: id } });
      revoked.push(name);
    }
    expect(revoked).toHaveLength(5);
    expect(await namesOf(lk.accessTokens.all({ tokenType: 'pat' }))).toEqual([]);
    expect(await namesOf(lk.accessTokens.all({ tokenType: 'pat', limit: 2, includeRevoked: true }))).toEqual(revoked);
    expect(await namesOf(lk.accessTokens.all())).toEqual(['session']);
  });

  test('nothing is asked for before it is needed', async () => {
    const { lk, paths } = await startWithTokens(5);
    const tokens = lk.accessTokens.all({ limit: 2 });
    expect(paths).toEqual([]);
    for await (const { name } of tokens) if (name === 'token 4') break;
    expect(paths).toEqual(['GET /api/v1/access-tokens?limit=2']);
  });

  test('a list whose cursor leads to itself is an error instead of an endless loop', async () => {
    const { url } = await serveAnswers({ headers: JSON_TYPE, body: '{"items":[],"nextCursor":"again"}' });
    const error = await rejectionOf(namesOf(createLatchkey({ baseUrl: url }).accessTokens.all()));
    expect(error.code).toBe('unexpected_answer');
  });
});

describe('private tokens', () => {
  test('all are given once, oldest first, however many pages they fill', async () => {
    const { lk, names, paths } = await startWithTokens(450);
    expect(await namesOf(lk.privateTokens.all())).toEqual(names);
    expect(paths.length).toBeLessThanOrEqual(4);
    expect(await namesOf(lk.privateTokens.all({ q: 'N 44' }))).toEqual(['token 44', ...names.slice(439, 449)]);
  });

  test('revoking what comes loses none', async () => {
    const { lk, names, paths } = await startWithTokens(450);
    const seen: string[] = [];
    for await (const { id, name } of lk.privateTokens.all()) {
      await lk.revokePrivateToken({ path: { id } });
      seen.push(name);
    }
    expect(seen).toEqual(names);
    expect(paths.filter((path) => path.startsWith('GET')).length).toBeLessThanOrEqual(7);
    expect(await namesOf(lk.privateTokens.all())).toEqual([]);
  });

  test('the next page is found by its number: no address that an answer gives is called', async () => {
    const results = Array.from({ length: 200 }, (_, index) => ({ id: index + 1, name: 'a', expiration_time: null }));
    const next = 'http://127.0.0.1:1/steal/?page=2';
    const page = { status: 200, headers: JSON_TYPE };
    const { url, received } = await serveAnswers(
      { ...page, body: JSON.stringify({ count: 201, next, previous: null, results }) },
      { ...page, body: JSON.stringify({ count: 200, next: null, previous: null, results: results.slice(199) }) },
    );
    expect(await namesOf(createLatchkey({ baseUrl: url, token: 'a' }).privateTokens.all())).toHaveLength(200);
    expect(received.map(({ path }) => path)).toEqual([
      '/api/v1/auth/private_tokens/?ordering=id&page=1&page_size=200',
      '/api/v1/auth/private_tokens/?ordering=id&page=2&page_size=199',
    ]);
  });

  test('a missing list is an error, not an empty one', async () => {
    const { url } = await serveAnswers({ status: 404, headers: JSON_TYPE, body: '{"detail":"Not here."}' });
    expect(await rejectionOf(namesOf(createLatchkey({ baseUrl: url }).privateTokens.all()))).toMatchObject({
      code: 'not_found',
    });
  });

  test('a list that gives less than it counts is an error instead of an endless loop', async () => {
    const body = '{"count":9,"next":null,"previous":null,"results":[]}';
    const { url } = await serveAnswers({ headers: JSON_TYPE, body });
    const error = await rejectionOf(namesOf(createLatchkey({ baseUrl: url }).privateTokens.all()));
    expect(error.code).toBe('unexpected_answer');
  });

  test('none is lost or repeated whatever is created and revoked between two pages', async () => {
    /** Before the page of the same index is read: how many are created, and which of those listed are revoked. */
    const changes = fc.array(
      fc.record({ created: fc.nat(4), revoked: fc.array(fc.nat(100), { maxLength: 9 }), allSeen: fc.boolean() }),
      { maxLength: 20 },
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(60), changes, async (count, steps) => {
        let lastId = 0;
        const create = (): PrivateToken => ({ id: ++lastId, name: '', expiration_time: '9999-12-31T23:59:59.999Z' });
        let listed = Array.from({ length: count }, create);
        const seen: number[] = [];
        const survivors = new Set(listed.map(({ id }) => id));
        let requests = 0;

        const list = (page: number, pageSize: number) => {
          const step = steps[requests++];
          if (step !== undefined) {
            const revoked = new Set(step.revoked.map((index) => listed[index]?.id));
            listed = listed.filter(({ id }) => !revoked.has(id) && !(step.allSeen && seen.includes(id)));
            for (const id of survivors) if (!listed.some((token) => token.id === id)) survivors.delete(id);
            for (let created = 0; created < step.created; created++) listed.push(create());
          }
          const results = listed.slice((page - 1) * pageSize, page * pageSize);
          if (page > 1 && results.length === 0) {
            return Promise.reject(new LatchkeyError({ code: 'not_found', status: 404, message: 'Invalid page.' }));
          }
          return Promise.resolve({ count: listed.length, next: null, previous: null, results });
        };

        for await (const { id } of allPrivateTokens(list, 11)) seen.push(id);
        expect(seen).toEqual([...new Set(seen)].sort((one, other) => one - other));
        expect([...survivors].filter((id) => !seen.includes(id))).toEqual([]);
        expect(requests).toBeLessThan(80);
      }),
      { numRuns: 2_000 },
    );
  });
});
