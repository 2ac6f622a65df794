/** Closes on the first SIGTERM or SIGINT and ends; a second one ends at once, after `kill`. */
export function stopOnSignal(close: () => Promise<void>, kill?: () => void): void {
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) {
        kill?.();
        process.exit(1);
      }
      stopping = true;
      close().then(
        () => process.exit(0),
        (error: unknown) => {
          process.stderr.write(`latchkey: could not stop cleanly: ${String(error)}\n`);
          process.exit(1);
        },
      );
    });
  }
}
