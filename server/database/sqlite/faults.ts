import SqliteDriver from 'better-sqlite3';

const STORAGE_FAULT =
  /^SQLITE_(BUSY|LOCKED|FULL|IOERR|READONLY|CANTOPEN|CORRUPT|NOTADB|PROTOCOL|NOMEM|NOLFS|PERM|AUTH|INTERRUPT)(_|$)/;
const BUSY = /^SQLITE_BUSY(_|$)/;

function codeOf(error: unknown): string {
  return error instanceof SqliteDriver.SqliteError ? error.code : '';
}

/** Whether the cause lies with the disk, the file or another process, and not with the query. */
export function isStorageFault(error: unknown): boolean {
  return STORAGE_FAULT.test(codeOf(error));
}

/** Whether another process holds the lock: the one storage fault that waiting cures. */
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
