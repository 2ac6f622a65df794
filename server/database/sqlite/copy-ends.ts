import type { CopySource, CopyTarget } from '../copy/ends.js';
import type { OpenOptions } from '../database.js';
import { tableOf } from '../tables.js';
import { needsMigration, UnusableDatabase } from '../unusable.js';
import { type Connection, connect } from './driver.js';
import { isBusy } from './faults.js';
import { migrate } from './migrate.js';
import { createMigrationPatience } from './migration-patience.js';
import { migrationsOf } from './migrations/applied.js';
import { inspectFinished, openSqlite, START_PATIENCE } from './open.js';
import { readerOver } from './reader.js';

/** Milliseconds that a copy waits for other processes that write to its target. */
const PATIENCE = 2_000;
/** KiB of SQLite's page cache, for the pages of all indexes that a million tokens touch at random. */
const CACHE_KIB = 65_536;

/** Opens the file at `path`, which is not changed. Throws `UnusableDatabase` if it is not a database of this version. */
export function openSqliteSource(path: string): CopySource {
  return opening(path, () => {
    inspectFinished(path);
    const connection = connect(path, { readonly: true, timeout: START_PATIENCE });
    try {
      // The first query takes the snapshot.
      connection.exec('begin');
      if (migrationsOf(connection).pending.length > 0) throw needsMigration(path);
      return sourceOver(path, connection);
    } catch (error) {
      connection.close();
      throw error;
    }
  });
}

/** Opens the file at `path`, which is created and migrated if it is not. Nobody else can write until `close`. */
export async function openSqliteTarget(path: string, { onWait, onProgress }: OpenOptions): Promise<CopyTarget> {
  const { writer, close } = await openSqlite(path);
  try {
    await migrate(writer, createMigrationPatience(path, onWait ?? (() => undefined)), onProgress);
  } finally {
    await close();
  }
  return opening(path, () => {
    const connection = connect(path, { timeout: PATIENCE });
    try {
      connection.pragma('synchronous = FULL');
      connection.pragma('foreign_keys = ON');
      connection.pragma(`cache_size = -${String(CACHE_KIB)}`);
      connection.exec('begin immediate');
      return targetOver(path, connection);
    } catch (error) {
      connection.close();
      throw error;
    }
  });
}

function opening<T>(path: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (error instanceof UnusableDatabase) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new UnusableDatabase(
      isBusy(error) ? `database ${path} is in use by another process` : `cannot open database ${path}: ${reason}`,
      { cause: error },
    );
  }
}

function sourceOver(path: string, connection: Connection): CopySource {
  return {
    shown: path,
    ...readerOver(connection),
    highestIdOf(table) {
      return settled(() => {
        const id = connection.prepare('select seq from sqlite_sequence where name = ?').pluck().get(table);
        return Number(id ?? 0);
      });
    },
    close() {
      connection.close();
      return Promise.resolve();
    },
  };
}

function targetOver(path: string, connection: Connection): CopyTarget {
  return {
    ...sourceOver(path, connection),
    insert(table, rows) {
      return settled(() => {
        const columns = Object.keys(tableOf(table).columns);
        const places = columns.map(() => '?').join(', ');
        const statement = connection.prepare(`insert into ${table} (${columns.join(', ')}) values (${places})`);
        for (const row of rows) statement.run(...row);
      });
    },
    keepHighestId(table, id) {
      return settled(() => {
        connection.prepare('delete from sqlite_sequence where name = ?').run(table);
        if (id > 0) connection.prepare('insert into sqlite_sequence (name, seq) values (?, ?)').run(table, id);
      });
    },
    commit() {
      return settled(() => {
        connection.exec('commit');
        // The log is as large as the file now, so empty it.
        connection.pragma('wal_checkpoint(truncate)');
      });
    },
  };
}

/** Runs `work`, and rejects with the error that it throws. */
// eslint-disable-next-line @typescript-eslint/require-await -- a fault rejects, as with any other engine
async function settled<T>(work: () => T): Promise<T> {
  return work();
}
