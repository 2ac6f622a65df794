import { type Queries, runPrepared } from '../database/index.js';
import { ServiceError, unauthorized, unavailable } from '../errors.js';
import type { Now } from '../timers.js';
import type { ActingCaller } from './acting.js';
import type { Caller, SecretState } from './caller.js';
import { type Ceiling, toCeiling } from './ceiling.js';
import { isMovingOut } from './leaving.js';
import { type Holder, holds, requireScopes, toScopes } from './scopes.js';
import { isOver } from './verify.js';

/** What a caller may do at a moment, and the state of the secret that authenticated it. */
export interface CallerState extends Holder {
  secret: SecretState;
  /** The moment, in milliseconds since 1970. */
  at: number;
  /** The id of the set of `scopes`. */
  scopeSetId: number;
  /** The most scopes that tokens of the caller's owner can have. */
  ceiling: Ceiling;
}

const servingSecret = (trx: Queries, { digest }: { digest: Uint8Array }) =>
  trx
    .selectFrom('token_secrets as secret')
    .innerJoin('access_tokens as token', 'token.id', 'secret.token_id')
    .innerJoin('users as owner', 'owner.id', 'token.owner_id')
    .innerJoin('scope_sets as scope_set', 'scope_set.id', 'token.scope_set_id')
    .select(['secret.valid_until', 'token.expires_at', 'token.type', 'token.scope_set_id', 'scope_set.scopes'])
    .select(['owner.is_admin', 'owner.disabled_at', 'owner.scopes as ceiling', 'token.owner_id'])
    .where('secret.digest', '=', digest)
    .where('token.revoked_at', 'is', null)
    .where('token.disabled_at', 'is', null)
    .where((eb) => eb.or([eb('owner.disabled_at', 'is', null), isMovingOut(eb)]));

/**
 * Reads the caller's state now. Rejects with `unauthorized` if the token was revoked or disabled, or its owner disabled,
 * since the request was authenticated, for example while its body was arriving. Rejects with `service_unavailable` if the
 * token is given to another owner meanwhile: the request can be sent again, and is then the new owner's.
 */
export async function readCallerState(
  trx: Queries,
  { secretDigest, ownerId }: Pick<Caller, 'secretDigest' | 'ownerId'>,
  now: Now,
): Promise<CallerState> {
  const [row] = await runPrepared(trx, servingSecret, { digest: secretDigest.bytes });
  if (row === undefined) throw unauthorized('stopped', { credentialSent: true });
  if (row.owner_id !== ownerId || row.disabled_at !== null) {
    throw unavailable('The token is given to another owner. Send the request again.');
  }
  const at = now();
  const ended = isOver(row.valid_until, at) || isOver(row.expires_at, at);
  const secret = ended ? 'ended' : row.valid_until === null ? 'newest' : 'earlier';
  return {
    secret,
    at,
    type: row.type,
    scopes: toScopes(row.scopes),
    scopeSetId: row.scope_set_id,
    ownerIsAdmin: row.is_admin === 1,
    ceiling: toCeiling(row.ceiling),
  };
}

/**
 * The error for a caller that must not change anything: `unauthorized` if its secret has expired, `superseded_secret` if it
 * is an earlier secret of a personal access token. Undefined for every other caller.
 */
export function rejectionOf({ secret, type }: CallerState): ServiceError | undefined {
  if (secret === 'ended') return unauthorized('ended', { credentialSent: true });
  return secret === 'earlier' && type === 'pat' ? new ServiceError('superseded_secret') : undefined;
}

/**
 * Returns what the caller may do at the instant `at`. Call it in the transaction that makes a change, so that no change is
 * made for a token whose revocation has been answered.
 *
 * Rejects as `readCallerState` does, with the error of `rejectionOf`, and with `insufficient_scope` if the caller lacks one
 * of `scopes`.
 */
export async function requireValidCaller(
  trx: Queries,
  caller: Pick<Caller, 'secretDigest' | 'ownerId'>,
  at: number,
  scopes: readonly string[] = [],
): Promise<CallerState> {
  return await requireValidCallerNow(trx, caller, () => at, scopes);
}

/** Does the same as `requireValidCaller` at the moment when the caller's state is read. */
export async function requireValidCallerNow(
  trx: Queries,
  caller: Pick<Caller, 'secretDigest' | 'ownerId'>,
  now: Now,
  scopes: readonly string[],
): Promise<CallerState> {
  const state = await readCallerState(trx, caller, now);
  const rejection = rejectionOf(state);
  if (rejection !== undefined) throw rejection;
  requireScopes(state, scopes);
  return state;
}

/** The caller with the scopes that `holder` has at the moment, which may be fewer than when the request was authenticated. */
export function asActing({ organizationId, ownerId, tokenId, tokenType }: Caller, holder: Holder): ActingCaller {
  return { organizationId, ownerId, tokenId, tokenType, holds: (scope) => holds(holder, scope) };
}
