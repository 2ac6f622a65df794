import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createAccessToken,
  createPrivateToken,
  getCurrentAccessToken,
  getMe,
  introspectToken,
  listAccessTokens,
  refreshSession,
  rotateAccessToken,
  rotateCurrentAccessToken,
  updateAccessToken,
  updateUser,
  verifyAccessToken,
} from '../../generated/index.js';
import { send } from '../support/http.js';
import { ANY_STRING } from '../support/matchers.js';
import { expectRefusal } from '../support/refusal.js';
import { answered, type Client, type Service, startService } from '../support/service.js';
import { shareService } from '../support/shared.js';

const USERS_OWN = ['tokens:read', 'tokens:verify', 'tokens:write'];
const ADMINS_OWN = [...USERS_OWN, 'users:admin', 'webhooks:admin'];

async function create(client: Client, scopes?: string[]) {
  return await answered(createAccessToken({ client, body: { name: 'a', ...(scopes && { scopes }) } }));
}

async function codeFor(client: Client, token: string, scopes: string[]): Promise<string> {
  return (await answered(verifyAccessToken({ client, body: { token, scopes } }))).code;
}

function lacks(scope: string) {
  return { status: 403, body: { detail: `The token lacks a scope: ${scope}.`, code: 'insufficient_scope' } };
}

describe('what a new token may do', () => {
  test('without scopes is what its creator may but users:admin, written out', async () => {
    const service = await startService();
    const admin = await service.admin();
    const user = await service.newUser();
    expect((await create(admin.client)).token.scopes).toEqual(USERS_OWN);
    expect((await create(user.client)).token.scopes).toEqual(USERS_OWN);
    const narrow = await create(user.client, ['tokens:write', 'invoices:read']);
    const heir = await create(service.as(narrow.plaintext));
    expect(heir.token.scopes).toEqual(['invoices:read', 'tokens:write']);
  });

  test('is users:admin only where that is named, on either API and whatever the creator has', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const named = await create(client, ADMINS_OWN);
    expect(named.token.scopes).toEqual(ADMINS_OWN);
    const body = { name: 'a', expiration_time: '2031-01-01T00:00:00Z' };
    for (const creator of [client, service.as(named.plaintext)]) {
      const { plaintext, token } = await create(creator);
      const { data } = await answered(createPrivateToken({ client: creator, body }));
      const rotated = await answered(rotateAccessToken({ client: creator, path: { token_id: token.id } }));
      expect(rotated.token.scopes).toEqual(USERS_OWN);
      for (const made of [plaintext, rotated.plaintext, data])
        expect(await codeFor(client, made, ['users:admin'])).not.toBe('valid');
      await expectRefusal(service, () => send(service, 'GET /api/v1/users', { token: data }), lacks('users:admin'));
    }
    expect((await create(service.as(named.plaintext), ['users:admin'])).token.scopes).toEqual(['users:admin']);
  });

  test('of a private token is what its creator may', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const narrow = await create(client, ['tokens:write', 'invoices:read']);
    const body = { name: 'a', expiration_time: '2031-01-01T00:00:00Z' };
    const { data } = await answered(createPrivateToken({ client: service.as(narrow.plaintext), body }));
    const current = await answered(getCurrentAccessToken({ client: service.as(data) }));
    expect(current.scopes).toEqual(['invoices:read', 'tokens:write']);
  });

  test('with none at all is to show, rotate and end itself', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { plaintext, token } = await create(client, []);
    expect(token.scopes).toEqual([]);
    const own = service.as(plaintext);
    expect((await getMe({ client: own })).response.status).toBe(200);
    await expectRefusal(service, () => listAccessTokens({ client: own }), lacks('tokens:read'));
    const rotated = await answered(rotateCurrentAccessToken({ client: own }));
    expect(rotated.token.scopes).toEqual([]);
    const ended = await send(service, 'DELETE /api/v1/access-tokens/current', { token: rotated.plaintext });
    expect(ended.status).toBe(204);
  });

  test('is listed in alphabetical order, each scope once, whatever the order it was sent in', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const one = await create(client, ['b:2', 'a', 'B', 'a:1']);
    expect(one.token.scopes).toEqual(['B', 'a', 'a:1', 'b:2']);
    const two = await create(client, ['a:1', 'B', 'b:2', 'a']);
    expect(two.token.scopes).toEqual(one.token.scopes);
  });
});

