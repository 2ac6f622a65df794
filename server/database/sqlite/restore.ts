import { existsSync, linkSync, lstatSync, realpathSync, renameSync, rmSync } from 'node:fs';
import type { DatabaseReport } from '../report.js';
import { UnusableDatabase } from '../unusable.js';
import { checkFile } from './check.js';
import { withCopy } from './copy.js';
import { connect } from './driver.js';
import { isBusy } from './faults.js';
import { flushFolderOf } from './file.js';
import { isOpen } from './open-files.js';

/** The result of `restoreDatabase`. */
export interface Restoration {
  /** The content of the restored database. */
  report: DatabaseReport;
  /** The path at which the replaced database is kept; null if no database was replaced. */
  kept: string | null;
}

/**
 * Restores the backup `file` as the database at `name`, and reports its content. The database appears in one step,
 * complete and checked. With `replace`, an existing database is kept in the same folder under another name.
 *
 * Rejects with `UnusableDatabase`:
 * - if `file` is damaged, or is no database of this version or an earlier one;
 * - if there is a database at `name` and `replace` is false;
 * - if `file` is the database at `name`, or another process has that database open.
 *
 * Rejects with the system's error if a file cannot be read or written. After a rejection the database at `name` is
 * still there.
 */
export async function restoreDatabase(file: string, name: string, { replace = false } = {}): Promise<Restoration> {
  // If `name` is a symbolic link to a file, keep the link and replace the file.
  const isLink = lstatSync(name, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  const path = isLink && existsSync(name) ? realpathSync(name) : name;
  const [fault] = (await checkFile(file)).faults;
  if (fault !== undefined) throw new UnusableDatabase(`${file} cannot be restored: ${fault}`);
  if (existsSync(path)) {
    if (!replace) throw new UnusableDatabase(`there is a database ${path} already; --force replaces it, and keeps it`);
    if (realpathSync(file) === realpathSync(path)) throw new UnusableDatabase(`${file} is the database itself`);
    takeAlone(path);
  }
  return await withCopy(file, path, (copy) => {
    // Check again, because a service may have started during the copy.
    if (existsSync(path)) takeAlone(path);
    const kept = existsSync(path) ? putAside(path) : null;
    // SQLite would read a remaining log as the log of the new file.
    for (const ending of ['-wal', '-shm', '-journal']) rmSync(path + ending, { force: true });
    renameSync(copy.path, path);
    flushFolderOf(path);
    return { report: copy.report, kept };
  });
}

/**
 * Writes the log back into the database file at `path`, so that the file is complete without the log. Throws
 * `UnusableDatabase` if another process has the file open.
 */
function takeAlone(path: string): void {
  try {
    const connection = connect(path, { timeout: 0 });
    try {
      // In WAL mode every process with the file open has a shared lock on the file, even if the process is idle.
      connection.pragma('locking_mode = exclusive');
      connection.exec('begin exclusive; rollback');
      connection.pragma('journal_mode = delete');
    } finally {
      connection.close();
    }
  } catch (error) {
    if (isBusy(error)) throw inUse(path);
    // The file is too damaged for SQLite to lock. Ask the system who has the file open, and leave the log as it is.
    if (isOpen(path)) throw inUse(path);
  }
}

function inUse(path: string): UnusableDatabase {
  return new UnusableDatabase(`database ${path} is in use by another process; stop the service first`);
}

/**
 * Gives the database at `path` a second name, with its log if there is one, and returns that name. Uses a link, so that
 * there is a database at `path` at every moment.
 */
function putAside(path: string): string {
  for (let number = 1; ; number++) {
    const kept = `${path}.replaced-${String(number)}`;
    try {
      linkSync(path, kept);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
      // Some file systems have no links, so rename the file.
      renameSync(path, kept);
    }
    if (existsSync(`${path}-wal`)) renameSync(`${path}-wal`, `${kept}-wal`);
    return kept;
  }
}
