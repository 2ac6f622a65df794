/** How much the newest measurement counts against those before it. */
const WEIGHT = 0.5;
/** One measurement counts as at most this many times the pace so far: one stall must not look like many slow pieces. */
const STEEPEST = 3;

/** How long a piece of work takes the process, by its latest measurements. */
export interface Pace {
  /** Records that `count` pieces took this many milliseconds together. */
  observe(milliseconds: number, count: number): void;
  /** The milliseconds that `count` pieces will take. */
  timeFor(count: number): number;
  /** How many pieces will be done within this many milliseconds; at least one. */
  countWithin(milliseconds: number): number;
}

/** `atFirst` is the number of milliseconds for a piece before anything is measured. */
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
