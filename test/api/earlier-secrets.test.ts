import { describe, expect, test } from 'vitest';
import {
  createAccessToken,
  createPrivateToken,
  createWebhook,
  getAccessToken,
  getCurrentAccessToken,
  getMe,
  introspectToken,
  listAccessTokens,
  listPrivateTokens,
  putExternalUser,
  refreshSession,
  revokeAccessToken,
  rotateAccessToken,
  rotateCurrentAccessToken,
  updateAccessToken,
  verifyAccessToken,
} from '../../generated/index.js';
import openApi from '../../generated/openapi.json' with { type: 'json' };
import { type Answer, send } from '../support/http.js';
import { expectRefusal } from '../support/refusal.js';
import { answered, type Client, type Person, type Service, startService } from '../support/service.js';
import { shareService } from '../support/shared.js';
import { holdBack } from '../support/socket.js';

// What the secret before the newest still does while its grace period lasts.

const DETAIL = 'The token has a newer secret; this one may only read, verify and revoke its token.';
const SUPERSEDED = { status: 403, body: { detail: DETAIL, code: 'superseded_secret' } };
const GRACE = { gracePeriodSeconds: 60 };

type Line = `${string} ${string}`;

interface Rotated {
  id: string;
  /** Its id on the private tokens API. */
  privateId: number;
  earlier: string;
  newest: string;
}

async function create(client: Client, name: string, scopes?: string[]) {
  return await answered(createAccessToken({ client, body: { name, ...(scopes && { scopes }) } }));
}

/** A token that was rotated with a grace period. */
async function rotated({ client }: Person, scopes?: string[]): Promise<Rotated> {
  const { plaintext: earlier, token } = await create(client, 'rotated', scopes);
  const { results } = await answered(listPrivateTokens({ client, query: { page_size: 1 } }));
  const path = { token_id: token.id };
  const { plaintext: newest } = await answered(rotateAccessToken({ client, path, body: GRACE }));
  return { id: token.id, privateId: results[0]?.id ?? 0, earlier, newest };
}

interface SpecOperation {
  operationId: string;
  security?: object[];
  requestBody?: unknown;
}

/** Every operation of the contract that takes a credential. */
const OPERATIONS = Object.entries(openApi.paths as Record<string, Record<string, SpecOperation>>).flatMap(
  ([path, methods]) =>
    Object.entries(methods).flatMap(([method, { operationId, security, requestBody }]) =>
      security?.length === 0 ? [] : [{ operationId, method: method.toUpperCase(), path, body: requestBody }],
    ),
);

/** What changes something and serves all the same: it ends the token, or its method only looks as if it did. */
const SERVED = [
  'verifyAccessToken',
  'verifyAccessTokens',
  'introspectToken',
  'revokeOAuthToken',
  'revokeCurrentAccessToken',
];

const CUSTOMER = 'cus_42';

/** Of these it depends on whose id it is. */
const BY_ID = ['revokeAccessToken', 'revokePrivateToken'];

