// These are read when this module loads, so a test library that replaces global timers or clocks later does not stop the
// client's calls, time-outs and pauses.

export const { setTimeout, clearTimeout, queueMicrotask } = globalThis;

/** Milliseconds since 1970. */
export const dateNow = Date.now;

/** Milliseconds since the process or page started; never goes back. */
export const performanceNow = performance.now.bind(performance);