describe('what a token gives', () => {
  const shared = shareService(async (service, { client }) => {
    const narrow = await create(client, ['tokens:read', 'tokens:write', 'invoices:read']);
    const wide = await create(client, ['tokens:read', 'tokens:write', 'invoices:read', 'invoices:send']);
    return { narrow, wide, own: service.as(narrow.plaintext) };
  });

  test('to a new one is no more than it has', async () => {
    const { service, made } = await shared();
    const wishes: [string[], string][] = [
      [['invoices:send'], 'invoices:send'],
      [['invoices:read', 'tokens:verify'], 'tokens:verify'],
      [['users:admin'], 'users:admin'],
      [['invoices'], 'invoices'],
      [['invoices:read:all'], 'invoices:read:all'],
      [['Invoices:read'], 'Invoices:read'],
    ];
    for (const [scopes, lacking] of wishes) {
      const answer = await expectRefusal(
        service,
        () => createAccessToken({ client: made.own, body: { name: 'a', scopes } }),
        lacks(lacking),
      );
      expect(answer.headers['www-authenticate']).toBe(`Bearer error="insufficient_scope", scope="${lacking}"`);
    }
  });

  test('by an edit or a rotation is no more than it has', async () => {
    const { service, made } = await shared();
    const path = { token_id: made.wide.token.id };
    const own = { token_id: made.narrow.token.id };
    const attempts = [
      () => updateAccessToken({ client: made.own, path, body: { name: 'b' } }),
      () => updateAccessToken({ client: made.own, path, body: { disabled: false } }),
      () => rotateAccessToken({ client: made.own, path }),
      () => updateAccessToken({ client: made.own, path: own, body: { scopes: ['invoices:send'] } }),
    ];
    for (const attempt of attempts) await expectRefusal(service, attempt, lacks('invoices:send'));
  });

  test('is never a session', async () => {
    const { service, admin, made } = await shared();
    const { session } = await answered(getMe({ client: admin.client }));
    const path = { token_id: session.sessionId ?? '' };
    const everything = await create(admin.client, ['tokens:read', 'tokens:verify', 'tokens:write', 'users:admin']);
    for (const client of [made.own, service.as(everything.plaintext)]) {
      for (const attempt of [
        () => rotateAccessToken({ client, path }),
        () => updateAccessToken({ client, path, body: { disabled: false } }),
      ]) {
        await expectRefusal(service, attempt, {
          status: 403,
          body: { detail: 'Only a session can change a session.', code: 'insufficient_scope' },
        });
      }
    }
  });

  test.each<[string, unknown, string]>([
    ['a space', ['a b'], 'string_pattern_mismatch'],
    ['a comma', ['a,b'], 'string_pattern_mismatch'],
    ['a wildcard', ['*'], 'string_pattern_mismatch'],
    ['nothing', [''], 'string_too_short'],
    ['101 characters', ['x'.repeat(101)], 'string_too_long'],
    ['a letter of another alphabet', ['ü'], 'string_pattern_mismatch'],
    ['a number', [1], 'string_type'],
  ])('%s is no scope', async (_, scopes, type) => {
    const { service, admin, made } = await shared();
    const problem = { loc: ['body', 'scopes', '0'], msg: ANY_STRING, type };
    const refusal = { status: 422, body: { detail: [problem] } };
    const { token } = admin;
    await expectRefusal(
      service,
      () => send(service, 'POST /api/v1/access-tokens', { token, json: { name: 'a', scopes } }),
      refusal,
    );
    await expectRefusal(
      service,
      () => send(service, `PATCH /api/v1/access-tokens/${made.narrow.token.id}`, { token, json: { scopes } }),
      refusal,
    );
  });

  test.each<[string, unknown, string]>([
    ['a text', 'tokens:read', 'list_type'],
    ['null', null, 'list_type'],
    ['a scope twice', ['a', 'a'], 'value_error'],
    ['65 scopes', Array.from({ length: 65 }, (_, index) => `s${String(index)}`), 'too_long'],
  ])('%s is no list of scopes', async (_, scopes, type) => {
    const { service, admin } = await shared();
    await expectRefusal(
      service,
      () => send(service, 'POST /api/v1/access-tokens', { token: admin.token, json: { name: 'a', scopes } }),
      { status: 422, body: { detail: [{ loc: ['body', 'scopes'], msg: ANY_STRING, type }] } },
    );
  });

  test('the longest list there may be', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const scopes = Array.from({ length: 64 }, (_, index) => String(index).padStart(100, 'x')).sort();
    const { token, plaintext } = await create(client, scopes);
    expect(token.scopes).toEqual(scopes);
    expect(await codeFor(client, plaintext, scopes)).toBe('valid');
  });
});

