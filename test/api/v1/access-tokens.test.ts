import { describe, expect, test, vi } from 'vitest';
import {
  createAccessToken,
  createPrivateToken,
  getAccessToken,
  getMe,
  listAccessTokens,
  revokeAccessToken,
  revokeAllAccessTokens,
} from '../../../generated/index.js';
import { createCountingDatabase } from '../../support/counting-database.js';
import { send } from '../../support/http.js';
import { ANY_STRING, ANY_UUID, matching } from '../../support/matchers.js';
import { expectNoSecret, expectRefusal } from '../../support/refusal.js';
import { answered, type Client, DAY, MINUTE, SECOND, startService } from '../../support/service.js';
import { shareService } from '../../support/shared.js';

const TOKENS = '/api/v1/access-tokens';
const NOW = '2030-06-15T12:00:00.000Z';

async function create(client: Client, name: string, expiresInDays?: number | null) {
  const body = { name, ...(expiresInDays !== undefined && { expiresInDays }) };
  return await answered(createAccessToken({ client, body }));
}

function get(client: Client, token_id: string) {
  return answered(getAccessToken({ client, path: { token_id } }));
}

function revoke(client: Client, token_id: string) {
  return revokeAccessToken({ client, path: { token_id } });
}

/** A problem as the contract states it, at this place and of this type. */
function problem(loc: string[], type: unknown) {
  return { loc, msg: ANY_STRING, type };
}

describe('creating', () => {
  const shared = shareService();

  test('answers 201 with the plaintext, the token and where it is', async () => {
    const { service, admin } = await shared();
    const { data, response } = await createAccessToken({ client: admin.client, body: { name: 'deploy bot' } });
    expect(response.status).toBe(201);
    expect(data).toEqual({
      plaintext: matching(/^lk_pat_[0-9A-Za-z]{36}$/),
      token: {
        id: ANY_UUID,
        name: 'deploy bot',
        description: '',
        metadata: {},
        scopes: ['tokens:read', 'tokens:verify', 'tokens:write'],
        disabled: false,
        previousSecret: null,
        tokenPrefix: data?.plaintext.slice(0, 12),
        tokenType: 'pat',
        createdAt: NOW,
        expiresAt: null,
        lastUsedAt: null,
        revokedAt: null,
      },
    });
    const location = response.headers.get('Location') ?? '';
    expect(location).toBe(`${TOKENS}/${data?.token.id ?? ''}`);
    expect((await send(service, `GET ${location}`, { token: admin.token })).body).toEqual(data?.token);
    expect((await answered(getMe({ client: service.as(data?.plaintext ?? '') }))).user.email).toBe(admin.email);
  });

  test('shows the plaintext in that one answer and nowhere else', async () => {
    const { service, admin } = await shared();
    const { plaintext, token } = await create(admin.client, 'quiet');
    for (const path of [TOKENS, `${TOKENS}/${token.id}`]) {
      const shown = await send(service, `GET ${path}`, { token: admin.token });
      expect(shown.text).toContain('quiet');
      await expectNoSecret(service, shown, [plaintext]);
    }
  });

  test.each([
    ['one day', 1, '2030-06-16T12:00:00.000Z'],
    ['365 days', 365, '2031-06-15T12:00:00.000Z'],
    ['no expiry by null', null, null],
    ['no expiry by absence', undefined, null],
  ])('lets the token live for %s', async (_, expiresInDays, expiresAt) => {
    const { client } = (await shared()).admin;
    const { token } = await create(client, 'a', expiresInDays);
    expect(token.expiresAt).toBe(expiresAt);
    expect(await get(client, token.id)).toEqual(token);
  });

  test('gives equal names to different tokens', async () => {
    const { client } = (await shared()).admin;
    const [first, second] = [await create(client, 'twin'), await create(client, 'twin')];
    expect(second.token.id).not.toBe(first.token.id);
    expect(second.plaintext).not.toBe(first.plaintext);
  });

  test('gives a token that opens nothing from its expiry on, yet is shown', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { plaintext, token } = await create(client, 'short', 1);
    const witness = service.as((await create(client, 'lasting')).plaintext);
    service.clock.advance(DAY - 1);
    expect((await answered(getMe({ client: service.as(plaintext) }))).session.tokenType).toBe('pat');
    service.clock.advance(1);
    await expectRefusal(service, () => getMe({ client: service.as(plaintext) }), { status: 401 });
    expect(await get(witness, token.id)).toMatchObject({ expiresAt: token.expiresAt, revokedAt: null });
  });
});

