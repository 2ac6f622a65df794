import { type Queries, withoutLocked } from '../database/index.js';

/** Milliseconds for which deliveries are kept: 30 days. The last attempt is made within four. */
export const KEPT_FOR = 30 * 24 * 60 * 60_000;

/** Deletes at most `most` deliveries that were made before the instant `at`, and returns their ids. */
export const deleteOldDeliveries = (trx: Queries, { at, most }: { at: number; most: number }) =>
  trx
    .deleteFrom('webhook_deliveries')
    .where('id', 'in', (query) =>
      withoutLocked(
        trx,
        query
          .selectFrom('webhook_deliveries')
          .select('id')
          .where('created_at', '<=', at)
          .orderBy('created_at')
          .limit(most),
      ),
    )
    .returning('id');
