import { WWWAuthenticateChallengeError } from 'oauth4webapi';
import { describe, expect, test } from 'vitest';
import {
  createAccessToken,
  refreshSession,
  revokeAccessToken,
  rotateAccessToken,
  updateAccessToken,
} from '../../../generated/index.js';
import { bearer, create, get, isAccepted, REVOKE, revoke, sendForm, WAYS } from '../../support/oauth.js';
import { presentTokens } from '../../support/presented.js';
import { expectNoSecret } from '../../support/refusal.js';
import { answered, DAY, MINUTE, startService } from '../../support/service.js';
import { shareService } from '../../support/shared.js';
import { contentOf } from '../../support/store.js';

const shared = shareService(presentTokens);

describe('revoking', () => {
  test.each(WAYS)('by %s ends a token from the answer on, and answers 200 without a body', async (_, authOf) => {
    const service = await startService();
    const { client, token: own } = await service.admin();
    const { plaintext, token } = await create(client);
    service.clock.advance(MINUTE);
    const response = await revoke(service, authOf(own), plaintext);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('');
    expect(response.headers.get('Content-Type')).toBeNull();
    expect(await isAccepted(service, plaintext)).toBe(false);
    expect((await get(client, token.id)).revokedAt).toBe('2030-06-15T12:01:00.000Z');
  });

  test.each(WAYS)('by %s ends the very token that it is asked with', async (_, authOf) => {
    const service = await startService();
    const { client } = await service.admin();
    const { plaintext } = await create(client);
    await revoke(service, authOf(plaintext), plaintext);
    expect(await isAccepted(service, plaintext)).toBe(false);
    await expect(revoke(service, authOf(plaintext), plaintext)).rejects.toThrow(WWWAuthenticateChallengeError);
  });

  test('ends somebody else’s token: to hold it is authority enough', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const finder = await service.newUser();
    const [leaked, other] = [await create(client), await create(client)];
    const allowedNothing = await answered(
      createAccessToken({ client: finder.client, body: { name: 'scanner', scopes: [] } }),
    );
    await revoke(service, bearer(allowedNothing.plaintext), leaked.plaintext);
    expect(await isAccepted(service, leaked.plaintext)).toBe(false);
    expect(await isAccepted(service, other.plaintext)).toBe(true);
  });

  test.each([
    ['session token', 'access_token'],
    ['refresh token', 'refresh_token'],
  ] as const)('of a %s ends its session, and no other of the same user', async (_, member) => {
    const service = await startService();
    const admin = await service.admin();
    const { session, email, password } = await service.newUser();
    const other = await service.logIn(email, password);
    await revoke(service, bearer(admin.token), session[member]);
    expect(await isAccepted(service, session.access_token)).toBe(false);
    const body = { refresh_token: session.refresh_token };
    expect((await refreshSession({ client: service.anonymous, body })).response.status).toBe(401);
    expect(await isAccepted(service, other.token)).toBe(true);
  });

  test('of a spent refresh token ends the session that it was refreshed to', async () => {
    const service = await startService();
    const admin = await service.admin();
    const { session } = await service.newUser();
    const body = { refresh_token: session.refresh_token };
    const refreshed = await answered(refreshSession({ client: service.anonymous, body }));
    await revoke(service, bearer(admin.token), session.refresh_token);
    expect(await isAccepted(service, refreshed.access_token)).toBe(false);
  });

  test('of an earlier secret in its grace period ends the token with all its secrets', async () => {
    const service = await startService();
    const { client, token: own } = await service.admin();
    const { plaintext, token } = await create(client);
    const body = { gracePeriodSeconds: 60 };
    const rotated = await answered(rotateAccessToken({ client, path: { token_id: token.id }, body }));
    service.clock.advance(MINUTE - 1);
    await revoke(service, bearer(own), plaintext);
    for (const secret of [plaintext, rotated.plaintext]) expect(await isAccepted(service, secret)).toBe(false);
  });

  test('of a token that is disabled or has expired ends it for good', async () => {
    const service = await startService();
    const before = await service.admin();
    const [disabled, expired] = [await create(before.client), await create(before.client, 1)];
    await updateAccessToken({
      client: before.client,
      path: { token_id: disabled.token.id },
      body: { disabled: true },
    });
    service.clock.advance(DAY);
    const { client, token: own } = await service.admin();
    for (const { plaintext, token } of [disabled, expired]) {
      await revoke(service, bearer(own), plaintext);
      const { response } = await rotateAccessToken({ client, path: { token_id: token.id } });
      expect(response.status).toBe(409);
      expect((await get(client, token.id)).revokedAt).toBe('2030-06-16T12:00:00.000Z');
    }
  });

  test.each([
    'nonsense',
    'a token nobody was given',
    'a session token nobody was given',
    'an earlier secret without a grace period',
    'an earlier secret after its grace period',
    'a revoked token',
    'a session that was logged out of',
  ] as const)('of %s is 200 without a body too, and changes nothing', async (name) => {
    const { service, made } = await shared();
    const { plaintext } = made.tokens[name];
    const before = await contentOf(service);
    const answer = await sendForm(service, REVOKE, `token=${plaintext}`, { token: made.asker.token });
    expect(answer).toMatchObject({ status: 200, text: '', headers: { 'content-length': '0' } });
    expect(await contentOf(service)).toEqual(before);
    await expectNoSecret(service, answer, [plaintext.slice(13) || plaintext]);
  });

  test('of an expired refresh token changes nothing', async () => {
    const service = await startService();
    const { session } = await service.newUser();
    service.clock.advance(14 * DAY);
    const admin = await service.admin();
    const before = await contentOf(service);
    await revoke(service, bearer(admin.token), session.refresh_token);
    expect(await contentOf(service)).toEqual(before);
  });

  test('of a token that is revoked already keeps its first instant', async () => {
    const service = await startService();
    const { client, token: own } = await service.admin();
    const { plaintext, token } = await create(client);
    await revokeAccessToken({ client, path: { token_id: token.id } });
    const { revokedAt } = await get(client, token.id);
    service.clock.advance(MINUTE);
    await revoke(service, bearer(own), plaintext);
    expect((await get(client, token.id)).revokedAt).toBe(revokedAt);
  });

  test('of many at once by many ends each', async () => {
    const service = await startService();
    const { client, token: own } = await service.admin();
    const made = await Promise.all(Array.from({ length: 20 }, () => create(client)));
    const both = [...made, ...made].map(({ plaintext }) => revoke(service, bearer(own), plaintext));
    for (const { status } of await Promise.all(both)) expect(status).toBe(200);
    for (const { plaintext } of made) expect(await isAccepted(service, plaintext)).toBe(false);
  });
});
