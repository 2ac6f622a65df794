import { describe, expect, test } from 'vitest';
import {
  createAccessToken,
  createPrivateToken,
  getAccessToken,
  getMe,
  listAccessTokens,
  listPrivateTokens,
  revokePrivateToken,
} from '../../../generated/index.js';
import { send } from '../../support/http.js';
import { ANY_NUMBER, ANY_STRING, matching, SOME_MESSAGES } from '../../support/matchers.js';
import { expectNoSecret, expectRefusal } from '../../support/refusal.js';
import { answered, type Client, DAY, startService } from '../../support/service.js';
import { shareService } from '../../support/shared.js';

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
  const shared = shareService();

  test('answers 201 with id, name, expiration time and the plaintext, which opens the API', async () => {
    const service = await startService();
    const { client, session } = await service.admin();
    const { data, response } = await createPrivateToken({
      client,
      body: { name: 'deploy bot', expiration_time: NEXT_YEAR },
    });
    expect(response.status).toBe(201);
    expect(data).toEqual({
      id: ANY_NUMBER,
      name: 'deploy bot',
      expiration_time: NEXT_YEAR,
      data: matching(/^lk_pat_[0-9A-Za-z]{36}$/),
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
    const { client } = (await shared()).admin;
    const { id, expiration_time } = await create(client, 'a', sent);
    expect(expiration_time).toBe(stored);
    const { results } = await answered(listPrivateTokens({ client }));
    expect(results.find((token) => token.id === id)).toMatchObject({ expiration_time: stored });
  });

  test.each([
    ['this very instant', '2030-06-15T12:00:00.000Z'],
    ['less than a millisecond ahead', '2030-06-15T12:00:00.0009Z'],
    ['the past', '2025-10-08T16:21:50.095Z'],
    ['the past in a zone whose clocks show the future', '2030-06-15T13:00:00+02:00'],
  ])('refuses an expiration time in %s', async (_, expiration_time) => {
    const { service, admin } = await shared();
    await expectRefusal(
      service,
      () => createPrivateToken({ client: admin.client, body: { name: 'a', expiration_time } }),
      {
        status: 400,
        body: { expiration_time: [ANY_STRING] },
      },
    );
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
  const shared = shareService();
  test.each([
    ['no name', { expiration_time: NEXT_YEAR }, { name: SOME_MESSAGES }],
    ['no expiration time', { name: 'a' }, { expiration_time: SOME_MESSAGES }],
    ['nothing', {}, { name: SOME_MESSAGES, expiration_time: SOME_MESSAGES }],
    ['an empty name', { name: '', expiration_time: NEXT_YEAR }, { name: SOME_MESSAGES }],
    ['a name that is no string', { name: 1, expiration_time: NEXT_YEAR }, { name: SOME_MESSAGES }],
    ['a null expiration time', { name: 'a', expiration_time: null }, { expiration_time: SOME_MESSAGES }],
    [
      'an unknown member',
      { name: 'a', expiration_time: NEXT_YEAR, expiresInDays: 1 },
      { expiresInDays: SOME_MESSAGES },
    ],
    ['a member of the answer', { name: 'a', expiration_time: NEXT_YEAR, id: 7 }, { id: SOME_MESSAGES }],
    ['a list', [], { non_field_errors: SOME_MESSAGES }],
    ['null', null, { non_field_errors: SOME_MESSAGES }],
    ['a string', 'deploy bot', { non_field_errors: SOME_MESSAGES }],
  ])('%s', async (_, json, body) => {
    const { service, admin } = await shared();
    await expectRefusal(service, () => send(service, `POST ${TOKENS}`, { token: admin.token, json }), {
      status: 400,
      body,
    });
  });

  test('a missing body', async () => {
    const { service, admin } = await shared();
    await expectRefusal(service, () => send(service, `POST ${TOKENS}`, { token: admin.token }), {
      status: 400,
      body: { non_field_errors: SOME_MESSAGES },
    });
  });

  test.each([
    ['a truncated object', '{"name": "a"'],
    ['a trailing comma', '{"name": "a",}'],
    ['two values', '{} {}'],
    ['plain text', 'deploy bot'],
  ])('%s, which is no JSON, is a detail', async (_, body) => {
    const { service, admin } = await shared();
    await expectRefusal(service, () => send(service, `POST ${TOKENS}`, { token: admin.token, body }), {
      status: 400,
      body: { detail: ANY_STRING },
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
    const { service, admin } = await shared();
    await expectRefusal(service, () => send(service, `GET ${TOKENS}?${query}`, { token: admin.token }), {
      status: 400,
      body: { [field]: SOME_MESSAGES },
    });
  });

  test.each(['0', '-1', 'abc', '1.0', '1e2', '0x10', '9007199254740992'])('the id %s', async (id) => {
    const { service, admin } = await shared();
    await expectRefusal(service, () => send(service, `DELETE ${TOKENS}${id}/`, { token: admin.token }), {
      status: 400,
      body: { id: SOME_MESSAGES },
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
        body: { detail: ANY_STRING },
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
    expect((await revokePrivateToken({ client: own, path: { id } })).response.status).toBe(204);
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
