import { sql } from 'kysely';
import { DatabaseRefusal } from './refusal.js';
import type { Queries } from './schema.js';
import { migrate } from './sqlite/migrate.js';
import { createMigrationPatience } from './sqlite/migration-patience.js';
import { openMemory, openSqlite, type SqliteHandles } from './sqlite/open.js';
import { createWriteQueue, type WriteQueue } from './sqlite/write-queue.js';

export { hasChosenUuid, hexOf } from './expressions.js';
export { type Build, runPrepared } from './prepared.js';
export { DatabaseRefusal } from './refusal.js';
export type { Queries, TokenType } from './schema.js';
export { backUpDatabase } from './sqlite/backup.js';
export { checkDatabase, type DatabaseReport } from './sqlite/check.js';
export { isStorageFault, isUniqueViolation } from './sqlite/faults.js';
export { IN_MEMORY } from './sqlite/open.js';
export { type Restoration, restoreDatabase } from './sqlite/restore.js';
export { WriteQueueFull } from './sqlite/write-queue.js';

/** The one way to the store, whatever the engine. */
export interface Database {
  /** For queries that change nothing: sees every commit, of this process and of others. */
  read: Queries;
  write: WriteQueue['write'];
  /** Rejects where the database does not answer. */
  ping(): Promise<void>;
  /** Waits for queued writes, brings the file up to date and closes it. */
  close(): Promise<void>;
}

/**
 * Opens the database at `path` (a file's path, or `:memory:`) and brings its schema up to date.
 * Where another process does the latter at this moment it waits for that, and tells `onWait` so every few seconds.
 *
 * Rejects with `DatabaseRefusal` where the file is damaged, foreign, of a newer version or cannot be written.
 */
export async function openDatabase(path: string, onWait: () => void = () => undefined): Promise<Database> {
  const handles = await openSqlite(path);
  try {
    await migrate(handles.writer, createMigrationPatience(path, onWait));
  } catch (error) {
    // What failed first is the reason; closing may well fail of the same.
    await handles.close().catch(() => undefined);
    throw error instanceof DatabaseRefusal
      ? error
      : new DatabaseRefusal(`cannot bring database ${path} up to date: ${String(error)}`, { cause: error });
  }
  return toDatabase(handles);
}

/** A database in memory that can be copied whole. */
export interface MemoryDatabase extends Database {
  /** All that is committed, to open other databases with. */
  image(): Promise<Buffer>;
}

/** Opens a copy of the database that `image` was taken of, or one without any rows. */
export async function openMemoryDatabase(image?: Buffer): Promise<MemoryDatabase> {
  const handles = await openMemory(image);
  // An image is of this process, and its schema therefore up to date.
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
