import SqliteDriver from 'better-sqlite3';

const STORAGE_FAULT =
  /^SQLITE_(BUSY|LOCKED|FULL|IOERR|READONLY|CANTOPEN|CORRUPT|NOTADB|PROTOCOL|NOMEM|NOLFS|PERM|AUTH|INTERRUPT)(_|$)/;
const BUSY = /^SQLITE_BUSY(_|$)/;

function codeOf(error: unknown): string {
  return error instanceof SqliteDriver.SqliteError ? error.code : '';
}

/** Whether the disk, the file or another process caused an error, and not the query itself. */
export function isStorageFault(error: unknown): boolean {
  return STORAGE_FAULT.test(codeOf(error));
}

/** Whether another connection holds the lock. This is the only storage fault that can end while a query waits. */
export function isBusy(error: unknown): boolean {
  return BUSY.test(codeOf(error));
}

/** Whether a killed process left a journal. A read-only connection cannot roll the journal back. */
export function isUnfinished(error: unknown): boolean {
  return codeOf(error) === 'SQLITE_READONLY_ROLLBACK';
}

/** Whether an error is a violation of a unique constraint. */
export function isUniqueViolation(error: unknown): boolean {
  return codeOf(error) === 'SQLITE_CONSTRAINT_UNIQUE';
}
