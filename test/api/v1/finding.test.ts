import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type AccessToken,
  createAccessToken,
  getAccessToken,
  getMe,
  type ListAccessTokensData,
  listAccessTokens,
  revokeAccessToken,
  updateAccessToken,
} from '../../../generated/index.js';
import { send } from '../../support/http.js';
import { ANY_STRING } from '../../support/matchers.js';
import { expectRefusal } from '../../support/refusal.js';
import { answered, type Client, DAY, MINUTE, type Service, startService } from '../../support/service.js';
import { shareService } from '../../support/shared.js';

type Query = NonNullable<ListAccessTokensData['query']>;

async function create(client: Client, body: Parameters<typeof createAccessToken>[0]['body']) {
  return await answered(createAccessToken({ client, body }));
}

async function find(client: Client, query: Query): Promise<AccessToken[]> {
  return (await answered(listAccessTokens({ client, query }))).items;
}

async function namesOf(client: Client, query: Query): Promise<string[]> {
  return (await find(client, { tokenType: 'pat', ...query })).map(({ name }) => name);
}

/** All pages, by so many rows. */
async function walk(client: Client, query: Query, between?: (page: number) => unknown) {
  const found: AccessToken[] = [];
  let cursor: string | null | undefined;
  for (let page = 1; cursor !== null; page++) {
    const { items, nextCursor } = await answered(
      listAccessTokens({ client, query: { ...query, ...(cursor !== undefined && { cursor }) } }),
    );
    found.push(...items);
    cursor = nextCursor;
    if (cursor !== null) await between?.(page);
  }
  return found;
}

