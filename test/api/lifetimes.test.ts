import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createAccessToken,
  getCurrentAccessToken,
  rotateAccessToken,
  rotateCurrentAccessToken,
  updateAccessToken,
  verifyAccessToken,
} from '../../generated/index.js';
import type { ServerOptions } from '../../server/index.js';
import { send } from '../support/http.js';
import { ANY_STRING } from '../support/matchers.js';
import { expectRefusal } from '../support/refusal.js';
import { answered, type Client, DAY, HOUR, MINUTE, type Service, startService } from '../support/service.js';

// Nobody who may not write tokens gets more time than they were given.

const ROTATE = 'POST /api/v1/access-tokens/current/rotate' as const;
const LACKS_WRITE = {
  status: 403,
  body: { detail: 'The token lacks a scope: tokens:write.', code: 'insufficient_scope' },
};

async function create(client: Client, scopes: readonly string[], expiresInDays: number | null) {
  return await answered(createAccessToken({ client, body: { name: 'short', scopes: [...scopes], expiresInDays } }));
}

async function expiryOf(client: Client): Promise<string | null> {
  return (await answered(getCurrentAccessToken({ client }))).expiresAt;
}

const STRICT: ServerOptions = { defaultLifetimeDays: 90, maxLifetimeDays: 90, requireExpiry: true };

describe('a token without tokens:write', () => {
  const POLICIES: [string, ServerOptions][] = [
    ['no policy', {}],
    ['a default', { defaultLifetimeDays: 30 }],
    ['a maximum', { maxLifetimeDays: 90 }],
    ['a default, a maximum and an expiry that is required', STRICT],
  ];
  test.each(POLICIES)('gains no time by rotating itself, with %s', async (_, policy) => {
    const service = await startService(policy);
    const { client } = await service.admin();
    for (const scopes of [[], ['tokens:read'], ['tokens:verify', 'a/tokens:write', 'Tokens:write']]) {
      const { plaintext, token } = await create(client, scopes, 1);
      service.clock.advance(MINUTE);
      for (const expiresInDays of [null, 1, 2, 90]) {
        const answer = await expectRefusal(
          service,
          () => send(service, ROTATE, { token: plaintext, json: { expiresInDays, gracePeriodSeconds: 60 } }),
          LACKS_WRITE,
        );
        expect(answer.headers['www-authenticate']).toBe('Bearer error="insufficient_scope", scope="tokens:write"');
      }
      expect(await expiryOf(service.as(plaintext))).toBe(token.expiresAt);
    }
  });

  test('keeps its expiry by rotating itself, and may bring it forward', async () => {
    const service = await startService({ defaultLifetimeDays: 30 });
    const { client } = await service.admin();
    const { plaintext, token } = await create(client, [], 2);
    const same = await answered(rotateCurrentAccessToken({ client: service.as(plaintext) }));
    expect(same.token.expiresAt).toBe(token.expiresAt);
    // To the same instant is no later.
    const body = { expiresInDays: 2 };
    const equal = await answered(rotateCurrentAccessToken({ client: service.as(same.plaintext), body }));
    expect(equal.token.expiresAt).toBe(token.expiresAt);
    const sooner = await answered(
      rotateCurrentAccessToken({ client: service.as(equal.plaintext), body: { expiresInDays: 1 } }),
    );
    expect(sooner.token.expiresAt).toBe(new Date(service.clock.now() + DAY).toISOString());
    await expectRefusal(
      service,
      () => rotateCurrentAccessToken({ client: service.as(sooner.plaintext), body }),
      LACKS_WRITE,
    );
  });

  test('that never expires stays so, or gets an expiry', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { plaintext } = await create(client, [], null);
    const same = await answered(
      rotateCurrentAccessToken({ client: service.as(plaintext), body: { expiresInDays: null } }),
    );
    expect(same.token.expiresAt).toBeNull();
    const bounded = await answered(
      rotateCurrentAccessToken({ client: service.as(same.plaintext), body: { expiresInDays: 365 } }),
    );
    expect(bounded.token.expiresAt).not.toBeNull();
    await expectRefusal(
      service,
      () => rotateCurrentAccessToken({ client: service.as(bounded.plaintext), body: { expiresInDays: null } }),
      LACKS_WRITE,
    );
  });

  test('hears first what is wrong with the lifetime that it asks for', async () => {
    const service = await startService({ maxLifetimeDays: 90, requireExpiry: true });
    const { client } = await service.admin();
    const { plaintext } = await create(client, [], 1);
    for (const expiresInDays of [0, 91, 366, null, '2']) {
      await expectRefusal(service, () => send(service, ROTATE, { token: plaintext, json: { expiresInDays } }), {
        status: 422,
        body: { detail: [{ loc: ['body', 'expiresInDays'], msg: ANY_STRING, type: ANY_STRING }] },
      });
    }
  });

  test('gains no time by repeating a rotation under its key', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { plaintext, token } = await create(client, [], 1);
    const headers = { 'Idempotency-Key': 'a-key-that-nobody-guesses' };
    const rotate = (json: unknown) => send(service, ROTATE, { token: plaintext, json, headers });
    await expectRefusal(service, () => rotate({ expiresInDays: 2 }), LACKS_WRITE);
    const first = await rotate({});
    expect(first).toMatchObject({ status: 200, body: { token: { expiresAt: token.expiresAt } } });
    service.clock.advance(MINUTE);
    expect((await rotate({})).text).toBe(first.text);
  });
});

