import { describe, expect, test } from 'vitest';
import {
  createAccessToken,
  createPrivateToken,
  getAccessToken,
  getMe,
  listAccessTokens,
  listPrivateTokens,
  revokeAccessToken,
  revokePrivateToken,
} from '../../../client/index.js';
import { send } from '../../support/http.js';
import { expectNoSecret, expectRefusal } from '../../support/refusal.js';
import { answered, type Client, DAY, startService } from '../../support/service.js';

const NEXT_YEAR = '2031-06-15T12:00:00.000Z';
const TOKENS = '/api/v1/auth/private_tokens/';

async function create(client: Client, name: string, expiration_time = NEXT_YEAR) {
  return await answered(createPrivateToken({ client, body: { name, expiration_time } }));
}

type ListQuery = NonNullable<Parameters<typeof listPrivateTokens>[0]>['query'];

async function names(client: Client, query: ListQuery = {}): Promise<string[]> {
  const { results } = await answered(listPrivateTokens({ client, query }));
  return results.map(({ name }) => name);
}

describe('creating', () => {
  test('answers 201 with id, name, expiration time and the plaintext, which opens the API', async () => {
    const service = await startService();
    const { client, session } = await service.admin();
    const { data, response } = await createPrivateToken({
      client,
      body: { name: 'deploy bot', expiration_time: NEXT_YEAR },
    });
    expect(response?.status).toBe(201);
    expect(data).toEqual({
      id: expect.any(Number),
      name: 'deploy bot',
      expiration_time: NEXT_YEAR,
      data: expect.stringMatching(/^lk_pat_[0-9A-Za-z]{36}$/),
    });
    const me = await answered(getMe({ client: service.as(data?.data ?? '') }));
    expect(me).toMatchObject({ session: { tokenType: 'pat', sessionId: null }, user: { id: session.id } });
  });

  test('shows the plaintext in that one answer and nowhere else', async () => {
    const service = await startService();
    const { client, token } = await service.admin();
    const { data: plaintext } = await create(client, 'deploy bot');
    const listed = await send(service, `GET ${TOKENS}`, { token });
    expect(listed.text).toContain('deploy bot');
    await expectNoSecret(service, listed, [plaintext]);
  });

  test.each([
    ['a zone ahead of UTC', '2031-01-01T02:30:00+02:30', '2031-01-01T00:00:00.000Z'],
    ['a zone behind UTC', '2030-12-31T19:00:00.5-05:00', '2031-01-01T00:00:00.500Z'],
    ['more digits than milliseconds', '2031-01-01T00:00:00.1239999Z', '2031-01-01T00:00:00.123Z'],
    ['whole seconds', '2031-01-01T00:00:00Z', '2031-01-01T00:00:00.000Z'],
    ['one millisecond ahead', '2030-06-15T12:00:00.001Z', '2030-06-15T12:00:00.001Z'],
    ['the last day of RFC 3339', '9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ])('answers %s in UTC, to the millisecond', async (_, sent, stored) => {
    const { admin } = await startService();
    const { client } = await admin();
    expect((await create(client, 'a', sent)).expiration_time).toBe(stored);
    const { results } = await answered(listPrivateTokens({ client }));
    expect(results).toMatchObject([{ expiration_time: stored }]);
  });

  test.each([
    ['this very instant', '2030-06-15T12:00:00.000Z'],
    ['less than a millisecond ahead', '2030-06-15T12:00:00.0009Z'],
    ['the past', '2025-10-08T16:21:50.095Z'],
    ['the past in a zone whose clocks show the future', '2030-06-15T13:00:00+02:00'],
  ])('refuses an expiration time in %s', async (_, expiration_time) => {
    const service = await startService();
    const { client } = await service.admin();
    await expectRefusal(service, () => createPrivateToken({ client, body: { name: 'a', expiration_time } }), {
      status: 400,
      body: { expiration_time: [expect.any(String)] },
    });
  });

  test('gives equal names to different tokens', async () => {
    const { admin } = await startService();
    const { client } = await admin();
    const [first, second] = [await create(client, 'twin'), await create(client, 'twin')];
    expect(second.id).not.toBe(first.id);
    expect(second.data).not.toBe(first.data);
    expect(await names(client)).toEqual(['twin', 'twin']);
  });

  test('gives a token that opens nothing from its expiration time on', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { data: token } = await create(client, 'short', '2030-06-15T12:00:01.000Z');
    service.clock.set('2030-06-15T12:00:00.999Z');
    expect((await send(service, `GET ${TOKENS}`, { token })).status).toBe(200);
    service.clock.set('2030-06-15T12:00:01.000Z');
    await expectRefusal(service, () => send(service, `GET ${TOKENS}`, { token }), { status: 401 });
  });
});

