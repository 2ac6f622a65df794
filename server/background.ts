import type { Log } from './log/log.js';
import { clearTimeout, performanceNow, setTimeout } from './timers.js';

/** Work that a process does again and again beside the requests, one run at a time. */
export interface Background {
  /** Runs the work within `delay` milliseconds, unless a run is due sooner. */
  within(delay: number): void;
  /** Runs the work now, after the run under way. Rejects with its error. */
  run(): Promise<void>;
  /** Waits for the run under way. Later runs do not start. */
  close(): Promise<void>;
}

interface BackgroundOptions {
  /** The longest milliseconds between two runs. */
  every: number;
  /** The milliseconds after a run that failed. */
  afterFailure?: number;
  log: Log;
  /** What the log says of a run that failed. */
  failure: string;
}

/** Creates background work. `work` returns the milliseconds until its next run; undefined for `every`. */
export function createBackground(
  work: () => Promise<number | undefined>,
  { every, afterFailure = every, log, failure }: BackgroundOptions,
): Background {
  let timer: NodeJS.Timeout | undefined;
  let due = Number.POSITIVE_INFINITY;
  let running: Promise<unknown> = Promise.resolve();
  let isClosed = false;

  function within(delay: number): void {
    const at = performanceNow() + delay;
    if (isClosed || at >= due) return;
    clearTimeout(timer);
    due = at;
    timer = setTimeout(() => {
      due = Number.POSITIVE_INFINITY;
      void run().catch((error: unknown) => {
        log.warn({ err: error }, failure);
        within(afterFailure);
      });
    }, delay).unref();
  }

  async function once(): Promise<void> {
    if (isClosed) return;
    within((await work()) ?? every);
  }

  function run(): Promise<void> {
    const next = running.then(once);
    running = next.catch(() => undefined);
    return next;
  }

  within(every);
  return {
    within,
    run,
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await running;
    },
  };
}
