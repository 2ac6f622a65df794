import type { SelectQueryBuilder } from 'kysely';
import { createRests, type Queries } from '../database/index.js';
import type { AccessTokenTable, Schema } from '../database/schema.js';
import { MOST_IDS } from '../events/changes.js';
import { newestUuids, recordRevocations } from '../events/revocations.js';
import type { OwnerKey } from './caller.js';
import { type Revocation, revoked } from './revocation.js';
import { EVERYTHING, slicesOf } from './slices.js';

/** A selection of tokens of one owner that are not revoked. The query calls the table `token`. */
export type Selected = SelectQueryBuilder<Schema & { token: AccessTokenTable }, 'token', unknown>;

/**
 * Revokes the selected tokens of the owner in the caller's transaction, writes one event, and returns their number. The owner
 * must be locked, so that nobody adds a token meanwhile.
 */
export async function revokeSelected(
  trx: Queries,
  owner: OwnerKey,
  selected: Selected,
  revocation: Revocation,
): Promise<number> {
  const rest = createRests(trx);
  const uuids = await newestUuids(selected);
  if (uuids.length === 0) return 0;
  await rest();
  let count = 0;
  // If all uuids are known, one statement for all reads no more rows than the query for them has read.
  const slices = uuids.length < MOST_IDS ? [EVERYTHING] : slicesOf(trx, owner);
  for await (const { above, upTo } of slices) {
    const slice = selected
      .select('token.id')
      .where('token.created_at', '>', above)
      .where('token.created_at', '<=', upTo);
    const { numUpdatedRows } = await trx
      .updateTable('access_tokens')
      .set(revoked(revocation))
      .where('id', 'in', slice)
      .executeTakeFirst();
    count += Number(numUpdatedRows);
    await rest();
  }
  await recordRevocations(trx, revocation, owner, { count, uuids });
  return count;
}
