import { describe, expect, test } from 'vitest';
import {
  type AccessTokenEdit,
  createAccessToken,
  getAccessToken,
  getMe,
  listPrivateTokens,
  refreshSession,
  revokeAccessToken,
  updateAccessToken,
} from '../../../generated/index.js';
import { type Answer, send } from '../../support/http.js';
import { ANY_STRING } from '../../support/matchers.js';
import { expectRefusal } from '../../support/refusal.js';
import { answered, type Client, DAY, type Service, startService } from '../../support/service.js';
import { shareService } from '../../support/shared.js';

const NOW = Date.parse('2030-06-15T12:00:00.000Z');
const EMOJI = '🔑';

function instant(milliseconds: number): string {
  return new Date(NOW + milliseconds).toISOString();
}

function edit(client: Client, token_id: string, body: AccessTokenEdit, ifMatch?: string) {
  return updateAccessToken({
    client,
    path: { token_id },
    body,
    ...(ifMatch !== undefined && { headers: { 'If-Match': ifMatch } }),
  });
}

async function tagOf(client: Client, token_id: string): Promise<string> {
  return (await getAccessToken({ client, path: { token_id } })).response.headers.get('ETag') ?? '';
}

async function isAccepted(service: Service, plaintext: string): Promise<boolean> {
  return (await getMe({ client: service.as(plaintext) })).response.status === 200;
}

describe('creating', () => {
  test('takes a description and metadata', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const body = {
      name: 'deploy bot',
      description: 'Ships.\nOften.',
      metadata: { team: 'platform', 'cost.centre': '' },
    };
    const { token } = await answered(createAccessToken({ client, body }));
    expect(token).toMatchObject(body);
    expect(await answered(getAccessToken({ client, path: { token_id: token.id } }))).toEqual(token);
  });
});

describe('editing', () => {
  const EDITS: [string, AccessTokenEdit, object][] = [
    ['the name', { name: 'release bot' }, { name: 'release bot' }],
    ['the description', { description: 'x'.repeat(1_000) }, { description: 'x'.repeat(1_000) }],
    ['1000 code points outside the plane', { description: EMOJI.repeat(1_000) }, { description: EMOJI.repeat(1_000) }],
    ['the description, to none', { description: '' }, { description: '' }],
    ['the metadata, whole', { metadata: { constructor: 'a' } }, { metadata: { constructor: 'a' } }],
    ['the metadata, to none', { metadata: {} }, { metadata: {} }],
    ['the expiry', { expiresInDays: 30 }, { expiresAt: instant(30 * DAY) }],
    ['the expiry, to none', { expiresInDays: null }, { expiresAt: null }],
    ['whether it is disabled', { disabled: true }, { disabled: true }],
    ['two things at once', { name: 'a', description: 'b' }, { name: 'a', description: 'b' }],
  ];
  test.each(EDITS)('changes %s and nothing else', async (_, change, changed) => {
    const service = await startService();
    const { client } = await service.admin();
    const { token } = await answered(
      createAccessToken({
        client,
        body: { name: 'deploy bot', description: 'Ships.', metadata: { team: 'platform' }, expiresInDays: 90 },
      }),
    );
    const edited = await answered(edit(client, token.id, change));
    expect(edited).toEqual({ ...token, ...changed });
    expect(await answered(getAccessToken({ client, path: { token_id: token.id } }))).toEqual(edited);
  });

  test('a new name is seen by the other API', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { token } = await answered(createAccessToken({ client, body: { name: 'deploy bot' } }));
    await answered(edit(client, token.id, { name: 'release bot' }));
    const { results } = await answered(listPrivateTokens({ client }));
    expect(results.map(({ name }) => name)).toEqual(['release bot']);
  });

  test('a disabled token opens nothing until it is enabled again', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { plaintext, token } = await answered(createAccessToken({ client, body: { name: 'deploy bot' } }));
    await answered(edit(client, token.id, { disabled: true }));
    expect(await isAccepted(service, plaintext)).toBe(false);
    await answered(edit(client, token.id, { disabled: true }));
    expect(await isAccepted(service, plaintext)).toBe(false);
    await answered(edit(client, token.id, { disabled: false }));
    expect(await isAccepted(service, plaintext)).toBe(true);
  });

  test('a disabled session is not refreshed, and keeps its refresh token for later', async () => {
    const service = await startService();
    const { client, session } = await service.admin();
    const { client: other } = await service.admin();
    const me = await answered(getMe({ client }));
    const id = me.session.sessionId ?? '';
    await answered(edit(other, id, { disabled: true }));
    const { refresh_token } = session;
    const refresh = () => refreshSession({ client: service.anonymous, body: { refresh_token } });
    expect((await refresh()).response.status).toBe(401);
    await answered(edit(other, id, { disabled: false }));
    expect((await refresh()).response.status).toBe(200);
  });
});