describe('an earlier secret of a personal access token', () => {
  const shared = shareService(async (_, admin) => {
    const { token } = await create(admin.client, 'another');
    const { results } = await answered(listPrivateTokens({ client: admin.client, query: { page_size: 1 } }));
    const everything = [
      'audit:read',
      'policy:admin',
      'tokens:act-as',
      'tokens:read',
      'tokens:verify',
      'tokens:write',
      'users:admin',
      'webhooks:admin',
    ];
    await answered(putExternalUser({ client: admin.client, path: { external_id: CUSTOMER }, body: {} }));
    const url = 'https://hooks.example.org/latchkey';
    const { webhook } = await answered(createWebhook({ client: admin.client, body: { url } }));
    return {
      ...(await rotated(admin, everything)),
      webhook: webhook.id,
      another: token.id,
      anotherPrivate: results[0]?.id ?? 0,
    };
  });

  async function lineOf({ method, path }: { method: string; path: string }): Promise<Line> {
    const { made } = await shared();
    const token = path.replace('{token_id}', made.another).replace('{id}', String(made.anotherPrivate));
    const other = token.replace('{external_id}', CUSTOMER);
    return `${method} ${other.replace('{user_id}', '1').replace('{webhook_id}', made.webhook).replace('{delivery_id}', made.webhook)}`;
  }

  const changing = OPERATIONS.filter(({ operationId, method }) => method !== 'GET' && !SERVED.includes(operationId));
  test.each(changing)('is refused by $operationId before the body is read', async (operation) => {
    const { service, made } = await shared();
    const line = await lineOf(operation);
    const body = line.includes('private_tokens') ? { detail: DETAIL } : SUPERSEDED.body;
    for (const headers of [{}, { 'Idempotency-Key': 'a-key-that-nothing-is-kept-under' }, { 'Idempotency-Key': '' }]) {
      const answer = await expectRefusal(service, () => send(service, line, { token: made.earlier, headers }), {
        status: 403,
        body,
      });
      expect(answer.headers['latchkey-token-expires-at']).toBe('2030-06-15T12:01:00.000Z');
    }
    // What is wrong with its input is no business of theirs.
    await expectRefusal(service, () => send(service, `${line}?wrong=1`, { token: made.earlier, json: ['wrong'] }), {
      status: 403,
      body,
    });
    if (operation.body === undefined) return;
    const held = await holdBack(service, line, made.earlier, '{"name":"heir"}');
    expect(await held.until('\r\n\r\n')).toMatch(/^HTTP\/1\.1 403 /);
  });

  test('covers each operation that there is', () => {
    const known = changing.map(({ operationId }) => operationId);
    expect(known).toEqual(
      expect.arrayContaining([...BY_ID, 'createAccessToken', 'rotateCurrentAccessToken', 'logOut']),
    );
    expect(OPERATIONS.length).toBe(changing.length + SERVED.length + OPERATIONS.filter(isGet).length);
  });

  function isGet({ method }: { method: string }): boolean {
    return method === 'GET';
  }

  test.each(OPERATIONS.filter(isGet))('is served by $operationId, and its HEAD', async (operation) => {
    const { service, made } = await shared();
    const line = await lineOf(operation);
    const leaving = new AbortController();
    const headers = { Authorization: `Bearer ${made.earlier}` };
    const answer = await fetch(`${service.url}${line.slice('GET '.length)}`, { headers, signal: leaving.signal });
    expect(answer.status).toBe(200);
    // A stream of events has no end.
    leaving.abort();
    const head = await send(service, line.replace('GET', 'HEAD') as Line, { token: made.earlier });
    expect(head.status).toBe(200);
  });

  test('a dry run is refused too', async () => {
    const { service, made } = await shared();
    const json = { filter: { q: 'a' }, dryRun: true };
    await expectRefusal(
      service,
      () => send(service, 'POST /api/v1/access-tokens/revoke', { token: made.earlier, json }),
      SUPERSEDED,
    );
  });

  test('asks about tokens, and is itself valid, as the newest is', async () => {
    const { service, made } = await shared();
    for (const asker of [made.earlier, made.newest]) {
      for (const token of [made.earlier, made.newest]) {
        const client = service.as(asker);
        expect(await answered(verifyAccessToken({ client, body: { token } }))).toMatchObject({ valid: true });
        expect(await answered(introspectToken({ client, body: { token } }))).toMatchObject({ active: true });
        const tokens = [{ token }];
        const batch = await send(service, 'POST /api/v1/access-tokens/verify-batch', {
          token: asker,
          json: { tokens },
        });
        expect(batch.body).toMatchObject({ results: [{ code: 'valid' }] });
      }
    }
  });

  test.each<[string, (rotated: Rotated) => Line]>([
    ['as the token in use', () => 'DELETE /api/v1/access-tokens/current'],
    ['by its id', ({ id }) => `DELETE /api/v1/access-tokens/${id}`],
    ['by its id in capitals', ({ id }) => `DELETE /api/v1/access-tokens/${id.toUpperCase()}`],
    ['by its integer id', ({ privateId }) => `DELETE /api/v1/auth/private_tokens/${String(privateId)}/`],
  ])('ends its token %s', async (_, lineFor) => {
    const service = await startService();
    const admin = await service.admin();
    const made = await rotated(admin);
    expect((await send(service, lineFor(made), { token: made.earlier })).status).toBe(204);
    for (const plaintext of [made.earlier, made.newest]) expect(await isAccepted(service, plaintext)).toBe(false);
  });

  test.each(['earlier', 'newest'] as const)('ends its token by its plaintext, the %s one', async (which) => {
    const service = await startService();
    const made = await rotated(await service.admin(), []);
    const answer = await send(service, 'POST /oauth/revoke', {
      token: made.earlier,
      body: `token=${made[which]}`,
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    });
    expect(answer.status).toBe(200);
    expect(await isAccepted(service, made.newest)).toBe(false);
  });

  test('does not end its token by its id without the scope for that', async () => {
    const service = await startService();
    const made = await rotated(await service.admin(), ['tokens:read']);
    await expectRefusal(
      service,
      () => send(service, `DELETE /api/v1/access-tokens/${made.id}`, { token: made.earlier }),
      {
        status: 403,
        body: { detail: 'The token lacks a scope: tokens:write.', code: 'insufficient_scope' },
      },
    );
  });

  test('does not take its token over by rotating it', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { plaintext } = await create(client, 'leaked', []);
    const newest = await answered(rotateCurrentAccessToken({ client: service.as(plaintext), body: GRACE }));
    await expectRefusal(service, () => rotateCurrentAccessToken({ client: service.as(plaintext) }), SUPERSEDED);
    expect(await isAccepted(service, newest.plaintext)).toBe(true);
    // The newest one goes on as ever, and ends the earlier one.
    await answered(rotateCurrentAccessToken({ client: service.as(newest.plaintext) }));
    await expectRefusal(service, () => rotateCurrentAccessToken({ client: service.as(plaintext) }), { status: 401 });
  });

  test('of many rotations at the same time one is done, and the others are told why not', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { plaintext } = await create(client, 'busy');
    const answers = await Promise.all(
      Array.from({ length: 12 }, () =>
        send(service, 'POST /api/v1/access-tokens/current/rotate', { token: plaintext, json: GRACE }),
      ),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([200, ...Array.from({ length: 11 }, () => 403)]);
  });
});