describe('bad input is 400 with messages by field', () => {
  const messages = [expect.any(String)];
  test.each([
    ['no name', { expiration_time: NEXT_YEAR }, { name: messages }],
    ['no expiration time', { name: 'a' }, { expiration_time: messages }],
    ['nothing', {}, { name: messages, expiration_time: messages }],
    ['an empty name', { name: '', expiration_time: NEXT_YEAR }, { name: messages }],
    ['a name that is no string', { name: 1, expiration_time: NEXT_YEAR }, { name: messages }],
    ['a null expiration time', { name: 'a', expiration_time: null }, { expiration_time: messages }],
    ['an unknown member', { name: 'a', expiration_time: NEXT_YEAR, expiresInDays: 1 }, { expiresInDays: messages }],
    ['a member of the answer', { name: 'a', expiration_time: NEXT_YEAR, id: 7 }, { id: messages }],
    ['a list', [], { non_field_errors: messages }],
    ['null', null, { non_field_errors: messages }],
    ['a string', 'deploy bot', { non_field_errors: messages }],
  ])('%s', async (_, json, body) => {
    const service = await startService();
    const { token } = await service.admin();
    await expectRefusal(service, () => send(service, `POST ${TOKENS}`, { token, json }), { status: 400, body });
  });

  test('a missing body', async () => {
    const service = await startService();
    const { token } = await service.admin();
    await expectRefusal(service, () => send(service, `POST ${TOKENS}`, { token }), {
      status: 400,
      body: { non_field_errors: messages },
    });
  });

  test.each([
    ['a truncated object', '{"name": "a"'],
    ['a trailing comma', '{"name": "a",}'],
    ['two values', '{} {}'],
    ['plain text', 'deploy bot'],
  ])('%s, which is no JSON, is a detail', async (_, body) => {
    const service = await startService();
    const { token } = await service.admin();
    await expectRefusal(service, () => send(service, `POST ${TOKENS}`, { token, body }), {
      status: 400,
      body: { detail: expect.any(String) },
      secrets: [body],
    });
  });

  test.each([
    ['another ordering', 'ordering=digest', 'ordering'],
    ['an ordering in another case', 'ordering=NAME', 'ordering'],
    ['two minuses', 'ordering=--id', 'ordering'],
    ['two orderings', 'ordering=name,id', 'ordering'],
    ['an empty ordering', 'ordering=', 'ordering'],
    ['page 0', 'page=0', 'page'],
    ['a negative page', 'page=-1', 'page'],
    ['an empty page', 'page_size=0', 'page_size'],
    ['a page of 201', 'page_size=201', 'page_size'],
    ['an unknown parameter', 'search=bot', 'search'],
    ['a parameter of the other surface', 'limit=5', 'limit'],
  ])('%s in the query', async (_, query, field) => {
    const service = await startService();
    const { token } = await service.admin();
    await expectRefusal(service, () => send(service, `GET ${TOKENS}?${query}`, { token }), {
      status: 400,
      body: { [field]: messages },
    });
  });

  test.each(['0', '-1', 'abc', '1.0', '1e2', '0x10', '9007199254740992'])('the id %s', async (id) => {
    const service = await startService();
    const { token } = await service.admin();
    await expectRefusal(service, () => send(service, `DELETE ${TOKENS}${id}/`, { token }), {
      status: 400,
      body: { id: messages },
    });
  });
});

