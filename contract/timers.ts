// Values, taken when this module loads: a test library that replaces timers or clocks later stops no run. A re-export would
// follow some of those replacements.

export const { setTimeout, clearTimeout } = globalThis;

/** Milliseconds since 1970. */
export const dateNow = Date.now;

/** Milliseconds since the process began; never steps back. */
export const performanceNow = performance.now.bind(performance);

/** Resolves after so many milliseconds. */
export const sleep = (ms: number) =>
  new Promise<void>((resolve) => {
    setTimeout(resolve, ms);
  });
