import { type Kysely, Migrator, sql } from 'kysely';
import { type MigrationProgress, reportTo } from '../progress.js';
import { needsMigration } from '../refusal.js';
import type { Queries } from '../schema.js';
import { isBusy } from './faults.js';
import { migrations } from './migrations/index.js';
import { APPLICATION_ID } from './open.js';
import { beginImmediate, type Patience, rollBack } from './write-queue.js';

/**
 * Runs the missing migrations in one transaction, under SQLite's write lock: if several processes start on one file,
 * one migrates and the others wait. (Kysely's own lock does nothing on SQLite.) If no migration is missing, none waits.
 */
export async function migrate(
  writer: Queries,
  patience?: Patience,
  onProgress: (progress: MigrationProgress) => void = () => undefined,
): Promise<void> {
  await writer.connection().execute(async (trx) => {
    if (await isUpToDate(trx)) return;
    // A table is rebuilt by a copy that takes its name, which what refers to it must not notice (sqlite.org/lang_altertable.html,
    // section 7). Within a transaction this pragma does nothing.
    await sql`pragma foreign_keys = off`.execute(trx);
    try {
      await runPending(trx, patience, onProgress);
    } finally {
      await sql`pragma foreign_keys = on`.execute(trx);
    }
    // The log may have grown to the size of the file. Now nobody waits for an answer while it is written back.
    await sql`pragma wal_checkpoint(truncate)`.execute(trx);
  });
}

/** Rejects with `DatabaseRefusal` where the database at `path` lacks a migration. */
export async function requireMigrated(writer: Queries, path: string): Promise<void> {
  if (!(await isUpToDate(writer))) throw needsMigration(path);
}

async function runPending(
  trx: Queries,
  patience: Patience | undefined,
  onProgress: (progress: MigrationProgress) => void,
): Promise<void> {
  await beginImmediate(trx, patience);
  try {
    await markAsOurs(trx);
    const reporting = Object.entries(migrations).map(([name, { up }]) => {
      const report = reportTo(onProgress, name);
      return [name, { up: (db: Kysely<unknown>) => up(db, report) }] as const;
    });
    const provider = { getMigrations: () => Promise.resolve(Object.fromEntries(reporting)) };
    const { error } = await new Migrator({ db: trx, provider }).migrateToLatest();
    if (error !== undefined) throw error instanceof Error ? error : new Error('migration failed', { cause: error });
    await sql`commit`.execute(trx);
  } catch (error) {
    await rollBack(trx);
    throw error;
  }
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