describe('a filter', () => {
  // A day apart each, the last two days ago.
  const shared = shareService(async (service) => {
    service.clock.set('2030-06-01T12:00:00Z');
    // A session lives for an hour.
    const fresh = async () => (await service.admin()).client;
    const add = async (body: Parameters<typeof create>[1]) => {
      const made = await create(await fresh(), body);
      service.clock.advance(DAY);
      return made;
    };
    await add({ name: 'never ends', description: 'Ships 100% of main.' });
    const used = await add({ name: 'used_once', scopes: ['tokens:read', 'invoices:send'] });
    await getMe({ client: service.as(used.plaintext) });
    await add({ name: 'over', expiresInDays: 1, scopes: ['invoices:send'] });
    await add({ name: 'soon over', expiresInDays: 9 });
    const disabled = await add({ name: 'Stopped' });
    const path = { token_id: disabled.token.id };
    await answered(updateAccessToken({ client: await fresh(), path, body: { disabled: true } }));
    const revoked = await add({ name: 'revoked', scopes: [] });
    await revokeAccessToken({ client: await fresh(), path: { token_id: revoked.token.id } });
    await service.restart();
    service.clock.advance(2 * DAY);
    const person = await service.admin();
    return { client: person.client, used, token: person.token };
  });

  test.each<[string, Query, string[]]>([
    ['nothing', {}, ['Stopped', 'soon over', 'over', 'used_once', 'never ends']],
    ['active', { state: 'active' }, ['soon over', 'used_once', 'never ends']],
    ['expiring', { state: 'expiring' }, ['soon over']],
    ['expired', { state: 'expired' }, ['over']],
    ['disabled', { state: 'disabled' }, ['Stopped']],
    ['revoked', { state: 'revoked' }, ['revoked']],
    [
      'active, though revoked ones are asked for',
      { state: 'active', includeRevoked: true },
      ['soon over', 'used_once', 'never ends'],
    ],
    ['a part of the name in another case', { q: 'STOP' }, ['Stopped']],
    ['a part of the description', { q: 'ships 100%' }, ['never ends']],
    ['% as it stands', { q: '%' }, ['never ends']],
    ['_ as it stands', { q: 'd_o' }, ['used_once']],
    ['a scope', { scope: 'invoices:send' }, ['over', 'used_once']],
    ['a part of a scope', { scope: 'invoices' }, []],
    ['created after', { createdAfter: '2030-06-04T12:00:00Z' }, ['Stopped']],
    ['created before', { createdBefore: '2030-06-02T12:00:00Z' }, ['never ends']],
    [
      'created between, in another zone',
      { createdAfter: '2030-06-01T14:00:00+02:00', createdBefore: '2030-06-03T14:00:00.001+02:00' },
      ['over', 'used_once'],
    ],
    ['expires before', { expiresBefore: '2030-06-05T00:00:00Z' }, ['over']],
    ['expires after', { expiresAfter: '2030-06-05T00:00:00Z' }, ['soon over']],
    ['last used after', { lastUsedAfter: '2030-06-01T00:00:00Z' }, ['used_once']],
    ['last used before', { lastUsedBefore: '2030-07-01T00:00:00Z' }, ['used_once']],
    ['never used', { neverUsed: true }, ['Stopped', 'soon over', 'over', 'never ends']],
    ['used', { neverUsed: false }, ['used_once']],
    ['two at once', { neverUsed: true, state: 'active' }, ['soon over', 'never ends']],
    ['two that nothing fits', { scope: 'invoices:send', q: 'never' }, []],
  ])('%s keeps the right ones', async (_, query, names) => {
    const { made } = await shared();
    expect(await namesOf(made.client, query)).toEqual(names);
  });

  test('a prefix finds its token', async () => {
    const { made } = await shared();
    const q = made.used.token.tokenPrefix;
    expect(await namesOf(made.client, { q })).toEqual(['used_once']);
  });

  test.each<[Query['sort'], string[]]>([
    ['createdAt', ['never ends', 'used_once', 'over', 'soon over', 'Stopped']],
    ['-createdAt', ['Stopped', 'soon over', 'over', 'used_once', 'never ends']],
    ['name', ['Stopped', 'never ends', 'over', 'soon over', 'used_once']],
    ['-name', ['used_once', 'soon over', 'over', 'never ends', 'Stopped']],
    ['expiresAt', ['over', 'soon over', 'never ends', 'used_once', 'Stopped']],
    ['-expiresAt', ['Stopped', 'used_once', 'never ends', 'soon over', 'over']],
    ['lastUsedAt', ['never ends', 'over', 'soon over', 'Stopped', 'used_once']],
    ['-lastUsedAt', ['used_once', 'Stopped', 'soon over', 'over', 'never ends']],
  ])('the order by %s is the same in one page and in many', async (sort, names) => {
    const { made } = await shared();
    const query: Query = { tokenType: 'pat', ...(sort && { sort }) };
    expect(await namesOf(made.client, query)).toEqual(names);
    const walked = await walk(made.client, { ...query, limit: 1 });
    expect(walked.map(({ name }) => name)).toEqual(names);
  });

  test('a cursor belongs to its owner, filter and order', async () => {
    const { service, made } = await shared();
    const { nextCursor } = await answered(listAccessTokens({ client: made.client, query: { limit: 1 } }));
    const others: string[] = [
      'sort=name',
      'sort=createdAt',
      'q=o',
      'state=active',
      'scope=a',
      'neverUsed=true',
      'neverUsed=false',
      'createdAfter=2030-06-01T00:00:00Z',
      'createdBefore=2030-07-01T00:00:00Z',
      'expiresAfter=2030-06-01T00:00:00Z',
      'lastUsedBefore=2030-07-01T00:00:00Z',
      'includeRevoked=true',
      'tokenType=pat',
      `owner=${String((await service.newUser()).session.id)}`,
    ];
    for (const other of others) {
      const line = `GET /api/v1/access-tokens?cursor=${String(nextCursor)}&${other}` as const;
      await expectRefusal(service, () => send(service, line, { token: made.token }), {
        status: 422,
        body: { detail: [{ loc: ['query', 'cursor'], msg: ANY_STRING, type: 'invalid_cursor' }] },
      });
    }
    const again = `GET /api/v1/access-tokens?cursor=${String(nextCursor)}&limit=200&sort=-createdAt` as const;
    expect((await send(service, again, { token: made.token })).status).toBe(200);
  });

  test.each([
    ['q=', 'q', 'string_too_short'],
    [`q=${'x'.repeat(256)}`, 'q', 'string_too_long'],
    ['state=dead', 'state', 'enum'],
    ['scope=a%20b', 'scope', 'string_pattern_mismatch'],
    ['createdAfter=2030-06-01', 'createdAfter', 'string_too_short'],
    ['createdAfter=2030-06-01T00:00:00.000', 'createdAfter', 'datetime_parsing'],
    ['lastUsedBefore=2030-06-31T00:00:00Z', 'lastUsedBefore', 'datetime_parsing'],
    ['neverUsed=1', 'neverUsed', 'bool_parsing'],
    ['neverUsed=', 'neverUsed', 'bool_parsing'],
    ['sort=revokedAt', 'sort', 'enum'],
    ['sort=digest', 'sort', 'enum'],
    ['owner=0', 'owner', 'greater_than_equal'],
    ['owner=1e1', 'owner', 'int_parsing'],
    ['externalOwner=', 'externalOwner', 'string_too_short'],
    ['externalOwner=..', 'externalOwner', 'string_pattern_mismatch'],
    ['externalOwner=cus_42&owner=2', 'externalOwner', 'value_error'],
    ['state=active&state=expired', 'state', 'repeated'],
  ])('%s is refused by its name', async (query, field, type) => {
    const { service, made } = await shared();
    const line = `GET /api/v1/access-tokens?${query}` as const;
    await expectRefusal(service, () => send(service, line, { token: made.token }), {
      status: 422,
      body: { detail: [{ loc: ['query', field], msg: ANY_STRING, type }] },
    });
  });
});

test('what depends on the time goes by that of the first page', async () => {
  const service = await startService();
  const { client } = await service.admin();
  for (let count = 0; count < 4; count++) await create(client, { name: String(count), expiresInDays: 1 });
  service.clock.advance(DAY - MINUTE);
  const { client: again } = await service.admin();
  const found = await walk(again, { tokenType: 'pat', state: 'active', limit: 1 }, (page) => {
    if (page === 2) service.clock.advance(2 * MINUTE);
  });
  expect(found).toHaveLength(4);
});

