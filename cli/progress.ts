/** Milliseconds between two updates of a progress line. */
const TICK = 100;

/**
 * Shows progress as one line on standard error that is overwritten, if that is a terminal. The line first appears after
 * `afterMs` milliseconds.
 */
export function showProgress<T>(
  describe: (state: T) => string,
  { afterMs = 0 } = {},
): { show(state: T): void; clear(): void } {
  const startedAt = Date.now();
  let shownAt = 0;
  return {
    show(state) {
      if (!process.stderr.isTTY) return;
      const now = Date.now();
      if (now - shownAt < TICK || now - startedAt < afterMs) return;
      shownAt = now;
      // Some terminals report a width of 0.
      const width = Math.max(20, (process.stderr.columns || 80) - 1);
      process.stderr.write(`\r\u001B[K${describe(state).slice(0, width)}`);
    },
    clear() {
      if (process.stderr.isTTY && shownAt > 0) process.stderr.write('\r\u001B[K');
      shownAt = 0;
    },
  };
}
