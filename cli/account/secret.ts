import { text } from 'node:stream/consumers';
import { WrongUse } from '../failure.js';
import { askHidden, canAsk } from '../terminal.js';

/** Asks for a secret on the terminal without echo, or else reads the first line of standard input. */
export async function readSecret(question: string, what: 'password' | 'token'): Promise<string> {
  const missing = `there is no ${what}`;
  const [line = '', ...rest] = canAsk()
    ? [await askHidden(question, missing)]
    : (await text(process.stdin)).split(/\r?\n/);
  if (what === 'token' && rest.join('').trim() !== '') throw new WrongUse('standard input has more than one token');
  const secret = what === 'token' ? line.trim() : line;
  if (secret === '') throw new WrongUse(`${missing} on standard input`);
  return secret;
}
