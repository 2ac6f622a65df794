import type { Caller } from '../caller.js';
import { type Queries, runPrepared } from '../database/index.js';
import { type ServiceError, unauthorized } from '../errors.js';
import { type Holder, toScopes } from './scopes.js';
import { isOver } from './verify.js';

/** What a caller may do at a moment, and whether the secret that it was let in with has ended since. */
export interface Standing extends Holder {
  ended: boolean;
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
export async function standingOf(
  trx: Queries,
  { secretDigest }: Pick<Caller, 'secretDigest'>,
  at: number,
): Promise<Standing> {
  const [row] = await runPrepared(trx, servingSecret, { digest: secretDigest });
  if (row === undefined) throw unauthorized('stopped', { credentialSent: true });
  const ended = isOver(row.valid_until, at) || isOver(row.expires_at, at);
  return { ended, type: row.type, scopes: toScopes(row.scopes), ownerIsAdmin: row.is_admin === 1 };
}

/**
 * The same, and rejects with `unauthorized` where the secret has ended too. Asked in the transaction that changes
 * something, so that nothing is done in the name of a secret that an answer has called dead, and none is born of it.
 */
export async function requireAlive(trx: Queries, caller: Pick<Caller, 'secretDigest'>, at: number): Promise<Holder> {
  const standing = await standingOf(trx, caller, at);
  if (standing.ended) throw secretEnded();
  return standing;
}

export function secretEnded(): ServiceError {
  return unauthorized('ended', { credentialSent: true });
}
