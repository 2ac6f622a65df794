import {
  type AccessToken,
  createAccessToken,
  getAccessToken,
  getMe,
  logOut,
  refreshSession,
  revokeAccessToken,
  rotateAccessToken,
  updateAccessToken,
} from '../../generated/index.js';
import { openUsers } from '../../server/index.js';
import { withChecksum } from './plaintext.js';
import { answered, type Client, DAY, HOUR, type Person, type Service } from './service.js';

/** A token that a test sends for verification, and the expected answer. */
export interface Presented {
  plaintext: string;
  /** The token's record, with the expiry of the secret that is sent; null if the secret does not exist. */
  token: AccessToken | null;
  owner: Person | null;
}

export type PresentedName = (typeof VALID)[number] | (typeof NOT_VALID)[number][0];

/** Valid tokens. */
export const VALID = [
  'a token without an expiry',
  'a token with one',
  'a session',
  'an earlier secret in its grace period',
  "a refreshed session's earlier secret",
] as const;

/** Tokens that are not valid, each with the code that says why. */
export const NOT_VALID = [
  ['nonsense', 'malformed'],
  ['a refresh token', 'malformed'],
  ['a token nobody was given', 'unknown'],
  ['a session token nobody was given', 'unknown'],
  ['an expired token', 'expired'],
  ['an expired session', 'expired'],
  ['an earlier secret without a grace period', 'expired'],
  ['an earlier secret after its grace period', 'expired'],
  ['a revoked token', 'revoked'],
  ['a session that was logged out of', 'revoked'],
  ['a disabled token', 'disabled'],
  ['a token of a disabled user', 'owner_disabled'],
] as const;

/** Creates one token for each name above, and another user, `asker`, who verifies them. Moves the clock by a day. */
export async function presentTokens(
  service: Service,
): Promise<{ asker: Person; tokens: Record<PresentedName, Presented> }> {
  const before = await service.newUser('owner@example.org');
  const leaver = await service.newUser('leaver@example.org');
  const make = (client: Client, expiresInDays: number | null = null) =>
    answered(createAccessToken({ client, body: { name: 'deploy bot', expiresInDays } }));
  const rotate = (token_id: string, gracePeriodSeconds: number) =>
    answered(rotateAccessToken({ client: before.client, path: { token_id }, body: { gracePeriodSeconds } }));

  const lasting = await make(before.client);
  const limited = await make(before.client, 30);
  const expired = await make(before.client, 1);
  const inGrace = await make(before.client, 30);
  await rotate(inGrace.token.id, (2 * DAY) / 1_000);
  const cutOff = await make(before.client);
  await rotate(cutOff.token.id, 0);
  const afterGrace = await make(before.client);
  await rotate(afterGrace.token.id, HOUR / 1_000);
  const revoked = await make(before.client);
  await revokeAccessToken({ client: before.client, path: { token_id: revoked.token.id } });
  const disabled = await make(before.client);
  await answered(
    updateAccessToken({ client: before.client, path: { token_id: disabled.token.id }, body: { disabled: true } }),
  );
  const orphaned = await make(leaver.client);
  const orphanedRecord = await answered(
    getAccessToken({ client: leaver.client, path: { token_id: orphaned.token.id } }),
  );
  const expiredSession = await sessionId(before.client);

  service.clock.advance(DAY);
  const users = await openUsers(service.database);
  await users.disable(leaver.email);
  await users.close();

  const asker = await service.admin();
  const owner = await service.logIn(before.email, before.password);
  const refreshed = await service.logIn(before.email, before.password);
  const refreshedId = await sessionId(refreshed.client);
  const { refresh_token } = refreshed.session;
  service.clock.advance(HOUR / 2);
  const { refresh_token: refreshToken } = await answered(
    refreshSession({ client: service.anonymous, body: { refresh_token } }),
  );
  const loggedOut = await service.logIn(before.email, before.password);
  const loggedOutId = await sessionId(loggedOut.client);
  await logOut({ client: loggedOut.client });

  const record = (token_id: string) => answered(getAccessToken({ client: owner.client, path: { token_id } }));
  const newest = async (plaintext: string, id: string): Promise<Presented> => ({
    plaintext,
    token: await record(id),
    owner,
  });
  const earlier = async (plaintext: string, id: string): Promise<Presented> => {
    const token = await record(id);
    return { plaintext, token: { ...token, expiresAt: token.previousSecret?.validUntil ?? null }, owner };
  };
  const unproven = (plaintext: string): Presented => ({ plaintext, token: null, owner: null });

  return {
    asker,
    tokens: {
      'a token without an expiry': await newest(lasting.plaintext, lasting.token.id),
      'a token with one': await newest(limited.plaintext, limited.token.id),
      'a session': await newest(owner.token, await sessionId(owner.client)),
      'an earlier secret in its grace period': await earlier(inGrace.plaintext, inGrace.token.id),
      "a refreshed session's earlier secret": await earlier(refreshed.token, refreshedId),
      nonsense: unproven('nonsense'),
      'a refresh token': unproven(refreshToken),
      'a token nobody was given': unproven(withChecksum(`lk_pat_${'0'.repeat(30)}`)),
      'a session token nobody was given': unproven(withChecksum(`lk_ses_${'0'.repeat(30)}`)),
      'an expired token': await newest(expired.plaintext, expired.token.id),
      'an expired session': await newest(before.token, expiredSession),
      'an earlier secret without a grace period': await earlier(cutOff.plaintext, cutOff.token.id),
      'an earlier secret after its grace period': await earlier(afterGrace.plaintext, afterGrace.token.id),
      'a revoked token': await newest(revoked.plaintext, revoked.token.id),
      'a session that was logged out of': await newest(loggedOut.token, loggedOutId),
      'a disabled token': await newest(disabled.plaintext, disabled.token.id),
      'a token of a disabled user': { plaintext: orphaned.plaintext, token: orphanedRecord, owner: leaver },
    },
  };
}

async function sessionId(client: Client): Promise<string> {
  return (await answered(getMe({ client }))).session.sessionId ?? 'no session';
}