describe('what each operation needs', () => {
  const NEEDS = {
    'GET /api/v1/access-tokens': 'tokens:read',
    'GET /api/v1/access-tokens/counts': 'tokens:read',
    'GET /api/v1/access-tokens/limits': 'tokens:read',
    'GET /api/v1/auth/private_tokens/': 'tokens:read',
    'GET /api/v1/access-tokens/019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b': 'tokens:read',
    'POST /api/v1/access-tokens': 'tokens:write',
    'POST /api/v1/auth/private_tokens/': 'tokens:write',
    'PATCH /api/v1/access-tokens/019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b': 'tokens:write',
    'DELETE /api/v1/access-tokens': 'tokens:write',
    'DELETE /api/v1/access-tokens/019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b': 'tokens:write',
    'DELETE /api/v1/auth/private_tokens/1/': 'tokens:write',
    'POST /api/v1/access-tokens/revoke': 'tokens:write',
    'POST /api/v1/access-tokens/019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b/rotate': 'tokens:write',
    'POST /api/v1/access-tokens/verify': 'tokens:verify',
    'POST /api/v1/access-tokens/verify-batch': 'tokens:verify',
    'POST /oauth/introspect': 'tokens:verify',
    'GET /api/v1/users': 'users:admin',
    'POST /api/v1/users': 'users:admin',
    'GET /api/v1/users/1': 'users:admin',
    'PATCH /api/v1/users/1': 'users:admin',
    'GET /api/v1/webhooks': 'webhooks:admin',
    'POST /api/v1/webhooks': 'webhooks:admin',
    'GET /api/v1/webhooks/019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b': 'webhooks:admin',
    'PATCH /api/v1/webhooks/019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b': 'webhooks:admin',
    'DELETE /api/v1/webhooks/019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b': 'webhooks:admin',
    'POST /api/v1/webhooks/019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b/rotate-secret': 'webhooks:admin',
    'POST /api/v1/webhooks/019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b/test': 'webhooks:admin',
    'GET /api/v1/webhooks/019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b/deliveries': 'webhooks:admin',
    'POST /api/v1/webhooks/019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b/deliveries/019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b/redeliver':
      'webhooks:admin',
    'POST /api/v1/webhooks/019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b/redeliver': 'webhooks:admin',
  };
  const shared = shareService(async (_, { client }) => {
    const others = (needed: string) => ADMINS_OWN.filter((scope) => scope !== needed);
    const without = new Map<string, string>();
    for (const scope of ADMINS_OWN) without.set(scope, (await create(client, others(scope))).plaintext);
    return { without };
  });

  test.each(Object.entries(NEEDS))('%s needs %s, before its input is looked at', async (line, scope) => {
    const { service, made } = await shared();
    const token = made.without.get(scope) ?? '';
    const answer = await expectRefusal(service, () => send(service, line as 'GET /', { token, json: undefined }), {
      status: 403,
    });
    const detail = `The token lacks a scope: ${scope}.`;
    expect(answer.body).toEqual(
      line.includes('private_tokens')
        ? { detail }
        : line.includes('oauth')
          ? { error: 'insufficient_scope', error_description: detail }
          : { detail, code: 'insufficient_scope' },
    );
    expect(answer.headers['www-authenticate']).toBe(`Bearer error="insufficient_scope", scope="${scope}"`);
  });
});

describe('verifying', () => {
  test('a token passes for the scopes that it has, all of them, and no others', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { plaintext } = await create(client, ['invoices:read', 'invoices:send']);
    expect(await codeFor(client, plaintext, [])).toBe('valid');
    expect(await codeFor(client, plaintext, ['invoices:read'])).toBe('valid');
    expect(await codeFor(client, plaintext, ['invoices:send', 'invoices:read'])).toBe('valid');
    for (const scopes of [['invoices'], ['invoices:read', 'tokens:read'], ['INVOICES:READ'], ['invoices:read:1']]) {
      expect(await codeFor(client, plaintext, scopes)).toBe('insufficient_scope');
    }
    const introspection = await answered(introspectToken({ client, body: { token: plaintext } }));
    expect(introspection).toMatchObject({ active: true, scope: 'invoices:read invoices:send' });
  });

  test('a session passes for any word, but not as an administrator where its user is none', async () => {
    const service = await startService();
    const admin = await service.admin();
    const user = await service.newUser();
    expect(await codeFor(admin.client, user.token, ['invoices:send'])).toBe('valid');
    expect(await codeFor(admin.client, user.token, ['users:admin'])).toBe('insufficient_scope');
    expect(await codeFor(admin.client, admin.token, ['users:admin'])).toBe('valid');
  });

  test('who is no administrator any more holds users:admin no longer, in whatever token', async () => {
    const service = await startService();
    const admin = await service.admin();
    const user = await service.newUser();
    const path = { user_id: user.session.id };
    await answered(updateUser({ client: admin.client, path, body: { isAdmin: true } }));
    const { plaintext } = await create(user.client, ['tokens:write', 'users:admin']);
    expect(await codeFor(admin.client, plaintext, ['users:admin'])).toBe('valid');
    await answered(updateUser({ client: admin.client, path, body: { isAdmin: false } }));
    expect(await codeFor(admin.client, plaintext, ['users:admin'])).toBe('insufficient_scope');
    await expectRefusal(service, () => send(service, 'GET /api/v1/users', { token: plaintext }), lacks('users:admin'));
    // What it gives from then on is without it.
    expect((await create(service.as(plaintext))).token.scopes).toEqual(['tokens:write']);
  });
});