describe('a request that an earlier secret made before', () => {
  const KEY = { 'Idempotency-Key': 'k' };
  const REQUESTS: [string, Line, unknown, unknown][] = [
    ['creating', 'POST /api/v1/access-tokens', { name: 'heir' }, { name: 'another heir' }],
    [
      'creating a private token',
      'POST /api/v1/auth/private_tokens/',
      { name: 'heir', expiration_time: '2031-01-01T00:00:00Z' },
      { name: 'heir', expiration_time: '2032-01-01T00:00:00Z' },
    ],
    ['rotating itself', 'POST /api/v1/access-tokens/current/rotate', GRACE, {}],
  ];

  test.each(REQUESTS)('gets its answer again: %s', async (_, line, json, other) => {
    const service = await startService();
    const { client } = await service.admin();
    const { plaintext, token } = await create(client, 'old');
    const ask = (body: unknown, headers: Record<string, string> = KEY, secret = plaintext): Promise<Answer> =>
      send(service, line, { token: secret, json: body, headers });
    const first = await ask(json);
    expect(first.status).toBeLessThan(300);
    let newest = (first.body as { plaintext?: string }).plaintext ?? '';
    if (!line.endsWith('rotate')) {
      const path = { token_id: token.id };
      newest = (await answered(rotateAccessToken({ client, path, body: GRACE }))).plaintext;
    }
    const again = await ask(json);
    expect([again.status, again.text]).toEqual([first.status, first.text]);

    const body = line.includes('private') ? { detail: DETAIL } : SUPERSEDED.body;
    await expectRefusal(service, () => ask(other), { status: 403, body });
    await expectRefusal(service, () => ask({ wrong: true }), { status: 403, body });
    await expectRefusal(service, () => ask(json, {}), { status: 403, body });
    await expectRefusal(service, () => ask(json, { 'Idempotency-Key': 'another' }), { status: 403, body });
    // What the newest secret has sealed is none of its business.
    const sealed = await send(service, 'POST /api/v1/access-tokens', {
      token: newest,
      json: { name: 'sealed' },
      headers: { 'Idempotency-Key': 'of the newest'.replaceAll(' ', '-') },
    });
    expect(sealed.status).toBe(201);
    await expectRefusal(service, () => ask(json, { 'Idempotency-Key': 'of-the-newest' }), { status: 403, body });

    service.clock.advance(60_000);
    await expectRefusal(service, () => ask(json), { status: 401 });
  });
});

