import * as fc from 'fast-check';
import { multiple } from '../decimal.js';
import type { Schema } from '../document/schema.js';

// Random numbers that fit a schema. JavaScript represents each of them exactly.

export function integers(schema: Schema): fc.Arbitrary<number> {
  const { multipleOf, format, minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  const decimals = multipleOf === undefined ? 0 : (String(multipleOf).split('.')[1]?.length ?? 0);
  const step = multipleOf === undefined ? 1 : Math.max(1, Math.round(multipleOf * 10 ** decimals));
  // Without a limit, integers stay within 32 bits, which every database and language supports.
  const isOpen = format !== 'int64' && maximum === undefined && exclusiveMaximum === undefined;
  const widest = isOpen ? 2 ** 31 - 1 : Number.MAX_SAFE_INTEGER;
  const lowest = Math.max(
    minimum ?? -widest,
    exclusiveMinimum === undefined ? -Infinity : Math.floor(exclusiveMinimum) + 1,
  );
  const highest = Math.min(
    maximum ?? Math.max(widest, lowest + 1_000),
    exclusiveMaximum === undefined ? Infinity : Math.ceil(exclusiveMaximum) - 1,
    format === 'int32' ? 2 ** 31 - 1 : Infinity,
  );
  const min = clamp(Math.ceil(lowest / step), step);
  const max = clamp(Math.floor(highest / step), step);
  return fc.integer({ min: Math.min(min, max), max }).map((count) => count * step);
}

/** Limits a count of steps, so that `count * step` is at most 2^53. */
function clamp(count: number, step: number): number {
  const most = Math.floor(Number.MAX_SAFE_INTEGER / step);
  return Math.min(most, Math.max(-most, count));
}

export function numbers(schema: Schema): fc.Arbitrary<number> {
  const { multipleOf, minimum = -Infinity, maximum = Infinity } = schema;
  const { exclusiveMinimum = -Infinity, exclusiveMaximum = Infinity } = schema;
  const highest = Math.min(maximum, exclusiveMaximum);
  const lowest = Math.max(minimum, exclusiveMinimum);
  const min = lowest > -Infinity ? lowest : Math.min(-1e9, highest < Infinity ? highest : 0);
  const max = highest < Infinity ? highest : Math.max(1e9, min);
  if (multipleOf !== undefined) {
    const least = clamp(Math.ceil(min / multipleOf - 1e-9), Math.max(1, multipleOf));
    const most = clamp(Math.floor(max / multipleOf + 1e-9), Math.max(1, multipleOf));
    return fc.integer({ min: Math.min(least, most), max: most }).map((count) => multiple(count, multipleOf));
  }
  return fc.double({
    min: Math.min(min, max),
    max,
    minExcluded: min === exclusiveMinimum && min < max,
    maxExcluded: max === exclusiveMaximum && min < max,
    noNaN: true,
    noDefaultInfinity: true,
  });
}
