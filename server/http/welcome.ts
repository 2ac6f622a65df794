import type { Now } from '../timers.js';

/** Lets connections that wait to be accepted go before the requests that wait to begin. */
export interface Welcome {
  /** Tells that a connection was accepted in this turn of the event loop. */
  accepted(): void;
  /**
   * Whether this turn begins no request, so that the next connection is accepted sooner. Called once in each turn.
   * `work` is what the waiting requests will take, in milliseconds.
   */
  goesFirst(work: number): boolean;
}

/**
 * The system gives the process one connection in each turn, however long the turn takes. Behind long turns, a thousand new
 * clients would wait for seconds. So while connections arrive, requests wait for `longest` milliseconds at most; then
 * requests have a turn. Less than `least` milliseconds of waiting work is done at once. `now` is a monotonic clock.
 */
export function createWelcome({ longest, least, now }: { longest: number; least: number; now: Now }): Welcome {
  let hasAccepted = false;
  let ends: number | undefined;
  return {
    accepted() {
      hasAccepted = true;
    },
    goesFirst(work) {
      const mayBeMore = hasAccepted && work > least;
      hasAccepted = false;
      if (mayBeMore) {
        const at = now();
        ends ??= at + longest;
        if (at < ends) return true;
      }
      ends = undefined;
      return false;
    },
  };
}