describe('an earlier access token of a session', () => {
  /** Two tabs of one session, of which one refreshes. */
  async function refreshed(service: Service) {
    const person = await service.admin();
    const body = { refresh_token: person.session.refresh_token };
    const { access_token } = await answered(refreshSession({ client: service.anonymous, body }));
    const { id } = await answered(getCurrentAccessToken({ client: person.client }));
    return { tab: person, newest: access_token, id };
  }

  test('still writes after another tab has refreshed the session', async () => {
    const service = await startService();
    const { tab, newest, id } = await refreshed(service);
    const { client } = tab;
    const { token } = await create(client, 'made by the other tab');
    const path = { token_id: token.id };
    await answered(updateAccessToken({ client, path, body: { name: 'renamed' } }));
    await answered(rotateAccessToken({ client, path }));
    const expiration_time = '2031-01-01T00:00:00Z';
    await answered(createPrivateToken({ client, body: { name: 'a', expiration_time } }));
    const bulk = { ids: [token.id], dryRun: true };
    const counted = await send(service, 'POST /api/v1/access-tokens/revoke', { token: tab.token, json: bulk });
    expect(counted.status).toBe(200);
    expect((await revokeAccessToken({ client, path })).response.status).toBe(204);
    const user = await send(service, 'PATCH /api/v1/users/1', { token: tab.token, json: { fullName: 'Ada' } });
    expect(user.status).toBe(200);
    // Of its own session it may do all but rotate it.
    const own = { token_id: id };
    await answered(updateAccessToken({ client, path: own, body: { name: 'this laptop' } }));
    expect((await getMe({ client: service.as(newest) })).response.status).toBe(200);
    const { items } = await answered(listAccessTokens({ client, query: { tokenType: 'session' } }));
    expect(items.map(({ name }) => name)).toEqual(['this laptop']);
  });

  test('does not rotate its own session, and rotates another', async () => {
    const service = await startService();
    const { tab, newest, id } = await refreshed(service);
    const { session } = await answered(getMe({ client: (await service.admin()).client }));
    for (const spelling of [id, id.toUpperCase()]) {
      const path = { token_id: spelling };
      await expectRefusal(service, () => rotateAccessToken({ client: tab.client, path, body: GRACE }), SUPERSEDED);
    }
    await expectRefusal(service, () => rotateCurrentAccessToken({ client: tab.client, body: GRACE }), SUPERSEDED);
    await answered(rotateAccessToken({ client: tab.client, path: { token_id: session.sessionId ?? '' }, body: GRACE }));
    await answered(rotateCurrentAccessToken({ client: service.as(newest), body: GRACE }));
    expect(await isAccepted(service, newest)).toBe(true);
  });

  test('does not rotate its session either where the refresh comes while its body is on the way', async () => {
    const service = await startService();
    const person = await service.admin();
    const body = '{"gracePeriodSeconds":60}';
    const held = await holdBack(service, 'POST /api/v1/access-tokens/current/rotate', person.token, body);
    await getMe({ client: person.client });
    const { refresh_token } = person.session;
    const { access_token } = await answered(refreshSession({ client: service.anonymous, body: { refresh_token } }));
    held.write(body.slice(3));
    expect(await held.closed).toMatch(/^HTTP\/1\.1 403 [^]*"superseded_secret"/);
    expect(await isAccepted(service, access_token)).toBe(true);
  });

  test('serves in full after a rotation too, until its grace period ends', async () => {
    const service = await startService();
    const person = await service.admin();
    const { plaintext } = await answered(rotateCurrentAccessToken({ client: person.client, body: GRACE }));
    await create(person.client, 'in the grace period');
    await expectRefusal(service, () => rotateCurrentAccessToken({ client: person.client }), SUPERSEDED);
    service.clock.advance(60_000);
    await expectRefusal(service, () => createAccessToken({ client: person.client, body: { name: 'late' } }), {
      status: 401,
    });
    const current = await answered(getCurrentAccessToken({ client: service.as(plaintext) }));
    const shown = await answered(getAccessToken({ client: service.as(plaintext), path: { token_id: current.id } }));
    expect(shown.tokenPrefix).toBe(plaintext.slice(0, 12));
  });
});

async function isAccepted(service: Service, plaintext: string): Promise<boolean> {
  return (await getMe({ client: service.as(plaintext) })).response.status === 200;
}
