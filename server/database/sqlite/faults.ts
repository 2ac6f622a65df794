import SqliteDriver from 'better-sqlite3';

const STORAGE_FAULT =
  /^SQLITE_(BUSY|LOCKED|FULL|IOERR|READONLY|CANTOPEN|CORRUPT|NOTADB|PROTOCOL|NOMEM|NOLFS|PERM|AUTH|INTERRUPT)(_|$)/;
const BUSY = /^SQLITE_BUSY(_|$)/;

function codeOf(error: unknown): string {
  return error instanceof SqliteDriver.SqliteError ? error.code : '';
}

/** Whether an error comes from the disk, the file or another process, not from the query. */
export function isStorageFault(error: unknown): boolean {
  return STORAGE_FAULT.test(codeOf(error));
}

/** Whether another process has the lock: the only storage fault that may end while the query waits. */
export function isBusy(error: unknown): boolean {
  return BUSY.test(codeOf(error));
}

/** Whether a process that was killed left a journal, which a connection that only reads cannot roll back. */
export function isUnfinished(error: unknown): boolean {
  return codeOf(error) === 'SQLITE_READONLY_ROLLBACK';
}

export function isUniqueViolation(error: unknown): boolean {
  return codeOf(error) === 'SQLITE_CONSTRAINT_UNIQUE';
}
