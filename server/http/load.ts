import type { Log } from '../log/log.js';
import { clearInterval, performanceNow, setInterval } from '../timers.js';

/** Milliseconds between two looks; what is looked for is many times longer. */
const LOOK = 100;
/** Looks that make a period, which is a second. */
const LOOKS = 10;
/** Refusals of a second from which on the process sheds load; a few come of one client's burst. */
const SHEDDING = 10;

/** How busy the process is. */
export interface Load {
  /** Whether ten requests or more were refused within the last second because too many waited. */
  readonly isShedding: boolean;
  /** The longest that the event loop kept something waiting in this second or the one before, in whole milliseconds. */
  eventLoopDelay(): number;
  /** Counts a request that was refused because too many waited. */
  refusedRequest(): void;
  /** Counts a connection that was closed because there were too many. */
  refusedConnection(): void;
  close(): void;
}

/**
 * Watches the event loop by a timer, and logs what was refused in one line for each second: a line for each refusal would
 * cost as much as refusing does.
 */
export function createLoad(log: Log): Load {
  let due = performanceNow() + LOOK;
  let looks = 0;
  let delay = 0;
  let earlierDelay = 0;
  let refused = { requests: 0, connections: 0 };
  /** Requests refused in this look and the ones before, a second together. */
  let recent: number[] = [0];

  function logRefused(): void {
    const { requests, connections } = refused;
    if (requests + connections > 0) log.warn({ requests, connections, eventLoopDelayMs: Math.round(delay) }, 'refused');
    refused = { requests: 0, connections: 0 };
  }

  const timer = setInterval(() => {
    const now = performanceNow();
    delay = Math.max(delay, now - due);
    due = now + LOOK;
    recent = [0, ...recent.slice(0, LOOKS - 1)];
    if (++looks < LOOKS) return;
    logRefused();
    looks = 0;
    earlierDelay = delay;
    delay = 0;
  }, LOOK).unref();

  return {
    get isShedding() {
      return recent.reduce((sum, count) => sum + count) >= SHEDDING;
    },
    // The timer itself may be late at this moment.
    eventLoopDelay: () => Math.round(Math.max(delay, earlierDelay, performanceNow() - due)),
    refusedRequest() {
      refused.requests++;
      recent[0] = (recent[0] ?? 0) + 1;
    },
    refusedConnection() {
      refused.connections++;
    },
    close() {
      clearInterval(timer);
      logRefused();
    },
  };
}
