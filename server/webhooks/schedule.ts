import { randomInt } from 'node:crypto';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Milliseconds from each failed attempt to the next one. There is no attempt after the last of them. */
const DELAYS: readonly number[] = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
];
/** The most that a delay is longer by chance, as a part of it, so that what failed together is not sent together again. */
const JITTER = 0.2;
/** Milliseconds. The longest delay that an answer can ask for by `Retry-After`. */
const LONGEST = 24 * HOUR;

/**
 * Milliseconds until the attempt after `failed` attempts have failed; undefined if that was the last one. `wanted` is what the
 * answer asked for: a longer delay is respected, up to a day.
 */
export function delayAfter(failed: number, wanted: number | null): number | undefined {
  const delay = DELAYS[failed - 1];
  if (delay === undefined) return undefined;
  const jittered = delay + randomInt(Math.floor(delay * JITTER) + 1);
  return Math.max(jittered, Math.min(wanted ?? 0, LONGEST));
}
