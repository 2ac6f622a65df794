import { existsSync, linkSync, lstatSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { DatabaseRefusal } from '../refusal.js';
import { checkDatabase, type DatabaseReport } from './check.js';
import { withCopy } from './copy.js';
import { connect } from './driver.js';
import { isBusy } from './faults.js';
import { flushFolderOf } from './file.js';
import { isOpen } from './open-files.js';

export interface Restoration {
  report: DatabaseReport;
  /** Where the database that was there is kept; null where there was none. */
  kept: string | null;
}

/**
 * Puts a copy of the backup `file` in the place of the database at `name`, at once and whole, and says what is in it.
 * With `replace` a database that is there is kept beside it under another name.
 *
 * Rejects with `DatabaseRefusal` where `file` is no whole database of this version or an earlier one, where there is a
 * database already and not `replace`, and where a process has that open; and with the system's error. `name` then is as
 * it was.
 */
export async function restoreDatabase(file: string, name: string, { replace = false } = {}): Promise<Restoration> {
  // Where the name is a link, that stays, and what it leads to is replaced.
  const isLink = lstatSync(name, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  const path = isLink && existsSync(name) ? realpathSync(name) : name;
  const [fault] = (await checkDatabase(file)).faults;
  if (fault !== undefined) throw new DatabaseRefusal(`${file} cannot be restored: ${fault}`);
  if (existsSync(path)) {
    if (!replace) throw new DatabaseRefusal(`there is a database ${path} already; --force replaces it, and keeps it`);
    if (realpathSync(file) === realpathSync(path)) throw new DatabaseRefusal(`${file} is the database itself`);
    takeAlone(path);
  }
  return await withCopy(file, path, (copy) => {
    // Once more: copying took a while, in which a service may have started.
    if (existsSync(path)) takeAlone(path);
    const kept = existsSync(path) ? putAside(path) : null;
    // A log that is left would be taken for the new file's.
    for (const ending of ['-wal', '-shm', '-journal']) rmSync(path + ending, { force: true });
    renameSync(copy.path, path);
    flushFolderOf(path);
    return { report: copy.report, kept };
  });
}

/** Writes the log back into the file, so that it is complete without; throws where another process has it open. */
function takeAlone(path: string): void {
  try {
    const connection = connect(path, { timeout: 0 });
    try {
      // In WAL mode every process that has the file open shares a lock on it, even while it does nothing.
      connection.pragma('locking_mode = exclusive');
      connection.exec('begin exclusive; rollback');
      connection.pragma('journal_mode = delete');
    } finally {
      connection.close();
    }
  } catch (error) {
    if (isBusy(error)) throw inUse(path);
    // Too damaged for SQLite to lock: the system may know who has it open, and its log stays as it is.
    if (isOpen(path)) throw inUse(path);
  }
}

function inUse(path: string): DatabaseRefusal {
  return new DatabaseRefusal(`database ${path} is in use by another process; stop the service first`);
}

/** A second name and not another one: at every moment there is a database at `path`. */
function putAside(path: string): string {
  for (let number = 1; ; number++) {
    const kept = `${path}.replaced-${String(number)}`;
    try {
      linkSync(path, kept);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
      // Not every file system knows links.
      renameSync(path, kept);
    }
    if (existsSync(`${path}-wal`)) renameSync(`${path}-wal`, `${kept}-wal`);
    return kept;
  }
}
