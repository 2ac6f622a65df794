import type { Queries } from '../database/index.js';
import type { Deps } from '../deps.js';
import { ServiceError } from '../errors.js';
import { recordEvent } from '../events/record.js';
import { toInstant, toInstantOrNull } from '../instants.js';
import type { NamedOwner } from './acting.js';
import type { AuthenticatedActor } from './actor.js';
import { requireAdministrator } from './administrators.js';
import type { OwnerKey } from './caller.js';
import { changeToken, getChangeable } from './changeable.js';
import type { Conditions } from './entity-tag.js';
import { type Idempotency, writeOnce } from './once.js';
import { newPlaintext } from './plaintext.js';
import { checkTokenLimit, expiryAfter, fixedForSessions, keptExpiry } from './policy.js';
import { requireScopes, requireScopesOf, WRITE } from './scopes.js';
import { replaceSecret } from './secrets.js';
import { type IssuedToken, readToken } from './token.js';

export interface Rotation {
  /** Seconds for which earlier secrets stay valid, 0 to 604800 (7 days); 0 by default. */
  gracePeriodSeconds?: number | undefined;
  /**
   * The new lifetime: 1 to 365 days from now, or null for no expiry. If the policy has a default or a longest lifetime,
   * null means that lifetime. Undefined keeps the expiry as far as the policy allows; an expired token gets its former
   * lifetime again.
   */
  expiresInDays?: number | null | undefined;
  /** The conditions on the token's entity tag; the rotation fails unless the token meets them. */
  conditions: Conditions;
}

/**
 * Gives the token `uuid` of the caller, or of the owner that `named` names, a new secret and returns the new plaintext. Earlier secrets stay valid until the grace
 * period ends, but not beyond their own expiry. An expired personal access token becomes valid again, by default with
 * its former lifetime.
 *
 * Rejects as `writeOnce` does, and with:
 * - `not_found` if the owner has no such token.
 * - `token_revoked` if the token is revoked.
 * - `precondition_failed` if the token does not meet `conditions`, or another request changed the token meanwhile.
 * - `token_limit_reached` if the token has expired, and the owner has as many unexpired tokens as the policy allows.
 * - `token_expired` if the token is an expired session.
 * - `superseded_secret` if the caller rotates its own token with an earlier secret of that token.
 * - `insufficient_scope` if the token has a scope that the caller lacks, or is a session and the caller is not.
 * - `insufficient_scope` if the new expiry of a personal access token is later and the caller lacks `tokens:write`.
 * - `invalid_input` if the policy forbids the lifetime, or if a lifetime is given for a session.
 */
export function rotateToken(
  deps: Deps,
  actor: AuthenticatedActor,
  named: NamedOwner,
  uuid: string,
  rotation: Rotation,
  idempotency: Idempotency | undefined,
): Promise<IssuedToken> {
  const { caller } = actor;
  return writeOnce(deps, caller, { named, act: 'change' }, idempotency, async (trx, holder, owner, at) => {
    const { token, row } = await getChangeable(trx, owner, uuid, rotation.conditions);
    if (row.id === caller.tokenId) {
      // Only the newest secret may rotate its own token. Otherwise a thief of an earlier secret could get a new secret
      // and take the token over.
      if (holder.secret !== 'newest') throw new ServiceError('superseded_secret');
    } else {
      // The new plaintext has all scopes of the token, so the caller must have all these scopes too.
      requireScopesOf(holder, token);
      await requireAdministrator(trx, caller, token.scopes);
    }

    const expiresAt =
      row.type === 'session'
        ? sessionExpiry(at, row.expires_at, rotation)
        : await patExpiry(deps, trx, owner, at, row, rotation);
    // A later expiry needs `tokens:write`. Otherwise a token without any scope could extend its own lifetime for ever.
    if (row.type === 'pat' && isLater(expiresAt, row.expires_at)) requireScopes(holder, [WRITE]);
    const end = at + (rotation.gracePeriodSeconds ?? 0) * 1_000;
    const plaintext = newPlaintext(deps.config.brand, row.type === 'pat' ? 'pat' : 'ses');
    const replaced = await replaceSecret(trx, row, plaintext, Math.min(end, row.expires_at ?? end), at);
    const lifetimeFrom = expiresAt === row.expires_at ? row.lifetime_from : at;
    await changeToken(trx, row, { ...replaced, expires_at: expiresAt, lifetime_from: lifetimeFrom });
    const rotated = await readToken(trx, row.id);
    await recordEvent(trx, actor, at, {
      action: 'token.rotated',
      owner,
      target: rotated,
      changes: {
        before: { prefix: token.prefix, expiresAt: toInstantOrNull(token.expiresAt) },
        after: {
          prefix: rotated.prefix,
          expiresAt: toInstantOrNull(rotated.expiresAt),
          earlierSecretValidUntil: toInstant(replaced.previous_valid_until),
        },
      },
    });
    return { plaintext, token: rotated };
  });
}

/**
 * Whether the expiry `expiresAt` is later than the expiry `than`. Null means never, which is later than every instant.
 */
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
  // An expired token does not count towards the owner's limit. Its rotation makes it valid, and so adds one token.
  if (expired) await checkTokenLimit(trx, config, owner, at);
  if (expiresInDays !== undefined) return expiryAfter(config, at, expiresInDays);
  return keptExpiry(config, at, expired ? at + (expiresAt - (from ?? createdAt)) : expiresAt);
}

/** Returns the expiry of a session, which a rotation does not change. Throws `invalid_input` and `token_expired`. */
function sessionExpiry(at: number, expiresAt: number | null, { expiresInDays }: Rotation): number | null {
  if (expiresInDays !== undefined) throw fixedForSessions('expiresInDays');
  if (expiresAt === null || expiresAt > at) return expiresAt;
  // The rotation would end the earlier secrets, and return a new secret that has expired already.
  throw new ServiceError('token_expired', { detail: 'The session has expired. Refresh it or log in again.' });
}