describe('what is refused', () => {
  const shared = shareService(async (service, admin) => {
    const { client } = admin;
    const name = 'deploy bot';
    const live = await answered(createAccessToken({ client, body: { name } }));
    const revoked = await answered(createAccessToken({ client, body: { name } }));
    await revokeAccessToken({ client, path: { token_id: revoked.token.id } });
    const expired = await answered(createAccessToken({ client, body: { name, expiresInDays: 1 } }));
    service.clock.advance(DAY);
    const again = await service.admin();
    return { live, revoked, expired, again, stranger: await service.newUser() };
  });

  const TEXTS = Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`n${String(index)}`, '']));
  test.each<[string, unknown, string[], string]>([
    ['nothing to change', {}, [], 'too_short'],
    ['an empty name', { name: '' }, ['name'], 'string_too_short'],
    ['a null name', { name: null }, ['name'], 'string_type'],
    ['1001 characters', { description: 'x'.repeat(1_001) }, ['description'], 'string_too_long'],
    ['a NUL', { description: 'a\0b' }, ['description'], 'string_pattern_mismatch'],
    ['a lone surrogate', { description: '\ud800' }, ['description'], 'string_pattern_mismatch'],
    ['metadata that is a list', { metadata: [] }, ['metadata'], 'object_type'],
    ['17 texts', { metadata: TEXTS }, ['metadata'], 'too_long'],
    ['a number in it', { metadata: { team: 1 } }, ['metadata', 'team'], 'string_type'],
    ['257 characters in it', { metadata: { team: 'x'.repeat(257) } }, ['metadata', 'team'], 'string_too_long'],
    ['a name with a space', { metadata: { 'a b': '' } }, ['metadata', 'a b'], 'string_pattern_mismatch'],
    ['an empty name in it', { metadata: { '': '' } }, ['metadata', ''], 'string_too_short'],
    ['a name of 65', { metadata: { ['x'.repeat(65)]: '' } }, ['metadata', 'x'.repeat(65)], 'string_too_long'],
    ['366 days', { expiresInDays: 366 }, ['expiresInDays'], 'less_than_equal'],
    ['no day', { expiresInDays: 0 }, ['expiresInDays'], 'greater_than_equal'],
    ['disabled as a text', { disabled: 'true' }, ['disabled'], 'bool_type'],
    ['another id', { id: '019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b' }, ['id'], 'extra_forbidden'],
    ['another type', { tokenType: 'session' }, ['tokenType'], 'extra_forbidden'],
    ['an undone revocation', { revokedAt: null }, ['revokedAt'], 'extra_forbidden'],
  ])('%s', async (_, json, field, type) => {
    const { service, made } = await shared();
    await expectRefusal(service, () => patch(service, made.again.token, made.live.token.id, json), {
      status: 422,
      body: { detail: [{ loc: ['body', ...field], msg: ANY_STRING, type }] },
    });
  });

  test('a member named __proto__', async () => {
    const { service, made } = await shared();
    const body = '{"metadata": {"__proto__": "a"}}';
    const line = `PATCH /api/v1/access-tokens/${made.live.token.id}` as const;
    await expectRefusal(service, () => send(service, line, { token: made.again.token, body }), {
      status: 422,
      body: { detail: [{ loc: ['body', 'metadata', '__proto__'], msg: ANY_STRING, type: 'string_pattern_mismatch' }] },
    });
  });

  test('a revoked token', async () => {
    const { service, made } = await shared();
    await expectRefusal(service, () => edit(made.again.client, made.revoked.token.id, { name: 'a' }), {
      status: 409,
      body: { detail: ANY_STRING, code: 'token_revoked' },
    });
  });

  test('another lifetime for an expired token, whose name may change', async () => {
    const { service, made } = await shared();
    for (const expiresInDays of [1, null]) {
      await expectRefusal(service, () => edit(made.again.client, made.expired.token.id, { expiresInDays }), {
        status: 409,
        body: { detail: ANY_STRING, code: 'token_expired' },
      });
    }
    expect(await answered(edit(made.again.client, made.expired.token.id, { name: 'b' }))).toMatchObject({ name: 'b' });
  });

  test('another lifetime for a session', async () => {
    const { service, made } = await shared();
    const { session } = await answered(getMe({ client: made.again.client }));
    await expectRefusal(service, () => edit(made.again.client, session.sessionId ?? '', { expiresInDays: 365 }), {
      status: 422,
      body: { detail: [{ loc: ['body', 'expiresInDays'], msg: ANY_STRING, type: 'value_error' }] },
    });
  });

  test("a stranger's token, as an id that never was", async () => {
    const { service, made } = await shared();
    for (const id of [made.live.token.id, '019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b']) {
      await expectRefusal(service, () => edit(made.stranger.client, id, { name: 'mine' }), {
        status: 404,
        body: { detail: 'No such token.', code: 'not_found' },
      });
    }
  });
});

