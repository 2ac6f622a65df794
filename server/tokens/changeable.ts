import type { Queries } from '../database/index.js';
import { ServiceError } from '../errors.js';
import { type Conditions, checkConditions } from './entity-tag.js';
import { isOneOf, toTokenKey } from './find.js';
import { type AccessToken, selectTokens, type TokenRow, toAccessToken } from './token.js';

/** A token that may be changed, and the row that the change starts from. */
export interface ChangeableToken {
  token: AccessToken;
  row: TokenRow & { scope_set_id: number; secret_start: Uint8Array; lifetime_from: number | null };
}

/**
 * Reads the owner's token in the transaction that changes it. Rejects with `not_found`, also for another owner's token, with
 * `token_revoked`, and with `precondition_failed`.
 */
export async function getChangeable(
  trx: Queries,
  ownerId: number,
  uuid: string,
  conditions: Conditions,
): Promise<ChangeableToken> {
  const row = await selectTokens(trx)
    .select(['token.scope_set_id', 'token.secret_start', 'token.lifetime_from'])
    .where((eb) => isOneOf(eb, ownerId, [toTokenKey(uuid)]))
    .executeTakeFirst();
  if (row === undefined) throw new ServiceError('not_found');
  if (row.revoked_at !== null) throw new ServiceError('token_revoked');
  const token = toAccessToken(row);
  checkConditions(conditions, token);
  return { token, row };
}
