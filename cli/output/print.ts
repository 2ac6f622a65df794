/** One line, or several, on standard output: what was asked for. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** A line on standard error: for people, and never a secret. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}
