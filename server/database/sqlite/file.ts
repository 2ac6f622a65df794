import { closeSync, fsyncSync, openSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type SqliteDriver from 'better-sqlite3';

// A database as the file system has it: the file, and its write-ahead log beside it.

/** Bytes of the log beside the database at `path`, 0 where there is none. */
export function logSize(path: string): number {
  return statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
}

/** What SQLite does not miss: it takes a file that was cut to nothing for a new one, and half a last page for none. */
export function isCutShort(path: string, connection: SqliteDriver.Database): boolean {
  // The log may hold the page whose writing was interrupted; without one the file is all there is. It is looked at
  // first: a process that writes it back meanwhile makes the file whole before the log is gone.
  const hasLog = logSize(path) > 0;
  const { size } = statSync(path);
  const pageSize = connection.pragma('page_size', { simple: true }) as number;
  return size < pageSize || (!hasLog && size % pageSize !== 0);
}

/** Returns when the file or folder at `path` is on disk. */
export function flush(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Returns when the names in the folder of `path` are on disk: a name that was moved is not there before. */
export function flushFolderOf(path: string): void {
  flush(dirname(resolve(path)));
}

/** What `integrity_check` or `quick_check` answered, a line for each fault. */
export function faultsIn(verdicts: readonly string[]): string[] {
  return verdicts
    .flatMap((verdict) => verdict.split('\n'))
    .filter((line) => !/^(ok$|\*\*\* in database |$)/.test(line));
}
