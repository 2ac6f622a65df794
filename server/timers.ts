import promises from 'node:timers/promises';

// Values, taken when this module loads: a test library that replaces timers or clocks later stops neither the service nor
// its clocks. A re-export would follow some of those replacements.

export const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate } = globalThis;

/** Resolves after this number of milliseconds. */
export const sleep = promises.setTimeout;

/** Resolves in the event loop's next turn. */
export const nextTurn = promises.setImmediate;

/** Milliseconds since 1970. */
export const dateNow = Date.now;

/** Milliseconds since the process began; never steps back. */
export const performanceNow = performance.now.bind(performance);

/** Returns milliseconds since 1970. Code that needs the time gets this function, so that a test can move the clock. */
export type Now = () => number;
