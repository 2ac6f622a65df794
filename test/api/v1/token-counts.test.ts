import { expect, test } from 'vitest';
import {
  countAccessTokens,
  createAccessToken,
  getTokenLimits,
  listAccessTokens,
  revokeAccessToken,
  updateAccessToken,
} from '../../../generated/index.js';
import { send } from '../../support/http.js';
import { expectRefusal } from '../../support/refusal.js';
import { answered, type Client, DAY, startService } from '../../support/service.js';

const STATES = ['active', 'expiring', 'expired', 'revoked', 'disabled'] as const;

async function create(client: Client, name: string, expiresInDays: number | null, scopes?: string[]): Promise<string> {
  const body = { name, expiresInDays, ...(scopes && { scopes }) };
  return (await answered(createAccessToken({ client, body }))).token.id;
}

/** Tokens in every state, and in every two that a token can be in at once. */
async function fill(client: Client, advance: (days: number) => void): Promise<void> {
  for (const name of ['expired', 'expired and disabled', 'expired and revoked']) await create(client, name, 1);
  for (const name of ['expiring', 'expiring and disabled']) await create(client, name, 9);
  for (const name of ['active', 'active a', 'disabled', 'revoked']) await create(client, name, null, ['a:b']);
  const { items } = await answered(listAccessTokens({ client, query: { tokenType: 'pat' } }));
  for (const { id, name } of items) {
    if (name.includes('disabled'))
      await answered(updateAccessToken({ client, path: { token_id: id }, body: { disabled: true } }));
    if (name.includes('revoked')) await revokeAccessToken({ client, path: { token_id: id } });
  }
  advance(3);
}

test('each count is the number of tokens that the list shows in that state, with the same filters', async () => {
  const service = await startService({ sessionMinutes: 1_440 });
  const first = await service.admin();
  await fill(first.client, (days) => {
    service.clock.advance(days * DAY);
  });
  const { client, session } = await service.admin();
  const other = await service.newUser();
  await create(other.client, "another user's", null);

  for (const filter of [
    {},
    { tokenType: 'pat' as const },
    { tokenType: 'session' as const },
    { q: 'DIS' },
    { scope: 'a:b' },
    { neverUsed: true },
    { tokenType: 'pat' as const, q: 'a', scope: 'a:b', neverUsed: true },
    { owner: other.session.id },
  ]) {
    const counts = await answered(countAccessTokens({ client, query: filter }));
    for (const state of STATES) {
      const { items } = await answered(listAccessTokens({ client, query: { ...filter, state } }));
      expect([filter, state, counts[state]]).toEqual([filter, state, items.length]);
    }
  }
  const counts = await answered(countAccessTokens({ client, query: { tokenType: 'pat' } }));
  expect(counts).toEqual({ active: 3, expiring: 1, expired: 2, revoked: 2, disabled: 3 });
  const none = { active: 0, expiring: 0, expired: 0, revoked: 0, disabled: 0 };
  expect(await answered(countAccessTokens({ client, query: { q: 'nothing' } }))).toEqual(none);

  // Only an administrator counts what others own, and the word for a state is no filter here.
  const owner = `GET /api/v1/access-tokens/counts?owner=${String(session.id)}` as const;
  await expectRefusal(service, () => send(service, owner, { token: other.token }), { status: 403 });
  const line = 'GET /api/v1/access-tokens/counts?state=active';
  await expectRefusal(service, () => send(service, line, { token: other.token }), { status: 422 });
});

test('the limits are those of the policy, and count what they limit', async () => {
  const policy = { defaultLifetimeDays: 30, maxLifetimeDays: 90, requireExpiry: true, maxTokensPerOwner: 4 };
  const service = await startService(policy);
  const { client } = await service.admin();
  expect(await answered(getTokenLimits({ client }))).toEqual({ ...policy, tokenCount: 0 });
  const id = await create(client, 'revoked', 1);
  await revokeAccessToken({ client, path: { token_id: id } });
  await create(client, 'active', 1);
  const disabled = await create(client, 'disabled', 1);
  await answered(updateAccessToken({ client, path: { token_id: disabled }, body: { disabled: true } }));
  expect(await answered(getTokenLimits({ client }))).toEqual({ ...policy, tokenCount: 2 });
  const free = await startService();
  const none = { defaultLifetimeDays: null, maxLifetimeDays: null, requireExpiry: false, maxTokensPerOwner: null };
  expect(await answered(getTokenLimits({ client: (await free.admin()).client }))).toEqual({ ...none, tokenCount: 0 });
});
