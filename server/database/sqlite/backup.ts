import { existsSync, linkSync, realpathSync, renameSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { DatabaseReport } from '../report.js';
import { UnusableDatabase } from '../unusable.js';
import { withCopy } from './copy.js';
import { flushFolderOf } from './file.js';

/**
 * Writes a copy of the database at `path` to a new `file` with mode 0600, and reports the content of the copy. A
 * service may write to the database meanwhile: the copy is one snapshot, with every change that was answered before the
 * call.
 *
 * `file` appears only when the copy is complete, checked and on disk. Rejects with `UnusableDatabase` if `file` exists,
 * or if the database is damaged or belongs to another program or a newer version. Rejects with the system's error if a
 * file cannot be read or written.
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

/** Throws `UnusableDatabase` if `file` is the database, or if SQLite would use `file` as the log of the database. */
function rejectOwnFiles(path: string, file: string): void {
  const own = realpathSync(path);
  const folder = dirname(resolve(file));
  if (!existsSync(folder)) throw new UnusableDatabase(`cannot write ${file}: there is no folder ${folder}`);
  const wanted = join(realpathSync(folder), basename(file));
  const isDatabase = wanted === own || (existsSync(file) && realpathSync(file) === own);
  if (isDatabase) throw new UnusableDatabase(`${file} is the database itself`);
  if (['-wal', '-shm', '-journal'].some((ending) => wanted === own + ending)) {
    throw new UnusableDatabase(`SQLite uses the name ${file} for a file of the database itself`);
  }
}

/**
 * Gives the copy the name `file`. Uses a link, because a link fails if `file` exists; a rename would replace `file`.
 */
function giveName(copy: string, file: string): void {
  try {
    linkSync(copy, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw alreadyThere(file);
    // Some file systems have no links, such as FAT.
    if (existsSync(file)) throw alreadyThere(file);
    renameSync(copy, file);
  }
}

function alreadyThere(file: string): UnusableDatabase {
  return new UnusableDatabase(`${file} exists already; a backup overwrites nothing`);
}