describe('bad input is 422 with loc, msg and type', () => {
  const shared = shareService();

  test.each([
    ['no name', {}, [problem(['body', 'name'], 'missing')]],
    ['an empty name', { name: '' }, [problem(['body', 'name'], 'string_too_short')]],
    ['a name of 256', { name: 'a'.repeat(256) }, [problem(['body', 'name'], 'string_too_long')]],
    ['a name that is no string', { name: 7 }, [problem(['body', 'name'], 'string_type')]],
    ['a null name', { name: null }, [problem(['body', 'name'], 'string_type')]],
    ['0 days', { name: 'a', expiresInDays: 0 }, [problem(['body', 'expiresInDays'], 'greater_than_equal')]],
    ['366 days', { name: 'a', expiresInDays: 366 }, [problem(['body', 'expiresInDays'], 'less_than_equal')]],
    ['one and a half days', { name: 'a', expiresInDays: 1.5 }, [problem(['body', 'expiresInDays'], ANY_STRING)]],
    ['days as text', { name: 'a', expiresInDays: '30' }, [problem(['body', 'expiresInDays'], 'int_type')]],
    ['days as a flag', { name: 'a', expiresInDays: true }, [problem(['body', 'expiresInDays'], 'int_type')]],
    ['a misspelt member', { name: 'a', expireInDays: 1 }, [problem(['body', 'expireInDays'], 'extra_forbidden')]],
    [
      'a member of the answer',
      { name: 'a', tokenType: 'session' },
      [problem(['body', 'tokenType'], 'extra_forbidden')],
    ],
    [
      'a member of the other surface',
      { name: 'a', expires_at: 1 },
      [problem(['body', 'expires_at'], 'extra_forbidden')],
    ],
    ['a list', [], [problem(['body'], 'object_type')]],
    ['null', null, [problem(['body'], 'object_type')]],
    [
      'two problems',
      { expiresInDays: 0 },
      expect.arrayContaining([
        problem(['body', 'name'], 'missing'),
        problem(['body', 'expiresInDays'], 'greater_than_equal'),
      ]),
    ],
  ])('%s', async (_, json, detail: unknown) => {
    const { service, admin } = await shared();
    await expectRefusal(service, () => send(service, `POST ${TOKENS}`, { token: admin.token, json }), {
      status: 422,
      body: { detail },
    });
  });

  test('a missing body', async () => {
    const { service, admin } = await shared();
    await expectRefusal(service, () => send(service, `POST ${TOKENS}`, { token: admin.token }), {
      status: 422,
      body: { detail: [problem(['body'], 'missing')] },
    });
  });

  test.each([
    ['a truncated object', '{"name": "a"'],
    ['plain text', 'deploy bot'],
  ])('%s, which is no JSON, has the type json_invalid', async (_, body) => {
    const { service, admin } = await shared();
    await expectRefusal(service, () => send(service, `POST ${TOKENS}`, { token: admin.token, body }), {
      status: 422,
      body: { detail: [problem(['body'], 'json_invalid')] },
      secrets: [body],
    });
  });

  test.each([
    'abc',
    '0',
    '497f6eca627649 93bfeb53cbbbba6f08'.replace(' ', ''),
    '%7B497f6eca-6276-4993-bfeb-53cbbbba6f08%7D',
    'urn:uuid:497f6eca-6276-4993-bfeb-53cbbbba6f08',
    '497f6eca-6276-4993-bfeb-53cbbbba6f0g',
    '497f6eca-6276-4993-bfeb-53cbbbba6f08%20',
  ])('the id %s', async (id) => {
    const { service, admin } = await shared();
    for (const method of ['GET', 'DELETE']) {
      await expectRefusal(service, () => send(service, `${method} ${TOKENS}/${id}`, { token: admin.token }), {
        status: 422,
        body: { detail: [problem(['path', 'token_id'], ANY_STRING)] },
      });
    }
  });

  test.each([
    ['an unknown parameter', 'includerevoked=true', ['includerevoked']],
    ['a parameter of the other surface', 'page=2', ['page']],
    ['another token type', 'tokenType=ref', ['tokenType']],
    ['a token type in another case', 'tokenType=PAT', ['tokenType']],
    ['an empty token type', 'tokenType=', ['tokenType']],
    ['a limit of 0', 'limit=0', ['limit']],
    ['a limit of 201', 'limit=201', ['limit']],
    ['a negative limit', 'limit=-1', ['limit']],
    ['several at once', 'limit=0&includeRevoked=1&x=1', ['limit', 'includeRevoked', 'x']],
  ])('%s in the query', async (_, query, parameters) => {
    const { service, admin } = await shared();
    const { body } = await expectRefusal(
      service,
      () => send(service, `GET ${TOKENS}?${query}`, { token: admin.token }),
      { status: 422 },
    );
    const { detail } = body as { detail: { loc: string[] }[] };
    expect(detail.map(({ loc }) => loc).sort()).toEqual(parameters.map((name) => ['query', name]).sort());
  });
});

