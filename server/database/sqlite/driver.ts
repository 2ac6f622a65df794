import SqliteDriver from 'better-sqlite3';
import { DatabaseRefusal } from '../refusal.js';

export type Connection = SqliteDriver.Database;

/** Opens a connection. Throws `DatabaseRefusal` as `assertBuilt` does, and otherwise the driver's error. */
export function connect(database: string | Buffer, options?: SqliteDriver.Options): Connection {
  assertBuilt();
  return new SqliteDriver(database, options);
}

let isBuilt = false;

/**
 * Throws `DatabaseRefusal` where the driver's native part is missing or is another machine's. It comes by an install script,
 * which `--ignore-scripts` and pnpm 10 leave out.
 */
export function assertBuilt(): void {
  if (isBuilt) return;
  try {
    new SqliteDriver(':memory:').close();
  } catch (error) {
    const reason = reasonOf(error);
    throw reason === undefined ? error : new DatabaseRefusal(reason, { cause: error });
  }
  isBuilt = true;
}

function reasonOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  // Where the package that looks for it has looked.
  if ('tries' in error) return 'better-sqlite3 was not built: npm rebuild better-sqlite3, or pnpm approve-builds';
  if ('code' in error && error.code === 'ERR_DLOPEN_FAILED') {
    return 'better-sqlite3 was built for another version of Node or another machine: npm rebuild better-sqlite3';
  }
  return undefined;
}
