import { closeSync, fsyncSync, openSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type SqliteDriver from 'better-sqlite3';

// The files of a database: the database file, and the write-ahead log (`-wal`) in the same folder.

/** The size in bytes of the write-ahead log of the database at `path`; 0 if there is no log. */
export function logSize(path: string): number {
  return statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
}

/**
 * Whether the end of the database file at `path` is missing. SQLite does not report this: for SQLite an empty file is a
 * new database, and an incomplete page at the end is ignored.
 */
export function isCutShort(path: string, connection: SqliteDriver.Database): boolean {
  // With a log, an incomplete page at the end is no fault: the log may contain the complete page. Look at the log
  // before the file: if another process writes the log back meanwhile, the file is complete before the log is empty.
  const hasLog = logSize(path) > 0;
  const { size } = statSync(path);
  const pageSize = connection.pragma('page_size', { simple: true }) as number;
  return size < pageSize || (!hasLog && size % pageSize !== 0);
}

/** Flushes the file or folder at `path` to disk before the function returns. Throws the system's error. */
export function flush(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Flushes the folder that contains `path` to disk. Without this flush, a rename can be lost when the power fails. */
export function flushFolderOf(path: string): void {
  flush(dirname(resolve(path)));
}

/**
 * Extracts the faults from the answer of `integrity_check` or `quick_check`: one line for each fault, none for `ok`.
 */
export function faultsIn(verdicts: readonly string[]): string[] {
  return verdicts
    .flatMap((verdict) => verdict.split('\n'))
    .filter((line) => !/^(ok$|\*\*\* in database |$)/.test(line));
}