describe('If-Match', () => {
  test('an edit of the token as it is succeeds and gives the next tag', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const created = await createAccessToken({ client, body: { name: 'deploy bot' } });
    const { token } = await answered(Promise.resolve(created));
    const first = created.response.headers.get('ETag') ?? '';
    expect(first).toMatch(/^"[\w-]{16}"$/);
    expect(await tagOf(client, token.id)).toBe(first);

    const edited = await edit(client, token.id, { name: 'a' }, first);
    expect(edited.response.status).toBe(200);
    const second = edited.response.headers.get('ETag') ?? '';
    expect(second).not.toBe(first);
    expect((await edit(client, token.id, { name: 'b' }, `"other", ${second}`)).response.status).toBe(200);
    expect((await edit(client, token.id, { name: 'c' }, '*')).response.status).toBe(200);
  });

  test('of two editors of one state, one is refused', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { token } = await answered(createAccessToken({ client, body: { name: 'deploy bot' } }));
    const tag = await tagOf(client, token.id);
    const edits = Array.from({ length: 10 }, (_, index) => edit(client, token.id, { name: String(index) }, tag));
    const statuses = (await Promise.all(edits)).map(({ response }) => response.status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 412)).toHaveLength(9);
  });

  test('using the token changes no tag; rotating, disabling and revoking it do', async () => {
    const service = await startService();
    const { client, token: session } = await service.admin();
    const { plaintext, token } = await answered(createAccessToken({ client, body: { name: 'deploy bot' } }));
    const tags = [await tagOf(client, token.id)];
    await getMe({ client: service.as(plaintext) });
    await service.restart();
    const again = service.as(session);
    expect(await tagOf(again, token.id)).toBe(tags[0]);
    const changes = ['POST rotate', 'PATCH', 'DELETE'];
    for (const change of changes) {
      const [method = '', action] = change.split(' ');
      const path = `/api/v1/access-tokens/${token.id}${action === undefined ? '' : `/${action}`}`;
      const json = method === 'PATCH' ? { disabled: true } : undefined;
      expect((await send(service, `${method} ${path}`, { token: session, json })).status).toBeLessThan(300);
      tags.push(await tagOf(again, token.id));
    }
    expect(new Set(tags)).toHaveProperty('size', 4);
  });

  const shared = shareService(async (_, { client }) => {
    const { token } = await answered(createAccessToken({ client, body: { name: 'deploy bot' } }));
    return { id: token.id, tag: await tagOf(client, token.id) };
  });

  test.each<[string, (tag: string) => string]>([
    ['another tag', () => '"AAAAAAAAAAAAAAAA"'],
    ['a weak one, which never matches', (tag) => `W/${tag}`],
    ['an empty one', () => '""'],
  ])('%s is 412 for an edit and a rotation', async (_, toTag) => {
    const { service, admin, made } = await shared();
    const headers = { 'If-Match': toTag(made.tag) };
    for (const line of [
      `PATCH /api/v1/access-tokens/${made.id}`,
      `POST /api/v1/access-tokens/${made.id}/rotate`,
      'POST /api/v1/access-tokens/current/rotate',
    ] as const) {
      const json = line.startsWith('PATCH') ? { name: 'a' } : {};
      await expectRefusal(service, () => send(service, line, { token: admin.token, json, headers }), {
        status: 412,
        body: {
          detail: 'The ETag of the token does not match If-Match. Get the token again and send its new ETag.',
          code: 'precondition_failed',
        },
      });
    }
  });

  test.each(['', 'AAAA', '"a', '"a" "b"', '*, "a"', '"ü"'])('`%s` is no entity tag', async (value) => {
    const { service, admin, made } = await shared();
    const line = `PATCH /api/v1/access-tokens/${made.id}` as const;
    const headers = { 'If-Match': value };
    await expectRefusal(service, () => send(service, line, { token: admin.token, json: { name: 'a' }, headers }), {
      status: 422,
      body: { detail: [{ loc: ['header', 'If-Match'], msg: ANY_STRING, type: ANY_STRING }] },
    });
  });
});

function patch(service: Service, token: string, id: string, json: unknown): Promise<Answer> {
  return send(service, `PATCH /api/v1/access-tokens/${id}`, { token, json });
}
