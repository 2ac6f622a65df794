import { sql } from 'kysely';
import { isPostgresUrl } from '../config/postgres-url.js';
import type { Database, OpenOptions } from './database.js';
import { StorageFault, UniqueViolation } from './faults.js';
import { DatabaseRefusal } from './refusal.js';
import * as sqliteFaults from './sqlite/faults.js';
import { migrate, requireMigrated } from './sqlite/migrate.js';
import { createMigrationPatience } from './sqlite/migration-patience.js';
import { IN_MEMORY, openMemory, openSqlite, type SqliteHandles } from './sqlite/open.js';
import { createWriteQueue, type WriteQueue } from './sqlite/write-queue.js';

export { type RevocationReason, TOKEN_TYPES, type TokenType } from './closed-lists.js';
export type { Database, OpenOptions } from './database.js';
export { hasChosenUuid, hexOf } from './expressions.js';
export { WriteQueueFull } from './faults.js';
export { lockOrganization, lockOwnerFoundBy, lockOwners, withoutLocked } from './locks.js';
export { type Build, runPrepared } from './prepared.js';
export type { MigrationProgress } from './progress.js';
export { DatabaseRefusal } from './refusal.js';
export type { Queries } from './schema.js';
export { folded, SEARCH_SEPARATOR, searchColumn } from './search.js';
export { backUpDatabase } from './sqlite/backup.js';
export { checkDatabase, type DatabaseReport } from './sqlite/check.js';
export { IN_MEMORY } from './sqlite/open.js';
export { type Restoration, restoreDatabase } from './sqlite/restore.js';

/** Whether an error comes from the disk, the database server, the connection or another process, not from the query. */
export function isStorageFault(error: unknown): boolean {
  return error instanceof StorageFault || sqliteFaults.isStorageFault(error);
}

/** Whether an error is a broken unique constraint. */
export function isUniqueViolation(error: unknown): boolean {
  return error instanceof UniqueViolation || sqliteFaults.isUniqueViolation(error);
}

/**
 * Opens `database` (a file's path, `:memory:`, or a PostgreSQL URL) and migrates its schema. If another process is
 * migrating, waits for it and calls `onWait` every few seconds.
 *
 * Rejects with `DatabaseRefusal` if the file is damaged, belongs to another program or a newer version, or cannot be
 * written, if the PostgreSQL server cannot be reached or used, and with `migrate: 'never'` if the schema is older.
 */
export async function openDatabase(database: string, options: OpenOptions = {}): Promise<Database> {
  if (!isPostgresUrl(database)) return await openFile(database, options);
  // Imported here, so that a service on SQLite does not load the code.
  const { openPostgres } = await import('./postgres/open.js');
  return await openPostgres(database, options);
}

async function openFile(
  path: string,
  { onWait = () => undefined, onProgress, migrate: when = 'start' }: OpenOptions,
): Promise<Database> {
  const handles = await openSqlite(path);
  try {
    if (when === 'never' && path !== IN_MEMORY) await requireMigrated(handles.writer, path);
    else await migrate(handles.writer, createMigrationPatience(path, onWait), onProgress);
  } catch (error) {
    // The first error is the reason; closing may fail for the same reason.
    await handles.close().catch(() => undefined);
    throw error instanceof DatabaseRefusal
      ? error
      : new DatabaseRefusal(`cannot bring database ${path} up to date: ${String(error)}`, { cause: error });
  }
  return toDatabase(handles);
}

/** A database in memory that can be copied whole. */
export interface MemoryDatabase extends Database {
  /** An image of all committed data, from which other databases can be opened. */
  image(): Promise<Buffer>;
}

/** Opens a database in memory: a copy from `image`, or one without rows. */
export async function openMemoryDatabase(image?: Buffer): Promise<MemoryDatabase> {
  const handles = await openMemory(image);
  // This process took the image, so its schema is up to date.
  if (image === undefined) await migrate(handles.writer);
  const { idle, ...database } = toDatabase(handles);
  return {
    ...database,
    async image() {
      await idle();
      return handles.image();
    },
  };
}

function toDatabase({ writer, run, reader, close }: SqliteHandles): Database & Pick<WriteQueue, 'idle'> {
  const queue = createWriteQueue(writer, run);
  return {
    read: reader,
    write: (work) => queue.write(work),
    idle: () => queue.idle(),
    async ping() {
      await sql`select 1 from organizations limit 1`.execute(reader);
    },
    async close() {
      await queue.idle();
      await close();
    },
  };
}
