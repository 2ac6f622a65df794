import { closeSync, existsSync, openSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { dateNow, sleep } from '../../timers.js';
import { type Run, runDirectly } from '../prepared.js';
import { DatabaseRefusal } from '../refusal.js';
import type { Queries } from '../schema.js';
import { kyselyOver, readingKyselyOver, readingOver, runOver } from './dialect.js';
import { assertBuilt, type Connection, connect } from './driver.js';
import { isBusy, isUnfinished } from './faults.js';
import { faultsIn, isCutShort, logSize } from './file.js';
import { migrationsOf } from './migrations/applied.js';

export const IN_MEMORY = ':memory:';

/** "LKEY" in the file's header tells a Latchkey database from any other SQLite file. */
export const APPLICATION_ID = 0x4c4b4559;
/** Milliseconds that starting waits for other processes that start on the same file. */
export const START_PATIENCE = 10_000;
/** Milliseconds that a query may block the process while it waits for a lock; waiting longer is done asynchronously. */
const WRITER_BUSY_TIMEOUT = 5;
const READER_BUSY_TIMEOUT = 100;
/** Bytes. A file above this is not read whole at every start; `PRAGMA quick_check` takes about a second for each GiB. */
const QUICK_CHECK_LIMIT = 256 * 2 ** 20;
/** Inserts meet leaves of every index: of a million tokens, more than fit into the 2 MB that SQLite keeps by default. */
const CACHE_KIB = 16_384;
const WAL_SIZE_LIMIT = 16 * 2 ** 20;

export interface SqliteHandles {
  writer: Queries;
  /** On the connection of `writer`, for whoever has that for itself. */
  run: Run;
  /** The same as `writer` for a database in memory, which has one connection. */
  reader: Queries;
  /** Checkpoints the write-ahead log into the file and closes both connections. */
  close(): Promise<void>;
}

/**
 * Opens the file at `path`, creating it with mode 0600 where it is missing, and checks it before anything is written:
 * a file that is damaged, foreign or of a newer version is refused with a `DatabaseRefusal` and left untouched.
 */
export async function openSqlite(path: string): Promise<SqliteHandles> {
  if (path === IN_MEMORY) return await openMemory();

  // Before there is an empty file.
  assertBuilt();
  try {
    createFile(path);
    inspectFinished(path);
    const writer = await openWriter(path);
    const reader = connect(path, { readonly: true, timeout: READER_BUSY_TIMEOUT });
    const run = runOver(writer);
    const queries = readingKyselyOver(reader);
    runDirectly(queries, readingOver(writer, run, reader));
    return {
      writer: kyselyOver(writer),
      run,
      reader: queries,
      // The reader first: the last connection to close writes the log back, which a read-only one cannot.
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
    if (error instanceof DatabaseRefusal) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new DatabaseRefusal(`cannot open database ${path}: ${reason}`, { cause: error });
  }
}

/** Opens a database in memory: an empty one, or a copy of the one that `image` was taken of. */
export async function openMemory(image?: Buffer): Promise<SqliteHandles & { image(): Buffer }> {
  const writer = await openWriter(image ?? IN_MEMORY);
  const queries = kyselyOver(writer);
  return {
    writer: queries,
    run: runOver(writer),
    // Kysely's executor keeps reads and transactions on this one connection apart.
    reader: queries,
    close: () => queries.destroy(),
    image: () => writer.serialize(),
  };
}

function createFile(path: string): void {
  const folder = dirname(resolve(path));
  if (!existsSync(folder)) throw new DatabaseRefusal(`cannot open database ${path}: there is no folder ${folder}`);
  try {
    // `wx` fails where the file exists, which is how all but one of several first starters end here.
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  if (!statSync(path).isFile()) throw new DatabaseRefusal(`cannot open database ${path}: it is not a file`);
}

/** `inspect`, after what a killed process had begun is rolled back: the switch to WAL is written by a journal. */
function inspectFinished(path: string): void {
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

/** Reads through a read-only connection, since even closing a writable one may change the file. */
function inspect(path: string): void {
  // The log first: where another process makes the database at this moment, the file is there before its log.
  const hasLog = logSize(path) > 0;
  const { size } = statSync(path);
  if (size === 0 && hasLog)
    throw new DatabaseRefusal(`database ${path} is damaged: it is empty, but has a log beside it`);
  if (size === 0) return;
  const connection = connect(path, { readonly: true, timeout: START_PATIENCE });
  try {
    const tables = connection.prepare("select name from sqlite_schema where type = 'table'").pluck().all();
    const applicationId = connection.pragma('application_id', { simple: true });
    if (tables.length > 0 && applicationId !== APPLICATION_ID) {
      throw new DatabaseRefusal(`${path} is an SQLite database, but not one of Latchkey's`);
    }
    if (isCutShort(path, connection)) throw new DatabaseRefusal(`database ${path} is damaged: it was cut short`);
    if (size <= QUICK_CHECK_LIMIT) {
      const [fault] = faultsIn([connection.pragma('quick_check(1)', { simple: true }) as string]);
      if (fault !== undefined) throw new DatabaseRefusal(`database ${path} is damaged: ${fault}`);
    }
    if (tables.includes('kysely_migration')) {
      const [unknown] = migrationsOf(connection).unknown;
      if (unknown !== undefined) {
        throw new DatabaseRefusal(
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
    // FULL: a commit is on disk before it is answered. Said on every open, since the driver's own default for WAL is
    // NORMAL, which may lose the last commits with the power.
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

/** The switch to WAL needs the file alone for a moment and does not wait for it by itself. */
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
