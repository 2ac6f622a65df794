import { randomUUID } from 'node:crypto';
import { closeSync, openSync, rmSync } from 'node:fs';
import { performanceNow } from '../../timers.js';
import { DatabaseRefusal } from '../refusal.js';
import { checkDatabase, type DatabaseReport } from './check.js';
import { assertBuilt, connect } from './driver.js';
import { flush } from './file.js';
import { START_PATIENCE } from './open.js';

/** More pages than a database can have. */
const ALL_PAGES = 0x7fffffff;

export interface Copy {
  /** Where it is, under a name of its own beside the wanted one. */
  path: string;
  report: DatabaseReport;
}

/**
 * Copies the database at `from`, of which a service may be running, to a file beside `wanted`, checks that copy and
 * flushes it. `place` then gives it its name; where anything fails, nothing is left of it.
 *
 * All pages go in one step, which reads them as of one moment while others write. In several steps SQLite would begin
 * again whenever another process has written between two of them, which under load is for ever.
 */
export async function withCopy<T>(from: string, wanted: string, place: (copy: Copy) => T): Promise<T> {
  assertBuilt();
  const path = `${wanted}.${randomUUID().slice(0, 8)}.partial`;
  // 0600 before there is anything in it.
  closeSync(openSync(path, 'wx', 0o600));
  try {
    await copyPages(from, path);
    settle(path);
    const report = await checkDatabase(path);
    const [fault] = report.faults;
    if (fault !== undefined) throw new DatabaseRefusal(`the copy of database ${from} is not whole: ${fault}`);
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
        // Called between two steps: before the only one, and again where the source was locked.
        if (performanceNow() > deadline) throw new DatabaseRefusal(`database ${from} is locked by another process`);
        return ALL_PAGES;
      },
    });
  } finally {
    source.close();
  }
}

/** One file that is complete by itself, and readable where nothing can be written: a start takes up the log again. */
function settle(path: string): void {
  const connection = connect(path);
  try {
    connection.pragma('journal_mode = delete');
  } finally {
    connection.close();
  }
}