describe('listing', () => {
  test('gives id, name and expiration time of each token, the newest first', async () => {
    const { admin } = await startService();
    const { client } = await admin();
    const [a, b] = [await create(client, 'a'), await create(client, 'b')];
    expect(await answered(listPrivateTokens({ client }))).toEqual({
      count: 2,
      next: null,
      previous: null,
      results: [b, a].map(({ data: _, ...listed }) => listed),
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
      { id: expect.any(Number), name: 'immortal', expiration_time: null },
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

  test.each([
    ['id', ['beta', 'alpha', 'gamma']],
    ['-id', ['gamma', 'alpha', 'beta']],
    ['name', ['alpha', 'beta', 'gamma']],
    ['-name', ['gamma', 'beta', 'alpha']],
    ['expiration_time', ['gamma', 'beta', 'alpha']],
    ['-expiration_time', ['alpha', 'beta', 'gamma']],
  ] as const)('orders by %s', async (ordering, expected) => {
    const { admin } = await startService();
    const { client } = await admin();
    await create(client, 'beta', '2032-01-01T00:00:00Z');
    await create(client, 'alpha', '2033-01-01T00:00:00Z');
    await create(client, 'gamma', '2031-01-01T00:00:00Z');
    expect(await names(client, { ordering })).toEqual(expected);
  });

  test.each(['name', '-name', 'expiration_time', '-expiration_time'] as const)(
    'breaks ties of %s by id, so that pages neither repeat nor lose a token',
    async (ordering) => {
      const { admin } = await startService();
      const { client } = await admin();
      const created = [];
      for (let i = 0; i < 5; i++) created.push((await create(client, 'tie')).id);
      const paged = [];
      for (let page = 1; page <= 5; page++) {
        const { results } = await answered(listPrivateTokens({ client, query: { ordering, page, page_size: 1 } }));
        paged.push(...results.map(({ id }) => id));
      }
      expect([created, created.toReversed()]).toContainEqual(paged);
    },
  );

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
  ])('finds by %s in the name alone', async (_, q, expected) => {
    const { admin } = await startService();
    const { client } = await admin();
    for (const name of ['Deploy bot', 'snake_case', 'back\\slash', 'ärger 100%']) await create(client, name);
    const page = await answered(listPrivateTokens({ client, query: { q } }));
    expect(page.results.map(({ name }) => name)).toEqual(expected);
    expect(page.count).toBe(expected.length);
  });
});

describe('paging', () => {
  test('has 50 tokens on a page unless asked otherwise, and up to 200', async () => {
    const { admin } = await startService();
    const { client } = await admin();
    await Promise.all(Array.from({ length: 51 }, (_, i) => create(client, `token ${String(i)}`)));
    const first = await answered(listPrivateTokens({ client }));
    expect(first.results).toHaveLength(50);
    expect(first).toMatchObject({ count: 51, previous: null, next: expect.stringContaining('page=2') });
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
      const page = (await response.json()) as NonNullable<Awaited<ReturnType<typeof listPrivateTokens>>['data']>;
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

  test.each([
    ['the page past the last', 'page=3&page_size=1'],
    ['a page far past the last', 'page=9007199254740991&page_size=200'],
    ['page 2 of nothing', 'page=2&q=nothing'],
  ])('%s is 404', async (_, query) => {
    const service = await startService();
    const { client, token } = await service.admin();
    for (const name of ['a', 'b']) await create(client, name);
    await expectRefusal(service, () => send(service, `GET ${TOKENS}?${query}`, { token }), {
      status: 404,
      body: { detail: 'Invalid page.' },
    });
  });
});

describe('revoking', () => {
  test('answers 204 without a body; from then on the token opens nothing and has left the list', async () => {
    const service = await startService();
    const { client, token } = await service.admin();
    const { id, data: revoked } = await create(client, 'revoked');
    await create(client, 'kept');
    const answer = await send(service, `DELETE ${TOKENS}${String(id)}/`, { token });
    expect(answer).toMatchObject({ status: 204, text: '' });
    await expectRefusal(service, () => getMe({ client: service.as(revoked) }), { status: 401 });
    expect(await names(client)).toEqual(['kept']);
  });

  test('shows on the other surface, at the instant of the call', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { id } = await create(client, 'a');
    service.clock.set('2030-06-15T12:30:00.250Z');
    await revokePrivateToken({ client, path: { id } });
    const { items } = await answered(listAccessTokens({ client, query: { tokenType: 'pat', includeRevoked: true } }));
    expect(items).toMatchObject([{ name: 'a', revokedAt: '2030-06-15T12:30:00.250Z' }]);
    const token_id = items[0]?.id ?? '';
    expect(await answered(getAccessToken({ client, path: { token_id } }))).toEqual(items[0]);
  });

  test('works on what the other surface created', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { plaintext } = await answered(createAccessToken({ client, body: { name: 'a' } }));
    const { results } = await answered(listPrivateTokens({ client }));
    await revokePrivateToken({ client, path: { id: results[0]?.id ?? 0 } });
    await expectRefusal(service, () => getMe({ client: service.as(plaintext) }), { status: 401 });
  });

  test('a second time is 404, like an id that never was', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { id } = await create(client, 'a');
    await revokePrivateToken({ client, path: { id } });
    service.clock.advance(DAY / 48);
    const refusals = [id, id + 1].map((each) =>
      expectRefusal(service, () => revokePrivateToken({ client, path: { id: each } }), {
        status: 404,
        body: { detail: expect.any(String) },
      }),
    );
    const [again, never] = await Promise.all(refusals);
    expect(again?.body).toEqual(never?.body);
  });

  test('is 404 for the id of a session, which is no private token', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { id } = await create(client, 'a');
    // The session was created right before, from the same sequence.
    await expectRefusal(service, () => revokePrivateToken({ client, path: { id: id - 1 } }), { status: 404 });
    expect((await answered(getMe({ client }))).session.tokenType).toBe('session');
  });

  test('works for the token in use', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { id, data } = await create(client, 'a');
    const own = service.as(data);
    expect((await revokePrivateToken({ client: own, path: { id } })).response?.status).toBe(204);
    await expectRefusal(service, () => revokePrivateToken({ client: own, path: { id } }), { status: 401 });
  });

  test('never frees an id, not even over a restart', async () => {
    const service = await startService();
    const { client, token } = await service.admin();
    const { id } = await create(client, 'a');
    await revokePrivateToken({ client, path: { id } });
    await service.restart();
    expect((await create(service.as(token), 'b')).id).toBeGreaterThan(id);
  });
});
