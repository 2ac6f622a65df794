import type { Config } from '../config/config.js';
import type { Queries } from '../database/index.js';
import { invalidInput, ServiceError } from '../errors.js';
import type { OwnerKey } from './caller.js';

// The operator's policy for personal access tokens. It does not apply to sessions.

const DAY = 86_400_000;

type Policy = Pick<Config, 'defaultLifetimeDays' | 'maxLifetimeDays' | 'requireExpiry' | 'maxTokensPerOwner'>;

/** The requested lifetime of a token: days (access tokens API) or an instant (private tokens API). */
export type Lifetime = { days: number | null | undefined } | { until: number };

/** The expiry of a token created at `at`: milliseconds since 1970, null for never. Throws `invalid_input`. */
export function expiryOf(policy: Policy, at: number, lifetime: Lifetime): number | null {
  if ('days' in lifetime) return expiryAfter(policy, at, lifetime.days);
  checkExpiration(policy, at, lifetime.until);
  return lifetime.until;
}

/**
 * The expiry `days` after `at`: milliseconds since 1970, null for never. Without `days`, the policy's default lifetime
 * applies, or its longest one. Throws `invalid_input`, which names the bound.
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

/** Throws `invalid_input` for an instant in the past, or later than the policy allows. */
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

/** The expiry after a rotation that names none: as before, shortened to what the policy now allows. */
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
 * Rejects with `token_limit_reached` if the owner has so many unexpired personal access tokens that the policy does not allow
 * `added` more. Call it in the transaction that adds them, so that two requests cannot take the last place.
 */
export async function checkTokenLimit(
  trx: Queries,
  policy: Pick<Policy, 'maxTokensPerOwner'>,
  owner: OwnerKey,
  at: number,
  added = 1,
): Promise<void> {
  const { maxTokensPerOwner: most } = policy;
  if (most === null) return;
  const count = await countLimited(trx, owner, at);
  if (count + added <= most) return;
  const wish = added === 1 ? '' : ` would get ${String(added)} more,`;
  throw new ServiceError('token_limit_reached', {
    detail: `The owner has ${String(count)} tokens,${wish} and at most ${String(most)} are allowed. Revoke one first.`,
  });
}

/** Counts the owner's tokens to which the limit applies: personal access tokens that are valid or disabled. */
export async function countLimited(queries: Queries, owner: OwnerKey, at: number): Promise<number> {
  const { count } = await queries
    .selectFrom('access_tokens')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('owner_id', '=', owner.ownerId)
    .where('organization_id', '=', owner.organizationId)
    .where('type', '=', 'pat')
    .where('revoked_at', 'is', null)
    .where(({ or, eb }) => or([eb('expires_at', 'is', null), eb('expires_at', '>', at)]))
    .executeTakeFirstOrThrow();
  return count;
}
