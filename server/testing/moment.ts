import { InvalidArgument } from '../config/invalid-argument.js';
import { parseDateTime } from '../contract/formats.js';
import type { SeedInstant } from './seed.js';

/** An instant as the seed states it. */
export interface Moment {
  /** Path of this member in the seed, for errors. */
  place: string;
  /** Milliseconds since 1970, or if `relative` is true, milliseconds to add to the clock's time. */
  value: number;
  relative: boolean;
}

const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

export function toMomentOrNull(instant: SeedInstant | null | undefined, place: string): Moment | null {
  return instant === null || instant === undefined ? null : toMoment(instant, place);
}

export function toMoment(instant: SeedInstant, place: string): Moment {
  const [, sign, amount, unit = ''] = /^([+-])(\d{1,6})(ms|s|m|h|d)$/.exec(String(instant)) ?? [];
  if (sign !== undefined) {
    return { place, value: Number(amount) * (UNITS[unit] ?? 0) * (sign === '-' ? -1 : 1), relative: true };
  }
  const value = parseDateTime(String(instant));
  if (value === undefined) throw outOfRange(place);
  return { place, value, relative: false };
}

/** The instant in milliseconds since 1970. Throws `InvalidArgument` if it is before 1970. */
export function instantOf({ place, value, relative }: Moment, now: number): number {
  const instant = relative ? now + value : value;
  if (instant < 0) throw outOfRange(place);
  return instant;
}

function outOfRange(place: string): InvalidArgument {
  return new InvalidArgument(`${place} must be an existing date and time in the years 1970 to 9999`);
}