describe('getting one', () => {
  test('gives a revoked token with its revokedAt', async () => {
    const { admin, clock } = await startService();
    const { client } = await admin();
    const { token } = await create(client, 'a');
    clock.advance(MINUTE);
    await revoke(client, token.id);
    expect(await get(client, token.id)).toEqual({ ...token, revokedAt: '2030-06-15T12:01:00.000Z' });
  });

  test('gives the session in use, by its uuid in any case', async () => {
    const { admin } = await startService();
    const { client, token: plaintext } = await admin();
    const { session } = await answered(getMe({ client }));
    expect(await get(client, session.sessionId?.toUpperCase() ?? '')).toMatchObject({
      id: session.sessionId,
      tokenType: 'session',
      tokenPrefix: plaintext.slice(0, 12),
      expiresAt: '2030-06-15T13:00:00.000Z',
    });
  });

  test('is 404 for a uuid that never was', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const token_id = '497f6eca-6276-4993-bfeb-53cbbbba6f08';
    for (const call of [getAccessToken, revokeAccessToken]) {
      await expectRefusal(service, () => call({ client, path: { token_id } }), {
        status: 404,
        body: { detail: ANY_STRING, code: 'not_found' },
      });
    }
  });

  test('tells within a minute when the token was last used, without a write for each request', async () => {
    const counting = createCountingDatabase();
    const service = await startService({ openDatabase: (path) => counting.open(path) });
    const { client } = await service.admin();
    const { plaintext, token } = await create(client, 'a');
    const lastUsed = async () => (await get(client, token.id)).lastUsedAt;
    expect(await lastUsed()).toBeNull();
    service.clock.advance(5 * SECOND);
    const before = counting.transactions();
    for (let i = 0; i < 50; i++) await getMe({ client: service.as(plaintext) });
    await vi.waitFor(async () => {
      expect(await lastUsed()).toBe('2030-06-15T12:00:05.000Z');
    }, 5_000);
    expect(counting.transactions()).toBeLessThan(before + 20);

    service.clock.advance(MINUTE);
    await getMe({ client: service.as(plaintext) });
    await service.restart();
    expect((await get(service.as(plaintext), token.id)).lastUsedAt).toBe('2030-06-15T12:01:05.000Z');
  });
});

describe('revoking one', () => {
  test('answers 204 without a body; the token opens nothing from then on', async () => {
    const service = await startService();
    const { client, token: admin } = await service.admin();
    const { plaintext, token } = await create(client, 'a');
    const answer = await send(service, `DELETE ${TOKENS}/${token.id}`, { token: admin });
    expect(answer).toMatchObject({ status: 204, text: '' });
    await expectRefusal(service, () => getMe({ client: service.as(plaintext) }), { status: 401 });
  });

  test('is 204 the second time too and keeps the first instant', async () => {
    const { admin, clock } = await startService();
    const { client } = await admin();
    const { token } = await create(client, 'a');
    for (const id of [token.id, token.id.toUpperCase()]) {
      expect((await revoke(client, id)).response.status).toBe(204);
      clock.advance(MINUTE);
    }
    expect((await get(client, token.id)).revokedAt).toBe(NOW);
  });

  test('works for the token in use, and the next request with it is 401', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { plaintext, token } = await create(client, 'a');
    const own = service.as(plaintext);
    expect((await revoke(own, token.id)).response.status).toBe(204);
    await expectRefusal(service, () => revoke(own, token.id), { status: 401 });
  });

  test('works for what the other surface created', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const body = { name: 'a', expiration_time: '2031-01-01T00:00:00Z' };
    const { data } = await answered(createPrivateToken({ client, body }));
    const { items } = await answered(listAccessTokens({ client, query: { tokenType: 'pat' } }));
    expect(items).toMatchObject([{ name: 'a', expiresAt: '2031-01-01T00:00:00.000Z', tokenPrefix: data.slice(0, 12) }]);
    await revoke(client, items[0]?.id ?? '');
    await expectRefusal(service, () => getMe({ client: service.as(data) }), { status: 401 });
  });
});