describe('who may write tokens', () => {
  test('gives itself and others any time that the policy allows, however soon it ends', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const writer = await create(client, ['tokens:write'], 1);
    const other = await create(client, [], 1);
    const own = service.as(writer.plaintext);
    const path = { token_id: other.token.id };
    expect((await create(own, [], null)).token.expiresAt).toBeNull();
    const inAYear = new Date(service.clock.now() + 365 * DAY).toISOString();
    const body = { expiresInDays: 365 };
    expect((await answered(updateAccessToken({ client: own, path, body }))).expiresAt).toBe(inAYear);
    const unbounded = { expiresInDays: null };
    expect((await answered(rotateAccessToken({ client: own, path, body: unbounded }))).token.expiresAt).toBeNull();
    expect((await answered(rotateCurrentAccessToken({ client: own, body: unbounded }))).token.expiresAt).toBeNull();
  });

  test('brings an expired token back', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const writer = await create(client, ['tokens:write'], 3);
    const other = await create(client, [], 1);
    service.clock.advance(2 * DAY);
    const path = { token_id: other.token.id };
    const { token } = await answered(rotateAccessToken({ client: service.as(writer.plaintext), path }));
    expect(token.expiresAt).toBe(new Date(service.clock.now() + DAY).toISOString());
  });
});

describe('over random requests', () => {
  const days = fc.constantFrom(undefined, null, 1, 2, 30, 365);
  const action = fc.record({
    kind: fc.constantFrom('rotate', 'rotate by id', 'edit', 'create', 'create private', 'wait'),
    days,
    grace: fc.constantFrom(0, 60, 604_800),
    hours: fc.integer({ min: 1, max: 6 }),
    key: fc.constantFrom(undefined, 'the-first-key-of-theirs', 'another-key-of-theirs'),
  });
  type Action = typeof action extends fc.Arbitrary<infer Wish> ? Wish : never;

  test('a token that may not write holds nothing any more when its time is over', async () => {
    const service = await startService();
    const { client: session } = await service.admin();
    const verifier = await create(session, ['tokens:verify', 'tokens:write'], null);
    const client = service.as(verifier.plaintext);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom([], ['tokens:verify']),
        fc.array(action, { maxLength: 8 }),
        async (scopes, actions) => {
          const start = service.clock.now();
          const { plaintext, token } = await create(client, scopes, 1);
          const held = [plaintext];
          for (const step of actions) held.push(...(await act(service, step, token.id, held.at(-1) ?? '')));
          service.clock.set(start + DAY);
          for (const one of held) {
            const verdict = await answered(verifyAccessToken({ client, body: { token: one } }));
            expect(verdict.code).toBe('expired');
          }
        },
      ),
      { numRuns: 25 },
    );
  }, 60_000);

  /** The plaintexts that it gained. */
  async function act(service: Service, { kind, days, grace, hours, key }: Action, id: string, token: string) {
    const lifetime = days === undefined ? {} : { expiresInDays: days };
    const rotation = { ...lifetime, gracePeriodSeconds: grace };
    const requests = {
      rotate: [ROTATE, rotation],
      'rotate by id': [`POST /api/v1/access-tokens/${id}/rotate`, rotation],
      edit: [`PATCH /api/v1/access-tokens/${id}`, { name: 'a', ...lifetime }],
      create: ['POST /api/v1/access-tokens', { name: 'heir', ...lifetime }],
      'create private': [
        'POST /api/v1/auth/private_tokens/',
        { name: 'heir', expiration_time: '2090-01-01T00:00:00Z' },
      ],
    } as const;
    if (kind === 'wait') {
      service.clock.advance(hours * HOUR);
      return [];
    }
    const [line, json] = requests[kind];
    const { body } = await send(service, line, { token, json, headers: { 'Idempotency-Key': key } });
    const { plaintext, data } = body as { plaintext?: string; data?: string };
    return [plaintext, data].filter((text) => text !== undefined);
  }
});
