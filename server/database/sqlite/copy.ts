import { randomUUID } from 'node:crypto';
import { closeSync, openSync, rmSync } from 'node:fs';
import { performanceNow } from '../../timers.js';
import type { DatabaseReport } from '../report.js';
import { UnusableDatabase } from '../unusable.js';
import { checkFile } from './check.js';
import { assertBuilt, connect } from './driver.js';
import { flush } from './file.js';
import { START_PATIENCE } from './open.js';

/** Pages. No database has more pages than this. */
const ALL_PAGES = 0x7fffffff;

/** A complete and checked copy of a database. */
export interface Copy {
  /** The path of the copy: a temporary name in the folder of the wanted file. */
  path: string;
  report: DatabaseReport;
}

/**
 * Copies the database at `from` to a temporary file beside `wanted`, checks the copy and flushes the copy to disk. Then
 * calls `place`, which gives the copy its final name, and resolves with the result of `place`. Afterwards the temporary
 * file is deleted, also if anything fails. A service may use the database meanwhile.
 *
 * The copy is made in one step, which reads one snapshot while other processes write. Between several steps other
 * processes could write, and SQLite would then begin the copy again; under load the copy would never end.
 *
 * Rejects with `UnusableDatabase` if the copy has a fault, or if the database stays locked for 10 seconds. Rejects with
 * the driver's or the system's error if a file cannot be read or written.
 */
export async function withCopy<T>(from: string, wanted: string, place: (copy: Copy) => T): Promise<T> {
  assertBuilt();
  const path = `${wanted}.${randomUUID().slice(0, 8)}.partial`;
  // The file gets mode 0600 before it has any content.
  closeSync(openSync(path, 'wx', 0o600));
  try {
    await copyPages(from, path);
    settle(path);
    const report = await checkFile(path);
    const [fault] = report.faults;
    if (fault !== undefined) throw new UnusableDatabase(`the copy of database ${from} is not whole: ${fault}`);
    flush(path);
    return place({ path, report });
  } finally {
    for (const rest of ['', '-journal', '-wal', '-shm']) rmSync(path + rest, { force: true });
  }
}

async function copyPages(from: string, to: string): Promise<void> {
  const source = connect(from, { readonly: true, timeout: START_PATIENCE });
  const deadline = performanceNow() + START_PATIENCE;
  try {
    await source.backup(to, {
      progress() {
        // SQLite calls this function before the step, and again each time the source was locked.
        if (performanceNow() > deadline) throw new UnusableDatabase(`database ${from} is locked by another process`);
        return ALL_PAGES;
      },
    });
  } finally {
    source.close();
  }
}

/**
 * Makes the copy a single file without a log, so that it is readable where nothing can be written. A start uses WAL
 * again.
 */
function settle(path: string): void {
  const connection = connect(path);
  try {
    connection.pragma('journal_mode = delete');
  } finally {
    connection.close();
  }
}
