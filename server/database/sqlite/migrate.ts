import { Migrator, sql } from 'kysely';
import type { Queries } from '../schema.js';
import { isBusy } from './faults.js';
import { migrations } from './migrations/index.js';
import { APPLICATION_ID } from './open.js';
import { beginImmediate, type Patience, rollBack } from './write-queue.js';

/**
 * Runs what is missing in one transaction, under SQLite's write lock: of several processes that start on one file, one
 * migrates and the others wait. (Kysely's own lock does nothing on SQLite.) Where nothing is missing, nobody waits.
 */
export async function migrate(writer: Queries, patience?: Patience): Promise<void> {
  await writer.connection().execute(async (trx) => {
    if (await isUpToDate(trx)) return;
    await beginImmediate(trx, patience);
    try {
      await markAsOurs(trx);
      const migrator = new Migrator({ db: trx, provider: { getMigrations: () => Promise.resolve(migrations) } });
      const { error } = await migrator.migrateToLatest();
      if (error !== undefined) throw error instanceof Error ? error : new Error('migration failed', { cause: error });
      await sql`commit`.execute(trx);
    } catch (error) {
      await rollBack(trx);
      throw error;
    }
    // The log may have grown to the size of the file. Now nobody waits for an answer while it is written back.
    await sql`pragma wal_checkpoint(truncate)`.execute(trx);
  });
}

async function isUpToDate(queries: Queries): Promise<boolean> {
  try {
    return (await hasAllMigrations(queries)) && (await isOurs(queries));
  } catch (error) {
    // Such as while another process makes the file: whoever waits for the lock sees what it is then.
    if (isBusy(error)) return false;
    throw error;
  }
}

async function hasAllMigrations(queries: Queries): Promise<boolean> {
  const { rows: tables } = await sql`select 1 from sqlite_schema where name = 'kysely_migration'`.execute(queries);
  if (tables.length === 0) return false;
  const { rows } = await sql<{ name: string }>`select name from kysely_migration`.execute(queries);
  const applied = new Set(rows.map(({ name }) => name));
  return Object.keys(migrations).every((name) => applied.has(name));
}

async function isOurs(queries: Queries): Promise<boolean> {
  const { rows } = await sql<{ application_id: number }>`pragma application_id`.execute(queries);
  return rows[0]?.application_id === APPLICATION_ID;
}

/** Within the transaction of the migrations, so that no other process sees one without the other. */
async function markAsOurs(trx: Queries): Promise<void> {
  // Written only where it is missing: a start that has nothing to change writes nothing.
  if (await isOurs(trx)) return;
  await sql.raw(`pragma application_id = ${String(APPLICATION_ID)}`).execute(trx);
}
