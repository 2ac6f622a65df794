import { statSync } from 'node:fs';
import { performanceNow } from '../../timers.js';
import type { Patience } from './write-queue.js';

/** Milliseconds that a start waits at most for another process that migrates. */
const LONGEST = 15 * 60_000;
/** Milliseconds without a change of the log: a migration sorts for so long at most before it writes again. */
const LONGEST_SILENCE = 60_000;
const BETWEEN_NOTICES = 5_000;

/**
 * Waits for whoever has the write lock of the database at `path` as long as that visibly works: as its log changes. The
 * migration of a million tokens takes longer than any request may wait, and a start that gives up would only be made anew.
 */
export function createMigrationPatience(path: string, onWait: () => void): Patience {
  const start = performanceNow();
  let [log, changedAt, noticeAt] = [traceOf(path), start, start + 1_000];
  return () => {
    const now = performanceNow();
    const trace = traceOf(path);
    if (trace !== log) [log, changedAt] = [trace, now];
    if (now >= noticeAt) {
      noticeAt = now + BETWEEN_NOTICES;
      onWait();
    }
    return now - start < LONGEST && now - changedAt < LONGEST_SILENCE;
  };
}

function traceOf(path: string): string {
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false });
  return log === undefined ? '' : `${String(log.size)} ${String(log.mtimeMs)}`;
}
