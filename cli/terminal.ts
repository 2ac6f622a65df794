import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { Interrupted, WrongUse } from './failure.js';

/** Whether the user can be asked: standard input is a terminal. */
export function canAsk(): boolean {
  return process.stdin.isTTY;
}

/** Asks on the terminal. Without one, rejects with `WrongUse` and the message `instead`, which states what to do. */
export async function ask(question: string, instead: string): Promise<string> {
  return await prompt(question, process.stderr, instead);
}

/** Asks on the terminal without echo, for secrets. Without one, rejects with `WrongUse` and the message `instead`. */
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
  // `terminal` switches to raw mode: only the interface echoes input, and Ctrl-C is a character.
  const lines = createInterface({ input: process.stdin, output, terminal: true, historySize: 0 });
  return new Promise<string>((resolve, reject) => {
    lines.once('SIGINT', () => {
      reject(new Interrupted());
      lines.close();
    });
    lines.once('close', () => {
      reject(new WrongUse('the input has ended'));
    });
    lines.question(question, (reply) => {
      resolve(reply);
      lines.close();
    });
  });
}
