import type { Queries } from '../database/index.js';
import type { Deps } from '../deps.js';
import { ServiceError } from '../errors.js';
import type { Caller } from './caller.js';
import { getChangeable } from './changeable.js';
import type { Conditions } from './entity-tag.js';
import { type Attempt, writeOnce } from './once.js';
import { newPlaintext } from './plaintext.js';
import { checkTokenLimit, expiryAfter, fixedForSessions, keptExpiry } from './policy.js';
import { requireScopes, requireScopesOf, WRITE } from './scopes.js';
import { replaceSecret } from './secrets.js';
import { type IssuedToken, readToken } from './token.js';

export interface Rotation {
  /** How long earlier secrets still serve, 0 to 604800; 0 where nothing is said. */
  gracePeriodSeconds?: number | undefined;
  /** 1 to 365, null for no expiry, undefined for the one that the token has. */
  expiresInDays?: number | null | undefined;
  conditions: Conditions;
}

/**
 * Gives the owner's token a new secret and returns its plaintext. Earlier secrets serve until the grace period ends, never
 * beyond their own expiry. An expired token lives again, as long as before where no other lifetime is wished for.
 *
 * Rejects with `not_found`, `token_revoked`, `precondition_failed`, `token_limit_reached`, with `token_expired` for a
 * session, with `superseded_secret` for an earlier secret of a session that rotates it, with `insufficient_scope` for a token of more scopes than the caller's, and for more time where the caller has
 * no `tokens:write`, with `invalid_input` for a lifetime that the policy does not allow or that a session gets, and with
 * what `writeOnce` rejects with.
 */
export function rotateToken(
  deps: Deps,
  caller: Caller,
  uuid: string,
  rotation: Rotation,
  attempt: Attempt | undefined,
): Promise<IssuedToken> {
  return writeOnce(deps, caller, attempt, async (trx, holder, at) => {
    const { token, row } = await getChangeable(trx, caller.ownerId, uuid, rotation.conditions);
    if (row.id === caller.tokenId) {
      // A secret that came before the newest takes nothing over, a session's no more than another token's.
      if (holder.secret !== 'newest') throw new ServiceError('superseded_secret');
    } else {
      // Its plaintext is as good as a new token's.
      requireScopesOf(holder, token);
    }

    const expiresAt =
      row.type === 'session'
        ? sessionExpiry(at, row.expires_at, rotation)
        : await patExpiry(deps, trx, caller.ownerId, at, row, rotation);
    // Else a token that may do nothing would keep itself for ever.
    if (row.type === 'pat' && isLater(expiresAt, row.expires_at)) requireScopes(holder, [WRITE]);
    const end = at + (rotation.gracePeriodSeconds ?? 0) * 1_000;
    const plaintext = newPlaintext(deps.config.brand, row.type === 'pat' ? 'pat' : 'ses');
    await replaceSecret(trx, row, plaintext, Math.min(end, row.expires_at ?? end), at);
    const lifetimeFrom = expiresAt === row.expires_at ? row.lifetime_from : at;
    await trx
      .updateTable('access_tokens')
      .set({ expires_at: expiresAt, lifetime_from: lifetimeFrom })
      .where('id', '=', row.id)
      .execute();
    return { plaintext, token: await readToken(trx, row.id) };
  });
}

/** Null is the latest. */
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
  ownerId: number,
  at: number,
  { created_at: createdAt, lifetime_from: from, expires_at: expiresAt }: Life,
  { expiresInDays }: Rotation,
): Promise<number | null> {
  const expired = expiresAt !== null && expiresAt <= at;
  // It comes back among the tokens that serve.
  if (expired) await checkTokenLimit(trx, config, ownerId, at);
  if (expiresInDays !== undefined) return expiryAfter(config, at, expiresInDays);
  return keptExpiry(config, at, expired ? at + (expiresAt - (from ?? createdAt)) : expiresAt);
}

/** A session lives as long as logging in and refreshing say. */
function sessionExpiry(at: number, expiresAt: number | null, { expiresInDays }: Rotation): number | null {
  if (expiresInDays !== undefined) throw fixedForSessions('expiresInDays');
  if (expiresAt === null || expiresAt > at) return expiresAt;
  // Its new secret would open nothing, and count as the newest all the same.
  throw new ServiceError('token_expired', { detail: 'The session has expired; refresh it, or log in again.' });
}
