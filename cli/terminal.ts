import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { Interrupted, WrongUse } from './failure.js';

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

/** Whether there is somebody to ask. */
export function canAsk(): boolean {
  return process.stdin.isTTY;
}

/** Asks on the terminal. Throws `WrongUse`, which says what to do `instead`, where there is none. */
export async function ask(question: string, instead: string): Promise<string> {
  return await prompt(question, process.stderr, instead);
}

/** Asks on the terminal without showing what is typed. */
export async function askHidden(question: string, instead: string): Promise<string> {
  const silent = new Writable({
    write(_chunk, _encoding, done) {
      done();
    },
  });
  if (canAsk()) process.stderr.write(question);
  try {
    return await prompt('', silent, instead);
  } finally {
    if (canAsk()) process.stderr.write('\n');
  }
}

function prompt(question: string, output: NodeJS.WritableStream, instead: string): Promise<string> {
  if (!canAsk()) throw new WrongUse(instead);
  // `terminal` puts it into raw mode, where nothing is echoed but by the interface, and Ctrl-C is a character.
  const lines = createInterface({ input: process.stdin, output, terminal: true, historySize: 0 });
  return new Promise<string>((resolve, reject) => {
    lines.once('SIGINT', () => {
      reject(new Interrupted());
      lines.close();
    });
    lines.once('close', () => {
      reject(new WrongUse('the input has ended'));
    });
    lines.question(question, (answer) => {
      resolve(answer);
      lines.close();
    });
  });
}
