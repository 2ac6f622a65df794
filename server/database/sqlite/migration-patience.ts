import { statSync } from 'node:fs';
import { performanceNow } from '../../timers.js';
import type { Patience } from './write-queue.js';

/** The most milliseconds that a start waits for another process that migrates: 15 minutes. */
const LONGEST = 15 * 60_000;
/**
 * The most milliseconds that a start waits while the log does not change: sorting in a migration takes less than that.
 */
const LONGEST_SILENCE = 60_000;
/** Milliseconds between two calls of `onWait`. */
const BETWEEN_NOTICES = 5_000;

/**
 * Creates the patience of a start that waits for another process to release the write lock of the database at `path`.
 * The start waits while the log of the database changes, which shows that the other process makes progress: 15 minutes
 * at most, and 60 seconds at most without a change. The returned function calls `onWait` after 1 second and then every
 * 5 seconds.
 *
 * A start waits longer than a write may wait, because the migration of a million tokens takes longer.
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
