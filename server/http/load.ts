import type { Log } from '../log/log.js';
import * as realTimers from '../timers.js';

/** Milliseconds between two looks. The delays that matter are many times longer. */
const LOOK = 100;
/** Looks in a second. */
const LOOKS = 1_000 / LOOK;
/** Rejections in a second that make the process overloaded. One client's burst causes a few. */
const SHEDDING = 10;

/** How busy the process is. */
export interface Load {
  /** Whether ten requests or more were rejected within the last second because too many waited. */
  readonly isShedding: boolean;
  /** The longest delay of the event loop in this second and the one before, in whole milliseconds. */
  eventLoopDelay(): number;
  /** Counts a request that was rejected because too many waited. */
  countRejectedRequest(): void;
  /** Counts a connection that was closed because too many were open. */
  countRejectedConnection(): void;
  close(): void;
}

/** The timers of a `Load`, which a test replaces. */
type LoadTimers = Pick<typeof realTimers, 'clearInterval' | 'performanceNow' | 'setInterval'>;

/**
 * Measures the event loop's delay with a timer, and logs one line for each second in which something was rejected. A line
 * for each rejection would cost as much as the rejection.
 */
export function createLoad(log: Log, timers: LoadTimers = realTimers): Load {
  const { clearInterval, performanceNow, setInterval } = timers;
  let due = performanceNow() + LOOK;
  let looks = 0;
  let delay = 0;
  let earlierDelay = 0;
  let rejected = { requests: 0, connections: 0 };
  /** Requests rejected in each look of the last second, the newest first. */
  let recent: number[] = [0];

  function logRejected(): void {
    const { requests, connections } = rejected;
    if (requests + connections > 0)
      log.warn({ requests, connections, eventLoopDelayMs: Math.round(delay) }, 'rejected');
    rejected = { requests: 0, connections: 0 };
  }

  const timer = setInterval(() => {
    const now = performanceNow();
    delay = Math.max(delay, now - due);
    due = now + LOOK;
    recent = [0, ...recent.slice(0, LOOKS - 1)];
    if (++looks < LOOKS) return;
    logRejected();
    looks = 0;
    earlierDelay = delay;
    delay = 0;
  }, LOOK).unref();

  return {
    get isShedding() {
      return recent.reduce((sum, count) => sum + count) >= SHEDDING;
    },
    // The timer may be late at this moment.
    eventLoopDelay: () => Math.round(Math.max(delay, earlierDelay, performanceNow() - due)),
    countRejectedRequest() {
      rejected.requests++;
      recent[0] = (recent[0] ?? 0) + 1;
    },
    countRejectedConnection() {
      rejected.connections++;
    },
    close() {
      clearInterval(timer);
      logRejected();
    },
  };
}
