import { sql } from 'kysely';
import { hasOneWriter } from './locks.js';
import { sendPrepared } from './prepared.js';
import type { Queries } from './schema.js';

/**
 * Makes the commit of `trx` not wait for the disk, where that saves time. If PostgreSQL crashes, what `trx` wrote may be lost
 * until a later commit has waited. So use it only for a transaction behind which another one follows before anybody is answered.
 */
export async function syncLater(trx: Queries): Promise<void> {
  if (!hasOneWriter(trx)) await sendPrepared(trx, setting, {});
}

const setting = (trx: Queries) =>
  trx.selectNoFrom(({ fn }) =>
    fn<string>('set_config', [sql.lit('synchronous_commit'), sql.lit('off'), sql.lit(true)]).as('set'),
  );
