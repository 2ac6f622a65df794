import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { getSystemErrorMap } from 'node:util';
import { WrongUse } from '../failure.js';

const STDOUT = 1;

/** One line, or several, on standard output: what was asked for. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** A line on standard error: for people, and never a secret. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/**
 * Throws `WrongUse` where standard output takes nothing at all. Asked before a secret is made, which can be shown only
 * once. Whether a disk has room, or a reader is still there, only the writing tells.
 */
export function requireOutput(): void {
  if (isStream()) return;
  try {
    writeSync(STDOUT, '');
  } catch (error) {
    throw new WrongUse(`${outputFault(error)}; nothing was done`);
  }
}

/**
 * Prints a secret that is shown this once. Rejects with `WrongUse` where standard output does not take all of it: the
 * message ends with `lost`, which says what was made, and how to undo it.
 */
export async function printOnce(text: string, lost: string): Promise<void> {
  try {
    await write(Buffer.from(`${text}\n`));
  } catch (error) {
    throw new WrongUse(`${outputFault(error)}: ${lost}`);
  }
}

/** Why standard output cannot be written, in one sentence. */
export function outputFault(error: unknown): string {
  const { errno = 0, message } = error as NodeJS.ErrnoException;
  const [, reason = message] = getSystemErrorMap().get(errno) ?? [];
  return `standard output cannot be written: ${reason}`;
}

/** A file may take a part, which a stream of Node's does not notice. */
async function write(bytes: Uint8Array): Promise<void> {
  if (!isStream()) {
    for (let written = 0; written < bytes.length; ) written += writeSync(STDOUT, bytes, written);
    return;
  }
  await new Promise<void>((resolve, reject) => {
    process.stdout.write(bytes, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

/** A pipe or a terminal, not a file or a device. */
function isStream(): boolean {
  return process.stdout instanceof Socket;
}
