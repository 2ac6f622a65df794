import { Migrator, sql } from 'kysely';
import { migrations } from './migrations/index.js';
import { type Build, prepare } from './prepared.js';
import type { Queries } from './schema.js';
import { DatabaseRefusal, markAsOurs, openMemory, openSqlite, type SqliteHandles } from './sqlite.js';
import { beginImmediate, createWriteQueue, type WriteQueue } from './write-queue.js';

export { hexOf } from './expressions.js';
export { isStorageFault, isUniqueViolation } from './faults.js';
export { type Build, runPrepared } from './prepared.js';
export type { Queries, TokenType } from './schema.js';
export { DatabaseRefusal, IN_MEMORY } from './sqlite.js';
export { WriteQueueFull } from './write-queue.js';

/** The one way to the store, whatever the engine. */
export interface Database {
  /** For queries that change nothing: sees every commit, of this process and of others. */
  read: Queries;
  /** For a query that is built once and asked often. */
  readPrepared<Parameters extends object, Row>(build: Build<Parameters, Row>, parameters: Parameters): Promise<Row[]>;
  write: WriteQueue['write'];
  /** Rejects where the database does not answer. */
  ping(): Promise<void>;
  /** Waits for queued writes, brings the file up to date and closes it. */
  close(): Promise<void>;
}

/**
 * Opens the database at `path` (a file's path, or `:memory:`) and brings its schema up to date.
 *
 * Rejects with `DatabaseRefusal` where the file is damaged, foreign, of a newer version or cannot be written.
 */
export async function openDatabase(path: string): Promise<Database> {
  const handles = await openSqlite(path);
  try {
    await migrate(handles.writer);
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

function toDatabase({ writer, reader, all, close }: SqliteHandles): Database & Pick<WriteQueue, 'idle'> {
  const queue = createWriteQueue(writer);
  return {
    read: reader,
    async readPrepared<Parameters extends object, Row>(build: Build<Parameters, Row>, parameters: Parameters) {
      const { query, values } = prepare(build, reader, parameters);
      return (await all(query, values)) as Row[];
    },
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

/**
 * Runs what is missing in one transaction, under SQLite's write lock: of several processes that start on one file, one
 * migrates and the others wait. (Kysely's own lock does nothing on SQLite.)
 */
async function migrate(writer: Queries): Promise<void> {
  await writer.connection().execute(async (trx) => {
    await beginImmediate(trx);
    try {
      await markAsOurs(trx);
      const migrator = new Migrator({ db: trx, provider: { getMigrations: () => Promise.resolve(migrations) } });
      const { error } = await migrator.migrateToLatest();
      if (error !== undefined) throw error instanceof Error ? error : new Error('migration failed', { cause: error });
      await sql`commit`.execute(trx);
    } catch (error) {
      await sql`rollback`.execute(trx);
      throw error;
    }
  });
}
