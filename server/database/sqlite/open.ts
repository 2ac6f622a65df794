import { closeSync, existsSync, openSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { dateNow, sleep } from '../../timers.js';
import { type Run, runDirectly } from '../prepared.js';
import type { Queries } from '../schema.js';
import { UnusableDatabase } from '../unusable.js';
import { type Watch, watchNothing } from '../watch.js';
import { type Changes, kyselyOver, readingKyselyOver, readingOver, runOver } from './dialect.js';
import { assertBuilt, type Connection, connect } from './driver.js';
import { isBusy, isUnfinished } from './faults.js';
import { faultsIn, isCutShort, logSize } from './file.js';
import { migrationsOf } from './migrations/applied.js';
import { createWatch } from './watch.js';

export const IN_MEMORY = ':memory:';

/** "LKEY" in ASCII. This number in the file's header distinguishes a Latchkey database from other SQLite files. */
export const APPLICATION_ID = 0x4c4b4559;
/** Milliseconds that a start waits for a lock of another process that starts on the same file. */
export const START_PATIENCE = 10_000;
/** Milliseconds that the writer blocks the process while it waits for a lock; a longer wait is asynchronous. */
const WRITER_BUSY_TIMEOUT = 5;
/** Milliseconds that the reader blocks the process while it waits for a lock. */
const READER_BUSY_TIMEOUT = 100;
/**
 * Bytes. A start does not check the pages of a larger file, because `PRAGMA quick_check` takes a second for each GiB.
 */
const QUICK_CHECK_LIMIT = 256 * 2 ** 20;
/**
 * KiB of SQLite's page cache. An insert reads and writes a page of each index; with a million tokens, these pages do
 * not fit into SQLite's default cache of 2 MB.
 */
const CACHE_KIB = 16_384;
/** Bytes that the write-ahead log keeps on disk after a checkpoint. */
const WAL_SIZE_LIMIT = 16 * 2 ** 20;

/** An open database. */
export interface SqliteHandles {
  writer: Queries;
  /** Runs queries on the connection of `writer`. Only code that has this connection for itself may use `run`. */
  run: Run;
  /** What the connection of `writer` may have changed. */
  changes: Changes;
  /** Reads on a connection of its own. A database in memory has only one connection, so there `reader` is `writer`. */
  reader: Queries;
  /** As `Database.readTogether`. */
  readTogether(work: () => void): void;
  /** Watches for commits of other connections. */
  watch: Watch;
  /** Writes the write-ahead log back into the file and closes both connections. Rejects with the driver's error. */
  close(): Promise<void>;
}

/**
 * Opens the database file at `path`. Creates the file with mode 0600 if it does not exist. Checks an existing file
 * before anything is written: rejects with `UnusableDatabase` if the file is damaged, belongs to another program or was
 * written by a newer version, and then leaves the file unchanged. Rejects with `UnusableDatabase` too if the file cannot
 * be opened.
 */
export async function openSqlite(path: string): Promise<SqliteHandles> {
  if (path === IN_MEMORY) return await openMemory();

  // Check the driver first: without the driver, the next steps would leave an empty file.
  assertBuilt();
  try {
    createFile(path);
    inspectFinished(path);
    const writer = await openWriter(path);
    const reader = connect(path, { readonly: true, timeout: READER_BUSY_TIMEOUT });
    const changes = { count: 0 };
    const run = runOver(writer, changes);
    const queries = readingKyselyOver(reader);
    const reading = readingOver(writer, run, reader);
    runDirectly(queries, reading.run);
    return {
      writer: kyselyOver(writer, changes),
      run,
      changes,
      reader: queries,
      readTogether: (work) => {
        reading.together(work);
      },
      watch: createWatch(reader),
      // Close the reader first: the last connection writes the log back, and a read-only connection cannot write.
      // eslint-disable-next-line @typescript-eslint/require-await -- a fault rejects, as with any other engine
      async close() {
        reader.close();
        try {
          writer.pragma('wal_checkpoint(TRUNCATE)');
        } finally {
          writer.close();
        }
      },
    };
  } catch (error) {
    if (error instanceof UnusableDatabase) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new UnusableDatabase(`cannot open database ${path}: ${reason}`, { cause: error });
  }
}

/** Opens a database in memory with the content of `image`, or an empty one. `image()` returns the current content. */
export async function openMemory(image?: Buffer): Promise<SqliteHandles & { image(): Buffer }> {
  const writer = await openWriter(image ?? IN_MEMORY);
  const changes = { count: 0 };
  const queries = kyselyOver(writer, changes);
  return {
    writer: queries,
    run: runOver(writer, changes),
    changes,
    // There is one connection for reads and transactions. Kysely's executor runs them one after the other.
    reader: queries,
    readTogether: (work) => {
      work();
    },
    watch: watchNothing,
    close: () => queries.destroy(),
    image: () => writer.serialize(),
  };
}

function createFile(path: string): void {
  const folder = dirname(resolve(path));
  if (!existsSync(folder)) throw new UnusableDatabase(`cannot open database ${path}: there is no folder ${folder}`);
  try {
    // `wx` fails if the file exists. If several processes start first, one creates the file and the others get EEXIST.
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  if (!statSync(path).isFile()) throw new UnusableDatabase(`cannot open database ${path}: it is not a file`);
}

/**
 * Calls `inspect`. If a killed process left a journal, rolls the journal back before. A process that is killed during
 * the switch to WAL leaves a journal.
 */
export function inspectFinished(path: string): void {
  try {
    inspect(path);
  } catch (error) {
    if (!isUnfinished(error)) throw error;
    const connection = connect(path, { timeout: START_PATIENCE });
    try {
      connection.prepare('select 1 from sqlite_schema').get();
    } finally {
      connection.close();
    }
    inspect(path);
  }
}

/**
 * Throws `UnusableDatabase` if the file is damaged, belongs to another program or was written by a newer version. Uses a
 * read-only connection, because closing a writable connection can change the file.
 */
function inspect(path: string): void {
  // Look at the log before the file: a process that creates the database writes to the file before it creates the log.
  const hasLog = logSize(path) > 0;
  const { size } = statSync(path);
  if (size === 0 && hasLog)
    throw new UnusableDatabase(`database ${path} is damaged: it is empty, but has a log beside it`);
  if (size === 0) return;
  const connection = connect(path, { readonly: true, timeout: START_PATIENCE });
  try {
    const tables = connection.prepare("select name from sqlite_schema where type = 'table'").pluck().all();
    const applicationId = connection.pragma('application_id', { simple: true });
    if (tables.length > 0 && applicationId !== APPLICATION_ID) {
      throw new UnusableDatabase(`${path} is an SQLite database, but not one of Latchkey's`);
    }
    if (isCutShort(path, connection)) throw new UnusableDatabase(`database ${path} is damaged: it was cut short`);
    if (size <= QUICK_CHECK_LIMIT) {
      const [fault] = faultsIn([connection.pragma('quick_check(1)', { simple: true }) as string]);
      if (fault !== undefined) throw new UnusableDatabase(`database ${path} is damaged: ${fault}`);
    }
    if (tables.includes('kysely_migration')) {
      const [unknown] = migrationsOf(connection).unknown;
      if (unknown !== undefined) {
        throw new UnusableDatabase(
          `database ${path} was written by a newer version of Latchkey (it has migration ${unknown}); upgrade Latchkey`,
        );
      }
    }
  } finally {
    connection.close();
  }
}

async function openWriter(path: string | Buffer): Promise<Connection> {
  const connection = connect(path, { timeout: START_PATIENCE });
  try {
    await enterWal(connection);
    // With FULL, a commit is on disk before the request is answered. The driver's default for WAL is NORMAL, which can
    // lose the last commits when the power fails.
    connection.pragma('synchronous = FULL');
    connection.pragma('foreign_keys = ON');
    connection.pragma('trusted_schema = OFF');
    connection.pragma(`cache_size = -${String(CACHE_KIB)}`);
    connection.pragma(`journal_size_limit = ${String(WAL_SIZE_LIMIT)}`);
    connection.pragma(`busy_timeout = ${String(WRITER_BUSY_TIMEOUT)}`);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** Switches the file to WAL. The switch fails while another process uses the file, so it is repeated for 10 seconds. */
async function enterWal(connection: Connection): Promise<void> {
  const deadline = dateNow() + START_PATIENCE;
  for (;;) {
    try {
      connection.pragma('journal_mode = WAL');
      return;
    } catch (error) {
      if (!isBusy(error) || dateNow() > deadline) throw error;
      await sleep(20);
    }
  }
}
