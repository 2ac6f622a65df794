import SqliteDriver from 'better-sqlite3';
import { UnusableDatabase } from '../unusable.js';

export type Connection = SqliteDriver.Database;

/**
 * Opens a connection. Throws `UnusableDatabase` if the driver was not built, and the driver's error for other faults.
 */
export function connect(database: string | Buffer, options?: SqliteDriver.Options): Connection {
  assertBuilt();
  return new SqliteDriver(database, options);
}

let isBuilt = false;

/**
 * Throws `UnusableDatabase` if the driver's native part is missing, or was built for another machine or version of Node.
 * An install script builds or downloads the native part; `--ignore-scripts` and pnpm 10 skip that script.
 */
export function assertBuilt(): void {
  if (isBuilt) return;
  try {
    new SqliteDriver(':memory:').close();
  } catch (error) {
    const reason = reasonOf(error);
    throw reason === undefined ? error : new UnusableDatabase(reason, { cause: error });
  }
  isBuilt = true;
}

function reasonOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  // `tries` is the list of places in which the native part was not found.
  if ('tries' in error) return 'better-sqlite3 was not built: npm rebuild better-sqlite3, or pnpm approve-builds';
  if ('code' in error && error.code === 'ERR_DLOPEN_FAILED') {
    return 'better-sqlite3 was built for another version of Node or another machine: npm rebuild better-sqlite3';
  }
  return undefined;
}
