import type { Updateable } from 'kysely';
import type { Queries } from '../database/index.js';
import type { AccessTokenTable } from '../database/schema.js';
import { ServiceError } from '../errors.js';
import type { OwnerKey } from './caller.js';
import { type Conditions, checkConditions } from './entity-tag.js';
import { isOneOf, toTokenKey } from './find.js';
import { selectVersioned, toVersioned, type VersionedRow, type VersionedToken } from './token.js';

/** A token that may be changed, and the row that the change starts from. */
export interface ChangeableToken {
  token: VersionedToken;
  row: VersionedRow & { scope_set_id: number; lifetime_from: number | null };
}

/**
 * Reads the owner's token in the transaction that changes it. Rejects with `not_found`, also for another owner's token, with
 * `token_revoked`, and with `precondition_failed`.
 */
export async function getChangeable(
  trx: Queries,
  owner: OwnerKey,
  uuid: string,
  conditions: Conditions,
): Promise<ChangeableToken> {
  const row = await selectVersioned(trx)
    .select(['token.scope_set_id', 'token.lifetime_from'])
    .where((eb) => isOneOf(eb, owner, [toTokenKey(uuid)]))
    .executeTakeFirst();
  if (row === undefined) throw new ServiceError('not_found');
  if (row.revoked_at !== null) throw new ServiceError('token_revoked');
  const token = toVersioned(row);
  checkConditions(conditions, token);
  return { token, row };
}

/**
 * Changes a token that was read in the same transaction, and gives it the next version. Rejects with `precondition_failed` if
 * it has another version by now.
 */
export async function changeToken(
  trx: Queries,
  { id, version }: { id: number; version: number },
  change: Omit<Updateable<AccessTokenTable>, 'version'>,
): Promise<void> {
  const { numUpdatedRows } = await trx
    .updateTable('access_tokens')
    .set({ ...change, version: version + 1 })
    .where('id', '=', id)
    .where('version', '=', version)
    .executeTakeFirst();
  if (numUpdatedRows > 0n) return;
  throw new ServiceError('precondition_failed', { detail: 'The token was changed by another request. Try again.' });
}
