import fc from 'fast-check';
import { ClientSecretBasic } from 'oauth4webapi';
import { describe, expect, test } from 'vitest';
import { createPrivateToken, rotateAccessToken, updateAccessToken } from '../../../generated/index.js';
import { createCountingDatabase } from '../../support/counting-database.js';
import { bearer, create, get, INTROSPECT, introspect, sendForm, toSeconds, WAYS } from '../../support/oauth.js';
import { UNKNOWN_TOKEN } from '../../support/plaintext.js';
import { NOT_VALID, presentTokens, VALID } from '../../support/presented.js';
import { expectNoSecret } from '../../support/refusal.js';
import { answered, DAY, HOUR, MINUTE, SECOND, startService } from '../../support/service.js';
import { shareService } from '../../support/shared.js';

const shared = shareService(presentTokens);

describe('introspecting', () => {
  describe.each(WAYS)('by %s', (_, authOf) => {
    test.each(VALID)('%s tells what it is', async (name) => {
      const { service, made } = await shared();
      const { plaintext, token, owner } = made.tokens[name];
      expect(await introspect(service, authOf(made.asker.token), plaintext)).toEqual({
        active: true,
        token_type: 'Bearer',
        scope: 'tokens:read tokens:verify tokens:write',
        sub: String(owner?.session.id),
        username: owner?.email,
        owner_kind: 'person',
        owner_metadata: {},
        jti: token?.id,
        iat: toSeconds(token?.createdAt ?? ''),
        ...(token?.expiresAt != null && { exp: toSeconds(token.expiresAt) }),
      });
    });

    test.each(NOT_VALID)('%s tells nothing but that it is not active', async (name) => {
      const { service, made } = await shared();
      expect(await introspect(service, authOf(made.asker.token), made.tokens[name].plaintext)).toEqual({
        active: false,
      });
    });

    test('works with a session, with a token, and about the caller itself', async () => {
      const { service, made } = await shared();
      const { plaintext } = made.tokens['a token with one'];
      for (const own of [made.asker.token, plaintext]) {
        expect(await introspect(service, authOf(own), plaintext)).toMatchObject({ active: true });
      }
    });

    test('takes parameters that it does not know, and needs no hint', async () => {
      const { service, made } = await shared();
      const additionalParameters = {
        token_type_hint: 'refresh_token',
        client_id: 'somebody',
        client_secret: UNKNOWN_TOKEN,
        resource: 'https://api.example.org/',
        __proto__x: '',
        constructor: '1',
        'a b&c=d': 'ä😀',
      };
      const { plaintext } = made.tokens['a token with one'];
      const auth = authOf(made.asker.token);
      const plain = await introspect(service, auth, plaintext);
      expect(await introspect(service, auth, plaintext, { additionalParameters })).toEqual(plain);
      expect(plain).toMatchObject({ active: true });
    });

    test('answers JSON to a client that would rather have a JWT', async () => {
      const { service, made } = await shared();
      const { plaintext } = made.tokens['a token with one'];
      const asked = introspect(service, authOf(made.asker.token), plaintext, { requestJwtResponse: true });
      expect(await asked).toMatchObject({ active: true });
    });
  });

  test.each(NOT_VALID)('%s is answered in the same bytes as any other', async (name) => {
    const { service, made } = await shared();
    const { plaintext } = made.tokens[name];
    const answer = await sendForm(service, INTROSPECT, `token=${plaintext}`, { token: made.asker.token });
    expect(answer).toMatchObject({
      status: 200,
      text: '{"active":false}',
      headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
    });
    await expectNoSecret(service, answer, [plaintext.slice(13) || plaintext]);
  });

  test.each(VALID)('%s leaves its plaintext in no answer and no log', async (name) => {
    const { service, made } = await shared();
    const { plaintext } = made.tokens[name];
    const answer = await sendForm(service, INTROSPECT, `token=${plaintext}`, { token: made.asker.token });
    expect(answer.body).toMatchObject({ active: true });
    await expectNoSecret(service, answer, [plaintext.slice(13)]);
  });

  test('never names an end later than the true one', async () => {
    const service = await startService();
    const { client, token } = await service.admin();
    const soonest = service.clock.now() + 1;
    const ends = fc.integer({ min: soonest, max: soonest + 2 * HOUR });
    await fc.assert(
      fc.asyncProperty(ends, async (end) => {
        const expiration_time = new Date(end).toISOString();
        const { data } = await answered(createPrivateToken({ client, body: { name: 'report', expiration_time } }));
        const { exp } = (await introspect(service, ClientSecretBasic(token), data)) as { exp: number };
        expect(exp * SECOND).toBeLessThanOrEqual(end);
        expect(exp * SECOND).toBeGreaterThan(end - SECOND);
      }),
      { numRuns: 50 },
    );
  });

  test('of an earlier secret names the end of its grace period', async () => {
    const service = await startService();
    const { client, token: own } = await service.admin();
    const { plaintext, token } = await create(client, 30);
    const body = { gracePeriodSeconds: HOUR / SECOND };
    const rotated = await answered(rotateAccessToken({ client, path: { token_id: token.id }, body }));
    const endOf = async (secret: string) =>
      ((await introspect(service, bearer(own), secret)) as { exp: number }).exp * SECOND;
    expect(await endOf(plaintext)).toBe(service.clock.now() + HOUR);
    expect(await endOf(rotated.plaintext)).toBe(service.clock.now() + 30 * DAY);
  });

  test('counts as a use of a token that is active, and of no other', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { plaintext: keeper } = await create(client);
    const [used, stopped] = [await create(client), await create(client)];
    await updateAccessToken({ client, path: { token_id: stopped.token.id }, body: { disabled: true } });
    service.clock.advance(MINUTE);
    for (const { plaintext } of [used, stopped]) await introspect(service, bearer(keeper), plaintext);
    await service.restart();
    expect((await get(service.as(keeper), used.token.id)).lastUsedAt).toBe('2030-06-15T12:01:00.000Z');
    expect((await get(service.as(keeper), stopped.token.id)).lastUsedAt).toBeNull();
  });

  test('asks the database once about a token, and not at all about what cannot be one', async () => {
    const counting = createCountingDatabase();
    const service = await startService({ openDatabase: (path) => counting.open(path) });
    const { client, token } = await service.admin();
    const { plaintext } = await create(client);
    const queriesFor = async (presented: string) => {
      const before = counting.queries();
      await introspect(service, ClientSecretBasic(token), presented);
      return counting.queries() - before;
    };
    // One of them authenticates the caller.
    expect(await queriesFor(plaintext)).toBe(2);
    expect(await queriesFor('nonsense')).toBe(1);
  });
});
