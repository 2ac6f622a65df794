/** Milliseconds for a request before anything is measured; a few times what most take. */
const AT_FIRST = 0.2;
/** What the newest measurement counts. */
const WEIGHT = 0.5;
/** One stall must not look like many slow requests: a measurement counts as this many times the pace so far at most. */
const STEEPEST = 3;

/** How long requests take the process, as it was of late. */
export interface Pace {
  /** That so many requests took so many milliseconds together. */
  observe(milliseconds: number, requests: number): void;
  /** The milliseconds that so many requests will take. */
  timeFor(requests: number): number;
  /** How many requests can be begun to be done in so many milliseconds, one at least. */
  countWithin(milliseconds: number): number;
}

export function createPace(): Pace {
  let each = AT_FIRST;
  return {
    observe(milliseconds, requests) {
      each += (Math.min(milliseconds / requests, each * STEEPEST) - each) * WEIGHT;
    },
    timeFor: (requests) => requests * each,
    countWithin: (milliseconds) => Math.max(1, Math.round(milliseconds / each)),
  };
}
