/** The weight of the newest measurement, from 0 to 1; all earlier measurements together have the rest. */
const WEIGHT = 0.5;
/** A measurement counts as at most this many times the pace so far: one stall must not look like many slow pieces. */
const STEEPEST = 3;

/** How many milliseconds a piece of work takes, estimated from the latest measurements. */
export interface Pace {
  /** Records that `count` pieces together took this many milliseconds. */
  observe(milliseconds: number, count: number): void;
  /** The milliseconds that `count` pieces are expected to take. */
  timeFor(count: number): number;
  /** How many pieces are expected to be done within this many milliseconds, at least 1. */
  countWithin(milliseconds: number): number;
}

/**
 * Creates a pace. `atFirst` is the number of milliseconds that a piece is expected to take before the first
 * measurement.
 */
export function createPace(atFirst: number): Pace {
  let each = atFirst;
  return {
    observe(milliseconds, count) {
      each += (Math.min(milliseconds / count, each * STEEPEST) - each) * WEIGHT;
    },
    timeFor: (count) => count * each,
    countWithin: (milliseconds) => Math.max(1, Math.round(milliseconds / each)),
  };
}