describe('revoking all', () => {
  async function revokeAll(client: Client, query?: { exclude_current: boolean }) {
    return (await answered(revokeAllAccessTokens({ client, ...(query && { query }) }))).revokedCount;
  }

  test.each([
    ['', { exclude_current: undefined }],
    [', also where that is asked for', { exclude_current: true }],
  ])('covers sessions and tokens but the one in use%s', async (_, { exclude_current }) => {
    const service = await startService();
    const { client } = await service.admin();
    const other = await service.admin();
    const { plaintext } = await create(client, 'a');
    expect(await revokeAll(client, exclude_current === undefined ? undefined : { exclude_current })).toBe(2);
    for (const dead of [other.client, service.as(plaintext)]) {
      await expectRefusal(service, () => getMe({ client: dead }), { status: 401 });
    }
    const { items } = await answered(listAccessTokens({ client }));
    expect(items).toMatchObject([{ tokenType: 'session', revokedAt: null }]);
  });

  test('covers the one in use where that is asked for', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { plaintext } = await create(client, 'a');
    expect(await revokeAll(service.as(plaintext), { exclude_current: false })).toBe(2);
    for (const dead of [client, service.as(plaintext)]) {
      await expectRefusal(service, () => getMe({ client: dead }), { status: 401 });
    }
  });

  test('counts what this call changed: expired tokens, but none that was revoked before', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const keeper = service.as((await create(client, 'keeper')).plaintext);
    await create(client, 'expired', 1);
    const { token } = await create(client, 'revoked');
    await revoke(client, token.id);
    service.clock.advance(2 * DAY);
    expect(await revokeAll(keeper)).toBe(2);
    expect(await revokeAll(keeper)).toBe(0);
    expect(await get(keeper, token.id)).toMatchObject({ revokedAt: NOW });
  });

  test('lets nothing survive that was created before, and nothing die that is created after', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const created = await Promise.all(Array.from({ length: 20 }, (_, i) => create(client, `before ${String(i)}`)));
    const racing = Array.from({ length: 20 }, (_, i) => create(client, `racing ${String(i)}`));
    const [revokedCount, ...raced] = await Promise.all([revokeAll(client), ...racing]);
    const after = await create(client, 'after');
    const alive = async ({ plaintext }: { plaintext: string }) =>
      (await getMe({ client: service.as(plaintext) })).response.status === 200;
    expect(await Promise.all(created.map(alive))).not.toContain(true);
    expect(await alive(after)).toBe(true);
    const died = (await Promise.all(raced.map(alive))).filter((lives) => !lives);
    expect(revokedCount).toBe(created.length + died.length);
  });

  test.each(['1', 'TRUE', 'no', '', '%20true'])('refuses exclude_current=%s', async (value) => {
    const service = await startService();
    const { token } = await service.admin();
    await expectRefusal(service, () => send(service, `DELETE ${TOKENS}?exclude_current=${value}`, { token }), {
      status: 422,
      body: { detail: [problem(['query', 'exclude_current'], ANY_STRING)] },
    });
  });

  test('refuses an unknown parameter, so that a misspelt exclude_current revokes nothing', async () => {
    const service = await startService();
    const { token } = await service.admin();
    await expectRefusal(service, () => send(service, `DELETE ${TOKENS}?excludeCurrent=false`, { token }), {
      status: 422,
      body: { detail: [problem(['query', 'excludeCurrent'], 'extra_forbidden')] },
    });
  });
});
