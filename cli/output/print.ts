import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { getSystemErrorMap } from 'node:util';
import { WrongUse } from '../failure.js';

const STDOUT = 1;

/** Prints the command's result on standard output. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Prints a line for people on standard error. Do not pass secrets. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/**
 * Throws `WrongUse` if standard output cannot be written at all. Call this before a secret is created, which can be shown
 * only once. A full disk or a reader that has ended is only found when the secret is written.
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
 * Prints a secret that can be shown only once. Rejects with `WrongUse` if it could not be written completely. The message
 * then ends with `lost`, which states what was created and how to undo it.
 */
export async function printOnce(text: string, lost: string): Promise<void> {
  try {
    await write(Buffer.from(`${text}\n`));
  } catch (error) {
    throw new WrongUse(`${outputFault(error)}: ${lost}`);
  }
}

/** The message for an error of standard output. */
export function outputFault(error: unknown): string {
  const { errno = 0, message } = error as NodeJS.ErrnoException;
  const [, reason = message] = getSystemErrorMap().get(errno) ?? [];
  return `standard output cannot be written: ${reason}`;
}

/** Writes all bytes. For a file, this checks how many were written, which Node's stream does not. */
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

/** Whether standard output is a pipe or a terminal, not a file or a device. */
function isStream(): boolean {
  return process.stdout instanceof Socket;
}
