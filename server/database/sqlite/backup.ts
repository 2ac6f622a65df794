import { existsSync, linkSync, realpathSync, renameSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { DatabaseRefusal } from '../refusal.js';
import type { DatabaseReport } from './check.js';
import { withCopy } from './copy.js';
import { flushFolderOf } from './file.js';

/**
 * Writes a copy of the database at `path` to a new `file`, of mode 0600, and says what is in it. A service may write
 * meanwhile: the copy holds all that was answered before the call, and is as of one moment after it.
 *
 * `file` is there only when the copy is complete, checked and on disk. Rejects with `DatabaseRefusal` where `file` exists
 * already, and where the database is damaged, foreign or of a newer version; and with the system's error.
 */
export async function backUpDatabase(path: string, file: string): Promise<DatabaseReport> {
  rejectOwnFiles(path, file);
  if (existsSync(file)) throw alreadyThere(file);
  return await withCopy(path, file, (copy) => {
    giveName(copy.path, file);
    flushFolderOf(file);
    return copy.report;
  });
}

/** A log beside a database is taken for its own, whatever is in it. */
function rejectOwnFiles(path: string, file: string): void {
  const own = realpathSync(path);
  const folder = dirname(resolve(file));
  if (!existsSync(folder)) throw new DatabaseRefusal(`cannot write ${file}: there is no folder ${folder}`);
  const wanted = join(realpathSync(folder), basename(file));
  const isDatabase = wanted === own || (existsSync(file) && realpathSync(file) === own);
  if (isDatabase) throw new DatabaseRefusal(`${file} is the database itself`);
  if (['-wal', '-shm', '-journal'].some((ending) => wanted === own + ending)) {
    throw new DatabaseRefusal(`${file} is what SQLite keeps beside the database itself`);
  }
}

/** A link fails where the name is taken, a renaming would replace what has it. */
function giveName(copy: string, file: string): void {
  try {
    linkSync(copy, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw alreadyThere(file);
    // Not every file system knows links, such as that of a memory stick.
    if (existsSync(file)) throw alreadyThere(file);
    renameSync(copy, file);
  }
}

function alreadyThere(file: string): DatabaseRefusal {
  return new DatabaseRefusal(`${file} exists already; a backup overwrites nothing`);
}
