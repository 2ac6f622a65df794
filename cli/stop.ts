interface Stop {
  kill?: () => void;
  /** Told at the first SIGINT, which is Ctrl-C. */
  say?: (line: string) => void;
}

/** Closes on the first SIGTERM or SIGINT and ends; a second one ends at once, after `kill`. */
export function stopOnSignal(close: () => Promise<void>, { kill, say }: Stop = {}): void {
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) {
        kill?.();
        process.exit(1);
      }
      stopping = true;
      if (signal === 'SIGINT') say?.('latchkey is stopping; Ctrl-C once more ends it at once');
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
