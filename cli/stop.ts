interface Stop {
  kill?: () => void;
  /** Called with a message at the first SIGINT (Ctrl-C). */
  say?: (line: string) => void;
}

/** At the first SIGTERM or SIGINT, calls `close` and then ends the process; at a second one, calls `kill` and ends at once. */
export function stopOnSignal(close: () => Promise<void>, { kill, say }: Stop = {}): void {
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) {
        kill?.();
        process.exit(1);
      }
      stopping = true;
      if (signal === 'SIGINT') say?.('latchkey is stopping; press Ctrl-C again to stop at once');
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
