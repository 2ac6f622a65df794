import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { InvalidArgument } from '../server/index.js';

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
