import { sql } from 'kysely';
import { isPostgresUrl } from '../config/postgres-url.js';
import type { AtCommit } from './at-commit.js';
import type { Database, OpenOptions, ServiceOptions } from './database.js';
import { StorageFault, UniqueViolation } from './faults.js';
import type { DatabaseReport } from './report.js';
import { checkFile } from './sqlite/check.js';
import * as sqliteFaults from './sqlite/faults.js';
import { migrate, requireMigrated } from './sqlite/migrate.js';
import { createMigrationPatience } from './sqlite/migration-patience.js';
import { IN_MEMORY, openMemory, openSqlite, type SqliteHandles } from './sqlite/open.js';
import { createWriteQueue, type WriteQueue } from './sqlite/write-queue.js';
import { UnusableDatabase } from './unusable.js';

export { announceEvents } from './announce.js';
export { type AtCommit, leaveToCommit } from './at-commit.js';
export {
  type ActorKind,
  type DeliveryError,
  type DeliveryStatus,
  type DisabledReason,
  EVENT_ACTIONS,
  type EventAction,
  type RevocationReason,
  type TargetKind,
  type TokenType,
  type UserKind,
} from './closed-lists.js';
export { type CopyProgress, copyDatabase } from './copy/copy.js';
export type { DatabaseContent } from './copy/digest.js';
export type { Database, OpenOptions, Turn } from './database.js';
export { hasChosenUuid, hexOf, isSession } from './expressions.js';
export { WriteQueueFull } from './faults.js';
export { lastGivenId, lastIdOf } from './last-id.js';
export {
  hasOneWriter,
  lockedDigest,
  locking,
  lockOrganization,
  lockOwnerFoundBy,
  lockOwners,
  lockOwnersAhead,
  lockOwnersAnd,
  lockTokensAhead,
  withoutLocked,
} from './locks.js';
export { type Build, runAhead, runPrepared, sendPrepared } from './prepared.js';
export type { MigrationProgress } from './progress.js';
export type { DatabaseReport } from './report.js';
export { createRests } from './rests.js';
export { updateForRows } from './row-updates.js';
export type { Queries } from './schema.js';
export { folded, SEARCH_SEPARATOR, searchColumn, searchTextOf } from './search.js';
export { backUpDatabase } from './sqlite/backup.js';
export { IN_MEMORY } from './sqlite/open.js';
export { type Restoration, restoreDatabase } from './sqlite/restore.js';
export { syncLater } from './sync-later.js';
export { UnusableDatabase } from './unusable.js';

/**
 * Whether the disk, the database server, the connection or another process caused an error, and not the query itself.
 */
export function isStorageFault(error: unknown): boolean {
  return error instanceof StorageFault || sqliteFaults.isStorageFault(error);
}

/** Whether an error is a violation of a unique constraint: another row has the same value already. */
export function isUniqueViolation(error: unknown): boolean {
  return error instanceof UniqueViolation || sqliteFaults.isUniqueViolation(error);
}

/**
 * Opens `database` (the path of a file, `:memory:`, or a PostgreSQL URL) and migrates its schema. While another process
 * migrates the schema, waits for that process and calls `onWait` every few seconds.
 *
 * Rejects with `UnusableDatabase`:
 * - if the file is damaged, cannot be written, or belongs to another program or a newer version of the service;
 * - if the PostgreSQL server cannot be reached or used;
 * - if the schema lacks a migration and `migrate` is `never`.
 */
export async function openDatabase(database: string, options: ServiceOptions = {}): Promise<Database> {
  if (!isPostgresUrl(database)) return await openFile(database, options);
  // The import is here and not at the top, so that a service on SQLite does not load the code for PostgreSQL.
  const { openPostgres } = await import('./postgres/open.js');
  return await openPostgres(database, options);
}

/**
 * Reads the whole of `database` (the path of a file or a PostgreSQL URL) and reports its content and its faults. The check
 * changes nothing. A service may use the database meanwhile, because the check reads one snapshot. Rejects with
 * `UnusableDatabase` if the driver was not built, or if the PostgreSQL server cannot be reached or used.
 */
export async function checkDatabase(database: string, options: OpenOptions = {}): Promise<DatabaseReport> {
  if (!isPostgresUrl(database)) return await checkFile(database);
  const { checkPostgres } = await import('./postgres/check.js');
  return await checkPostgres(database, options);
}

async function openFile(
  path: string,
  { onWait = () => undefined, onProgress, migrate: when = 'start', atCommit }: ServiceOptions,
): Promise<Database> {
  const handles = await openSqlite(path);
  try {
    if (when === 'never' && path !== IN_MEMORY) await requireMigrated(handles.writer, path);
    else await migrate(handles.writer, createMigrationPatience(path, onWait), onProgress);
  } catch (error) {
    // Throw the error of the migration. An error of closing the database would hide the cause.
    await handles.close().catch(() => undefined);
    throw error instanceof UnusableDatabase
      ? error
      : new UnusableDatabase(`cannot bring database ${path} up to date: ${String(error)}`, { cause: error });
  }
  return toDatabase(handles, atCommit);
}

/** A database in memory that can be copied. */
export interface MemoryDatabase extends Database {
  /** Resolves with an image of all committed data. `openMemoryDatabase` opens other databases from this image. */
  image(): Promise<Buffer>;
}

/** Opens a database in memory. The database has the data of `image`; without `image`, the database has no rows. */
export async function openMemoryDatabase(image?: Buffer, atCommit?: AtCommit): Promise<MemoryDatabase> {
  const handles = await openMemory(image);
  // An image needs no migration: this process took the image from a database with the current schema.
  if (image === undefined) await migrate(handles.writer);
  const { idle, ...database } = toDatabase(handles, atCommit);
  return {
    ...database,
    async image() {
      await idle();
      return handles.image();
    },
  };
}

function toDatabase(
  { writer, run, changes, reader, readTogether, watch, close }: SqliteHandles,
  atCommit: AtCommit | undefined,
): Database & Pick<WriteQueue, 'idle'> {
  const queue = createWriteQueue({ queries: writer, run, changes }, atCommit);
  return {
    read: reader,
    readTogether,
    write: (work) => queue.write(work),
    linksAtOnce: atCommit !== undefined,
    watch,
    idle: () => queue.idle(),
    async ping() {
      await sql`select 1 from organizations limit 1`.execute(reader);
    },
    clock: () => Promise.resolve(null),
    async close() {
      await queue.idle();
      await close();
    },
  };
}
