// The timers and clocks as they are when this module loads. So a test library that replaces them later does not stop a
// run. A re-export would follow some of these replacements.

export const { setTimeout, clearTimeout } = globalThis;

/** Milliseconds since 1970-01-01 UTC. */
export const dateNow = Date.now;

/** Milliseconds since the process started; monotonic. */
export const performanceNow = performance.now.bind(performance);

const { setImmediate } = globalThis;

/** Resolves in the next turn of the event loop, after what is waiting to be written. */
export const immediate = () =>
  new Promise<void>((resolve) => {
    setImmediate(resolve);
  });

/** Resolves after `ms` milliseconds. */
export const sleep = (ms: number) =>
  new Promise<void>((resolve) => {
    setTimeout(resolve, ms);
  });
