import { type Queries, runPrepared } from '../database/index.js';
import { ServiceError, unauthorized } from '../errors.js';
import type { Caller, SecretState } from './caller.js';
import { type Holder, requireScopes, toScopes } from './scopes.js';
import { isOver } from './verify.js';

/** What a caller may do at a moment, and what has become of the secret that it was let in with. */
export interface CallerState extends Holder {
  secret: SecretState;
}

const servingSecret = (trx: Queries, { digest }: { digest: Uint8Array }) =>
  trx
    .selectFrom('token_secrets as secret')
    .innerJoin('access_tokens as token', 'token.id', 'secret.token_id')
    .innerJoin('users as owner', 'owner.id', 'token.owner_id')
    .innerJoin('scope_sets as scope_set', 'scope_set.id', 'token.scope_set_id')
    .select(['secret.valid_until', 'token.expires_at', 'token.type', 'scope_set.scopes', 'owner.is_admin'])
    .where('secret.digest', '=', digest)
    .where('token.revoked_at', 'is', null)
    .where('token.disabled_at', 'is', null)
    .where('owner.disabled_at', 'is', null);

/**
 * How the caller stands `at` this moment. Rejects with `unauthorized` where its token was stopped, or its owner disabled,
 * since the request was let in: while its body was on the way, say.
 */
export async function readCallerState(
  trx: Queries,
  { secretDigest }: Pick<Caller, 'secretDigest'>,
  at: number,
): Promise<CallerState> {
  const [row] = await runPrepared(trx, servingSecret, { digest: secretDigest.bytes });
  if (row === undefined) throw unauthorized('stopped', { credentialSent: true });
  const ended = isOver(row.valid_until, at) || isOver(row.expires_at, at);
  const secret = ended ? 'ended' : row.valid_until === null ? 'newest' : 'earlier';
  return { secret, type: row.type, scopes: toScopes(row.scopes), ownerIsAdmin: row.is_admin === 1 };
}

/**
 * Why a caller of this state changes nothing: `unauthorized` where its secret has ended, `superseded_secret` where a
 * personal access token has another since. Undefined where it may.
 */
export function rejectionOf({ secret, type }: CallerState): ServiceError | undefined {
  if (secret === 'ended') return unauthorized('ended', { credentialSent: true });
  return secret === 'earlier' && type === 'pat' ? new ServiceError('superseded_secret') : undefined;
}

/**
 * What the caller may do `at` this moment. Rejects with what `readCallerState` rejects with, with what `rejectionOf` gives, and
 * with `insufficient_scope` where the caller does not hold all of `scopes`.
 * Asked in the transaction that changes something, so that nothing is done in the name of a secret that an answer has
 * called dead, and none is born of it.
 */
export async function requireValidCaller(
  trx: Queries,
  caller: Pick<Caller, 'secretDigest'>,
  at: number,
  scopes: readonly string[] = [],
): Promise<Holder> {
  const state = await readCallerState(trx, caller, at);
  const rejection = rejectionOf(state);
  if (rejection !== undefined) throw rejection;
  requireScopes(state, scopes);
  return state;
}
