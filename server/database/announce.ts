import { sql } from 'kysely';
import { hasOneWriter } from './locks.js';
import { sendPrepared } from './prepared.js';
import type { Queries } from './schema.js';

/** The name under which PostgreSQL announces that events were linked. */
export const CHANNEL = 'latchkey_events';

/**
 * Makes the watches of all processes on the database look for events when `trx` commits. Other processes on a file notice each
 * commit without this.
 */
export async function announceEvents(trx: Queries): Promise<void> {
  if (!hasOneWriter(trx)) await sendPrepared(trx, announcement, {});
}

const announcement = (trx: Queries) =>
  trx.selectNoFrom(({ fn }) => fn<string>('pg_notify', [sql.lit(CHANNEL), sql.lit('')]).as('announced'));
