import type { Queries } from '../database/index.js';
import type { Deps } from '../deps.js';
import { ServiceError } from '../errors.js';
import type { AuthenticatedActor } from './actor.js';
import type { OwnerKey } from './caller.js';
import { changeToken, getChangeable } from './changeable.js';
import type { Conditions } from './entity-tag.js';
import { type Attempt, writeOnce } from './once.js';
import { newPlaintext } from './plaintext.js';
import { checkTokenLimit, expiryAfter, fixedForSessions, keptExpiry } from './policy.js';
import { requireScopes, requireScopesOf, WRITE } from './scopes.js';
import { replaceSecret } from './secrets.js';
import { type IssuedToken, readToken } from './token.js';

export interface Rotation {
  /** Seconds that earlier secrets stay valid, 0 to 604800; 0 by default. */
  gracePeriodSeconds?: number | undefined;
  /** 1 to 365 days from now; null for no expiry, undefined for the token's own lifetime. */
  expiresInDays?: number | null | undefined;
  conditions: Conditions;
}

/**
 * Gives the caller's token a new secret and returns its plaintext. Earlier secrets stay valid until the grace period ends,
 * but not beyond their own expiry. An expired token becomes valid again, by default with its former lifetime.
 *
 * Rejects with `not_found`, `token_revoked`, `precondition_failed` and `token_limit_reached`; with `token_expired` for an
 * expired session; with `superseded_secret` if an earlier secret rotates its own token; with `insufficient_scope` if the
 * token has more scopes than the caller, or if a caller without `tokens:write` would gain time; with `invalid_input` for a
 * lifetime that the policy forbids, and for a lifetime of a session; and as `writeOnce` does.
 */
export function rotateToken(
  deps: Deps,
  { caller }: AuthenticatedActor,
  uuid: string,
  rotation: Rotation,
  attempt: Attempt | undefined,
): Promise<IssuedToken> {
  return writeOnce(deps, caller, attempt, async (trx, holder, at) => {
    const { token, row } = await getChangeable(trx, caller, uuid, rotation.conditions);
    if (row.id === caller.tokenId) {
      // Otherwise whoever found an earlier secret could take the token or session over.
      if (holder.secret !== 'newest') throw new ServiceError('superseded_secret');
    } else {
      // The new plaintext has all the token's scopes, so the caller must have them too.
      requireScopesOf(holder, token);
    }

    const expiresAt =
      row.type === 'session'
        ? sessionExpiry(at, row.expires_at, rotation)
        : await patExpiry(deps, trx, caller, at, row, rotation);
    // Otherwise a token without any scope could extend its own life for ever.
    if (row.type === 'pat' && isLater(expiresAt, row.expires_at)) requireScopes(holder, [WRITE]);
    const end = at + (rotation.gracePeriodSeconds ?? 0) * 1_000;
    const plaintext = newPlaintext(deps.config.brand, row.type === 'pat' ? 'pat' : 'ses');
    const replaced = await replaceSecret(trx, row, plaintext, Math.min(end, row.expires_at ?? end), at);
    const lifetimeFrom = expiresAt === row.expires_at ? row.lifetime_from : at;
    await changeToken(trx, row, { ...replaced, expires_at: expiresAt, lifetime_from: lifetimeFrom });
    return { plaintext, token: await readToken(trx, row.id) };
  });
}

/** Whether `expiresAt` is later than `than`; null, never, is the latest. */
function isLater(expiresAt: number | null, than: number | null): boolean {
  return than !== null && (expiresAt === null || expiresAt > than);
}

interface Life {
  created_at: number;
  lifetime_from: number | null;
  expires_at: number | null;
}

async function patExpiry(
  { config }: Deps,
  trx: Queries,
  owner: OwnerKey,
  at: number,
  { created_at: createdAt, lifetime_from: from, expires_at: expiresAt }: Life,
  { expiresInDays }: Rotation,
): Promise<number | null> {
  const expired = expiresAt !== null && expiresAt <= at;
  // An expired token does not count towards the limit; a rotated one does.
  if (expired) await checkTokenLimit(trx, config, owner, at);
  if (expiresInDays !== undefined) return expiryAfter(config, at, expiresInDays);
  return keptExpiry(config, at, expired ? at + (expiresAt - (from ?? createdAt)) : expiresAt);
}

/** The expiry of a session after a rotation: unchanged. */
function sessionExpiry(at: number, expiresAt: number | null, { expiresInDays }: Rotation): number | null {
  if (expiresInDays !== undefined) throw fixedForSessions('expiresInDays');
  if (expiresAt === null || expiresAt > at) return expiresAt;
  // A new secret would not be valid, and yet supersede the others.
  throw new ServiceError('token_expired', { detail: 'The session has expired. Refresh it or log in again.' });
}
