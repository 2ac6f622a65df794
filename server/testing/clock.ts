import { InvalidArgument } from '../config/invalid-argument.js';
import { parseDateTime } from '../contract/formats.js';
import type { Now } from '../timers.js';

/** An instant in the years 1970 to 6999: RFC 3339 with a zone, a `Date`, or milliseconds since 1970. */
export type Instant = string | Date | number;

export interface ClockState {
  /** The clock's time: RFC 3339 in UTC with milliseconds. */
  now: string;
  frozen: boolean;
}

/** A clock that a test can move. Every method throws `InvalidArgument` for an instant outside the years 1970 to 6999. */
export interface TestClock {
  /** The clock's time in milliseconds since 1970. */
  now(): number;
  state(): ClockState;
  /** Stops the clock, at its current time or at `at`. */
  freeze(at?: Instant): void;
  /** Sets the clock to `at`, forwards or back. A running clock continues from there. */
  set(at: Instant): void;
  /** Moves the clock forwards by `milliseconds`, an integer of 0 or more. */
  advance(milliseconds: number): void;
  /** Lets a stopped clock run from its current time. */
  unfreeze(): void;
}

/** The clock of a local server, which `reset` sets back. */
export interface SettableClock extends TestClock {
  /** The time after a `reset`, in milliseconds since 1970. */
  start(): number;
  reset(): void;
}

// Leaves room up to the year 9999 for a token's longest lifetime and a seed's longest relative time.
const LATEST = Date.parse('6999-12-31T23:59:59.999Z');
const BOUNDS = 'RFC 3339 with a zone, a Date or milliseconds since 1970, in the years 1970 to 6999';

export function createClock(base: Now, frozenAt: Instant | undefined): SettableClock {
  let offset = 0;
  let frozen: number | undefined;

  const now = () => frozen ?? base() + offset;
  function moveTo(instant: number): void {
    if (frozen === undefined) offset = instant - base();
    else frozen = instant;
  }

  const start = frozenAt === undefined ? undefined : toInstant(frozenAt, 'option testing.frozenAt');

  const clock: SettableClock = {
    now,
    start: () => start ?? base(),
    state: () => ({ now: new Date(now()).toISOString(), frozen: frozen !== undefined }),
    freeze(at) {
      frozen = at === undefined ? now() : toInstant(at, 'freeze(at)');
    },
    set(at) {
      moveTo(toInstant(at, 'set(at)'));
    },
    advance(milliseconds) {
      if (!Number.isSafeInteger(milliseconds) || milliseconds < 0) {
        throw new InvalidArgument('advance(milliseconds) must be an integer of 0 or more; use set(at) to go back');
      }
      moveTo(toInstant(now() + milliseconds, 'the instant that advance(milliseconds) reaches'));
    },
    unfreeze() {
      if (frozen === undefined) return;
      offset = frozen - base();
      frozen = undefined;
    },
    reset() {
      offset = 0;
      frozen = start;
    },
  };
  clock.reset();
  return clock;
}

function toInstant(at: Instant, name: string): number {
  const instant = typeof at === 'string' ? (parseDateTime(at) ?? Number.NaN) : Number(at);
  if (!Number.isInteger(instant) || instant < 0 || instant > LATEST) {
    throw new InvalidArgument(`${name} must be ${BOUNDS}`);
  }
  return instant;
}
