import type { Database } from './database/index.js';
import type { Log } from './log/log.js';
import { clearInterval, dateNow, type Now, performanceNow, setInterval } from './timers.js';

/** Milliseconds between two comparisons. */
const INTERVAL = 60_000;
/** Milliseconds by which the clocks may differ without a warning in the log. */
const TOLERATED = 1_000;
/** Milliseconds from which on the process is not ready: it would accept tokens that other processes reject. */
const TOO_MUCH = 30_000;

/** Compares this machine's clock with the database server's, because the machine that answers decides about expiry. */
export interface ClockCheck {
  /** Whether the clocks differed by more than 30 seconds when they were last compared. */
  readonly isSkewed: boolean;
  /** Compares the clocks. Never rejects; if the database does not answer, the last result stays. */
  compare(): Promise<void>;
  close(): void;
}

/** Compares every minute; `now` is this machine's clock. Tests have a shorter `interval`, in milliseconds. */
export function createClockCheck(
  db: Pick<Database, 'clock'>,
  log: Log,
  { now = dateNow, interval = INTERVAL }: { now?: Now | undefined; interval?: number | undefined } = {},
): ClockCheck {
  let isSkewed = false;
  /** The difference that was last logged, in milliseconds that this machine is ahead; 0 if the clocks agreed. */
  let logged = 0;

  /** The milliseconds that this machine is ahead; null if the database has no clock of its own. */
  async function measure(): Promise<{ ahead: number; uncertainty: number } | null> {
    const start = performanceNow();
    const before = now();
    const theirs = await db.clock();
    // The server read its clock at some moment of the round trip. The middle is the best estimate.
    const halfTrip = (performanceNow() - start) / 2;
    return theirs === null ? null : { ahead: before + halfTrip - theirs, uncertainty: halfTrip };
  }

  async function compare(): Promise<void> {
    const measured = await measure().catch(() => undefined);
    if (measured === null) close();
    if (measured === undefined || measured === null) return;
    // A slow answer can explain a difference of half its time.
    const difference = Math.abs(measured.ahead) - measured.uncertainty;
    isSkewed = difference > TOO_MUCH;
    const ahead = difference > TOLERATED ? Math.round(measured.ahead) : 0;
    const hasMoved = Math.abs(ahead - logged) - measured.uncertainty > TOLERATED;
    if (!hasMoved && (ahead === 0) === (logged === 0)) return;
    logged = ahead;
    if (ahead === 0) log.info({}, 'the clocks of this machine and of the database server agree again');
    else log.warn({ aheadMs: ahead, ready: !isSkewed }, "this machine's clock differs from the database server's");
  }

  let isComparing = false;
  const timer = setInterval(() => {
    if (isComparing) return;
    isComparing = true;
    void compare().finally(() => {
      isComparing = false;
    });
  }, interval).unref();
  function close(): void {
    clearInterval(timer);
  }

  return {
    get isSkewed() {
      return isSkewed;
    },
    compare,
    close,
  };
}
