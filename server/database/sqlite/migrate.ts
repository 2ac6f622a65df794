import { type Kysely, Migrator, sql } from 'kysely';
import { type MigrationProgress, reportTo } from '../progress.js';
import type { Queries } from '../schema.js';
import { needsMigration } from '../unusable.js';
import { isBusy } from './faults.js';
import { migrations } from './migrations/index.js';
import { APPLICATION_ID } from './open.js';
import { beginImmediate, type Patience, rollBack } from './write-queue.js';

/**
 * Runs the missing migrations in one transaction, under SQLite's write lock: if several processes start on one file,
 * one process migrates and the others wait. (Kysely's own lock does nothing on SQLite.) If no migration is missing, no
 * process waits.
 *
 * `patience` decides how long to wait, by default 5 seconds. Rejects with the error of the migration or of SQLite; a
 * failed migration is rolled back.
 */
export async function migrate(
  writer: Queries,
  patience?: Patience,
  onProgress: (progress: MigrationProgress) => void = () => undefined,
): Promise<void> {
  await writer.connection().execute(async (trx) => {
    if (await isUpToDate(trx)) return;
    // A migration rebuilds a table by a copy that gets the table's name. Foreign keys must be off meanwhile
    // (sqlite.org/lang_altertable.html, section 7). Within a transaction this pragma would have no effect.
    await sql`pragma foreign_keys = off`.execute(trx);
    try {
      await runPending(trx, patience, onProgress);
    } finally {
      await sql`pragma foreign_keys = on`.execute(trx);
    }
    // The log may be as large as the file. Write the log back now, when no client waits for an answer.
    await sql`pragma wal_checkpoint(truncate)`.execute(trx);
  });
}

/** Rejects with `UnusableDatabase` if the database at `path` lacks a migration. Never waits for another process. */
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
    // Another process is writing, for example the first migrations. `migrate` then waits for the write lock and looks
    // again.
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

/**
 * Writes Latchkey's application id into the file. Call this in the transaction of the migrations, so that no other
 * process sees the tables without the id.
 */
async function markAsOurs(trx: Queries): Promise<void> {
  // If the file has the id already, write nothing.
  if (await isOurs(trx)) return;
  await sql.raw(`pragma application_id = ${String(APPLICATION_ID)}`).execute(trx);
}
