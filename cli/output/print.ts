/** One line, or several, on standard output: what was asked for. */
export function print(text: string): void {
  // Whoever reads may have enough before the end, as `head` does; that is no failure.
  if (process.stdout.listenerCount('error') === 0) process.stdout.on('error', ignoreClosedPipe);
  process.stdout.write(`${text}\n`);
}

/** A line on standard error: for people, and never a secret. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}
