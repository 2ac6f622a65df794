import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { InvalidArgument } from '../server/index.js';

/** Milliseconds between two states of a progress line. */
const TICK = 100;

/** One line on standard error that is written over, on a terminal; nothing at all elsewhere. */
export function showProgress<T>(describe: (state: T) => string): { show(state: T): void; clear(): void } {
  let shownAt = 0;
  return {
    show(state) {
      const now = Date.now();
      if (!process.stderr.isTTY || now - shownAt < TICK) return;
      shownAt = now;
      process.stderr.write(`\r\u001B[K${describe(state).slice(0, Math.max(20, process.stderr.columns - 1))}`);
    },
    clear() {
      if (process.stderr.isTTY && shownAt > 0) process.stderr.write('\r\u001B[K');
      shownAt = 0;
    },
  };
}

/** Asks on the terminal without showing what is typed. */
export async function askPassword(question: string): Promise<string> {
  if (!process.stdin.isTTY) throw new InvalidArgument('the password must be in LATCHKEY_PASSWORD, or --password-stdin');
  process.stderr.write(question);
  const silent = new Writable({
    write(_chunk, _encoding, done) {
      done();
    },
  });
  const prompt = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await prompt.question('');
  } finally {
    prompt.close();
    process.stderr.write('\n');
  }
}
