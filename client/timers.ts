// Values, taken when this module loads: a test library that replaces timers or clocks later stops no call, time-out or
// pause of the client.

export const { setTimeout, clearTimeout, queueMicrotask } = globalThis;

/** Milliseconds since 1970. */
export const dateNow = Date.now;

/** Milliseconds since the process or page began; never steps back. */
export const performanceNow = performance.now.bind(performance);