describe('pages, while others write', () => {
  const SORTS = [
    'createdAt',
    '-createdAt',
    'name',
    '-name',
    'expiresAt',
    '-expiresAt',
    'lastUsedAt',
    '-lastUsedAt',
  ] as const;
  const change = fc.record({
    kind: fc.constantFrom('create', 'revoke', 'use', 'rename', 'extend'),
    on: fc.nat(),
    name: fc.string({ unit: fc.constantFrom('a', 'b', 'Z', 'é', '🔑', ' x'), minLength: 1, maxLength: 4 }),
    days: fc.option(fc.integer({ min: 1, max: 365 })),
  });

  test('neither lose nor repeat a row that stays where it is', async () => {
    const service = await startService();
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...SORTS),
        fc.integer({ min: 1, max: 4 }),
        fc.array(change, { minLength: 3, maxLength: 10 }),
        fc.array(fc.array(change, { maxLength: 3 }), { minLength: 1, maxLength: 6 }),
        async (sort, limit, before, during) => {
          const { client } = await service.newUser(`${String(Math.random())}@example.org`);
          const known: { id: string; plaintext: string }[] = [];
          const moved = new Set<string>();
          for (const step of before) await apply(service, client, known, step);
          const stable = new Set(known.map(({ id }) => id));
          const found = await walk(client, { tokenType: 'pat', includeRevoked: true, sort, limit }, async (page) => {
            // A list that grows as fast as it is read has no end.
            if (page > 20) return;
            for (const step of during[page % during.length] ?? []) {
              const touched = await apply(service, client, known, step);
              if (touched !== undefined) moved.add(touched);
            }
          });
          const counts = new Map<string, number>();
          for (const { id } of found) counts.set(id, (counts.get(id) ?? 0) + 1);
          for (const id of stable) if (!moved.has(id)) expect(counts.get(id), sort).toBe(1);
          for (const [id, count] of counts) if (!moved.has(id)) expect(count, sort).toBe(1);
          // By when they were created, nothing ever moves.
          if (sort.endsWith('createdAt')) expect(Math.max(...counts.values(), 0)).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 30 },
    );
  }, 120_000);

  /** Gives the id of a token that was there and has changed. */
  async function apply(
    service: Service,
    client: Client,
    known: { id: string; plaintext: string }[],
    { kind, on, name, days }: { kind: string; on: number; name: string; days: number | null },
  ): Promise<string | undefined> {
    service.clock.advance(1);
    const target = known[on % Math.max(1, known.length)];
    if (kind === 'create' || target === undefined) {
      const { plaintext, token } = await create(client, { name, expiresInDays: days });
      known.push({ id: token.id, plaintext });
      return undefined;
    }
    const path = { token_id: target.id };
    if (kind === 'revoke') await revokeAccessToken({ client, path });
    if (kind === 'rename') await updateAccessToken({ client, path, body: { name } });
    if (kind === 'extend') await updateAccessToken({ client, path, body: { expiresInDays: days } });
    if (kind === 'use') {
      service.clock.advance(MINUTE / 2);
      await getMe({ client: service.as(target.plaintext) });
    }
    return target.id;
  }
});

describe('an administrator', () => {
  test("lists, fetches and revokes another owner's tokens, and nobody else does", async () => {
    const service = await startService();
    const admin = await service.admin();
    const ada = await service.newUser();
    const eve = await service.newUser();
    const { token } = await create(ada.client, { name: 'of ada' });
    const owner = ada.session.id;
    const path = { token_id: token.id };
    expect(await namesOf(admin.client, { owner })).toEqual(['of ada']);
    expect(await namesOf(ada.client, { owner })).toEqual(['of ada']);
    expect(await answered(getAccessToken({ client: admin.client, path, query: { owner } }))).toEqual(token);
    expect((await getAccessToken({ client: admin.client, path })).response.status).toBe(404);

    const refusal = {
      status: 403,
      body: {
        detail: 'The token lacks a scope: tokens:act-as, or users:admin for the tokens of a person.',
        code: 'insufficient_scope',
      },
    };
    await expectRefusal(service, () => listAccessTokens({ client: eve.client, query: { owner } }), refusal);
    await expectRefusal(service, () => getAccessToken({ client: eve.client, path, query: { owner } }), refusal);
    await expectRefusal(service, () => revokeAccessToken({ client: eve.client, path, query: { owner } }), refusal);
    const narrow = await create(admin.client, { name: 'a', scopes: ['tokens:read', 'tokens:write'] });
    const client = service.as(narrow.plaintext);
    await expectRefusal(service, () => listAccessTokens({ client, query: { owner } }), refusal);

    const unknown = { status: 404, body: { detail: 'No such owner.', code: 'owner_not_found' } };
    await expectRefusal(service, () => listAccessTokens({ client: admin.client, query: { owner: 4_711 } }), unknown);
    await revokeAccessToken({ client: admin.client, path, query: { owner } });
    expect((await answered(getAccessToken({ client: ada.client, path }))).revokedAt).not.toBeNull();
  });
});