describe('over random sets of scopes', () => {
  const WORDS = ['tokens:read', 'tokens:verify', 'tokens:write', 'users:admin', 'a', 'a:b', 'b'];
  const scopes = fc.option(fc.uniqueArray(fc.constantFrom(...WORDS)), { nil: undefined });
  const action = fc.record({
    kind: fc.constantFrom('create', 'private', 'patch', 'rotate', 'current'),
    by: fc.nat(),
    on: fc.nat(),
    scopes,
  });

  interface Known {
    id: string;
    plaintext: string;
    scopes: string[];
  }

  test('no token comes by more than it started with, by whatever it does', async () => {
    const service = await startService();
    const { client } = await service.admin();
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.constantFrom(...WORDS)),
        fc.array(action, { maxLength: 12 }),
        async (start, actions) => {
          const wide = await create(client, WORDS);
          const first = await create(client, start);
          // All that is within reach of who has the first token; the wide one is theirs to try on.
          const reach: Known[] = [{ id: first.token.id, plaintext: first.plaintext, scopes: start }];
          for (const step of actions) {
            const by = reach[step.by % reach.length] ?? reach[0];
            const targets = [...reach.map(({ id }) => id), wide.token.id];
            const gained =
              by && (await act(service, by, step.kind, targets[step.on % targets.length] ?? '', step.scopes));
            if (gained === undefined) continue;
            expect(by?.scopes).toEqual(expect.arrayContaining(gained.scopes));
            const index = reach.findIndex(({ id }) => id === gained.id);
            if (index >= 0)
              reach[index] = { ...gained, plaintext: gained.plaintext || (reach[index]?.plaintext ?? '') };
            else reach.push(gained);
          }
          for (const { plaintext } of reach) {
            for (const word of WORDS) {
              const code = await codeFor(client, plaintext, [word]);
              if (code === 'valid') expect(start).toContain(word);
            }
            // One that was only edited is in nobody's hands.
            if (plaintext === '') continue;
            const introspection = await answered(introspectToken({ client, body: { token: plaintext } }));
            if (introspection.active) {
              const words = introspection.scope.split(' ').filter((word) => word !== '');
              expect(start).toEqual(expect.arrayContaining(words));
            }
          }
        },
      ),
      { numRuns: 25 },
    );
  }, 120_000);

  async function act(service: Service, by: Known, kind: string, on: string, wished: string[] | undefined) {
    const client = service.as(by.plaintext);
    const path = { token_id: on };
    const body = { name: 'a', ...(wished && { scopes: wished }) };
    if (kind === 'private') {
      const expiration_time = '2031-01-01T00:00:00Z';
      const { data } = await createPrivateToken({ client, body: { name: 'a', expiration_time } });
      if (data === undefined) return undefined;
      const { id, scopes } = await answered(getCurrentAccessToken({ client: service.as(data.data) }));
      return { id, scopes, plaintext: data.data };
    }
    if (kind === 'patch') {
      const { data } = await updateAccessToken({ client, path, body });
      return data && { id: data.id, scopes: data.scopes, plaintext: '' };
    }
    const calls = {
      create: () => createAccessToken({ client, body }),
      rotate: () => rotateAccessToken({ client, path }),
      current: () => rotateCurrentAccessToken({ client }),
    };
    const { data } = await calls[kind as keyof typeof calls]();
    return data && { id: data.token.id, scopes: data.token.scopes, plaintext: data.plaintext };
  }
});

test('refreshing a session changes nothing about what it may do', async () => {
  const service = await startService();
  const { session } = await service.newUser();
  const { refresh_token } = session;
  const refreshed = await answered(refreshSession({ client: service.anonymous, body: { refresh_token } }));
  const current = await answered(getCurrentAccessToken({ client: service.as(refreshed.access_token) }));
  expect(current.scopes).toEqual(USERS_OWN);
  await expectRefusal(
    service,
    () => send(service, 'GET /api/v1/users', { token: refreshed.access_token }),
    lacks('users:admin'),
  );
});

test('a scope that is taken away is gone at the next request', async () => {
  const service = await startService();
  const { client } = await service.admin();
  const { plaintext, token } = await create(client, ['tokens:read', 'invoices:read']);
  await answered(updateAccessToken({ client, path: { token_id: token.id }, body: { scopes: ['invoices:read'] } }));
  await expectRefusal(service, () => listAccessTokens({ client: service.as(plaintext) }), lacks('tokens:read'));
});
