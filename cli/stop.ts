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
      close().then(end, (error: unknown) => {
        process.stderr.write(`latchkey: could not stop cleanly: ${String(error)}\n`);
        process.exit(1);
      });
    });
  }
}

/**
 * Ends the process with exit code 0; if look-ups of names are under way, by the signal SIGTERM. An exit waits for their threads, which
 * takes half a minute if no name server answers.
 */
function end(): void {
  if (process.getActiveResourcesInfo().includes('GetAddrInfoReqWrap')) {
    process.removeAllListeners('SIGTERM');
    process.kill(process.pid, 'SIGTERM');
  }
  // The first process of a container does not end by a signal of its own.
  process.exit(0);
}
