import type { Config } from '../config/config.js';
import type { Queries } from '../database/index.js';
import { invalidInput, ServiceError } from '../errors.js';

// What the operator allows. Sessions have lifetimes of their own; this is about personal access tokens.

const DAY = 86_400_000;

type Policy = Pick<Config, 'defaultLifetimeDays' | 'maxLifetimeDays' | 'requireExpiry' | 'maxTokensPerOwner'>;

/** How long a token shall live: as one API states it, or as the other. */
export type Lifetime = { days: number | null | undefined } | { until: number };

/** When a token of this lifetime ends: milliseconds since 1970, null for never. Throws `invalid_input`. */
export function expiryOf(policy: Policy, at: number, lifetime: Lifetime): number | null {
  if ('days' in lifetime) return expiryAfter(policy, at, lifetime.days);
  checkExpiration(policy, at, lifetime.until);
  return lifetime.until;
}

/**
 * When a token ends that shall live `days` from `at` on: milliseconds since 1970, null for never. Where no days are
 * wished for, the default lifetime counts, or else the longest. Throws `invalid_input`, which names the bound.
 */
export function expiryAfter(policy: Policy, at: number, days: number | null | undefined): number | null {
  const { defaultLifetimeDays, maxLifetimeDays, requireExpiry } = policy;
  if (typeof days === 'number') {
    if (maxLifetimeDays !== null && days > maxLifetimeDays) {
      throw invalidInput(
        ['body', 'expiresInDays'],
        'less_than_equal',
        `Input should be less than or equal to ${String(maxLifetimeDays)}, the longest lifetime that this service allows`,
      );
    }
    return at + days * DAY;
  }
  const fallback = defaultLifetimeDays ?? (requireExpiry ? null : maxLifetimeDays);
  if (fallback !== null) return at + fallback * DAY;
  if (!requireExpiry) return null;
  throw invalidInput(
    ['body', 'expiresInDays'],
    'missing',
    `This service requires an expiry: 1 to ${String(Math.min(maxLifetimeDays ?? 365, 365))} days`,
  );
}

/** Throws `invalid_input` for an instant that is past or too far away. */
function checkExpiration({ maxLifetimeDays }: Policy, at: number, expiresAt: number): void {
  const place = ['body', 'expiration_time'];
  if (expiresAt <= at) throw invalidInput(place, 'value_error', 'Input should be in the future');
  if (maxLifetimeDays !== null && expiresAt > at + maxLifetimeDays * DAY) {
    throw invalidInput(
      place,
      'value_error',
      `Input should be at most ${String(maxLifetimeDays)} days from now, the longest lifetime that this service allows`,
    );
  }
}

/** What a lifetime of `expiresAt` becomes where nobody asks for another: kept, as far as the policy of today goes. */
export function keptExpiry(policy: Policy, at: number, expiresAt: number | null): number | null {
  if (expiresAt === null) return expiryAfter(policy, at, null);
  return policy.maxLifetimeDays === null ? expiresAt : Math.min(expiresAt, at + policy.maxLifetimeDays * DAY);
}

/** The error for a change of something that is fixed for sessions. */
export function fixedForSessions(field: 'expiresInDays' | 'scopes'): ServiceError {
  const what = field === 'scopes' ? 'scopes' : 'lifetime';
  return invalidInput(['body', field], 'value_error', `The ${what} of a session cannot be changed`);
}

/**
 * Throws `token_limit_reached` where the owner has no room for one more personal access token that serves. To be asked in
 * the transaction that makes it, so that no two take the last place.
 */
export async function checkTokenLimit(trx: Queries, policy: Policy, ownerId: number, at: number): Promise<void> {
  const { maxTokensPerOwner: most } = policy;
  if (most === null) return;
  const { count } = await trx
    .selectFrom('access_tokens')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('owner_id', '=', ownerId)
    .where('type', '=', 'pat')
    .where('revoked_at', 'is', null)
    .where(({ or, eb }) => or([eb('expires_at', 'is', null), eb('expires_at', '>', at)]))
    .executeTakeFirstOrThrow();
  if (count < most) return;
  throw new ServiceError('token_limit_reached', {
    detail: `The owner has ${String(count)} of at most ${String(most)} tokens; revoke one first.`,
  });
}
