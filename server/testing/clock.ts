import { InvalidArgument } from '../config/invalid-argument.js';
import { parseDateTime } from '../contract/formats.js';
import type { Now } from '../timers.js';

/** A moment: RFC 3339 with a zone, a `Date`, or milliseconds since 1970. From 1970 to 6999. */
export type Instant = string | Date | number;

export interface ClockState {
  /** RFC 3339 in UTC with milliseconds. */
  now: string;
  frozen: boolean;
}

/** A clock that a test moves. Every method throws `InvalidArgument` for an instant outside of the years 1970 to 6999. */
export interface TestClock {
  /** Milliseconds since 1970. */
  now(): number;
  state(): ClockState;
  /** Stops the clock, at this moment or at `at`. */
  freeze(at?: Instant): void;
  /** Moves the clock to `at`, forwards or back; one that runs goes on from there. */
  set(at: Instant): void;
  /** Moves the clock forwards by so many milliseconds, an integer from 0 on. */
  advance(milliseconds: number): void;
  /** Lets the clock run, from where it stands. */
  unfreeze(): void;
}

/** The tests' clock, and what puts it back. */
export interface SettableClock extends TestClock {
  /** What `now` gives after a `reset`. */
  start(): number;
  reset(): void;
}

// So that neither a year of validity nor the longest relative time of a seed ends after 9999.
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
        throw new InvalidArgument('advance(milliseconds) must be an integer from 0 on; set(at) goes back');
      }
      moveTo(toInstant(now() + milliseconds, 'advance(milliseconds): the instant reached'));
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
