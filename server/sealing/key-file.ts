import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { InvalidArgument } from '../config/invalid-argument.js';

// The file has one key of 32 bytes in Base64 on each line. After a rotation that several machines take part in, the former key
// may follow the new one.

const KEY_BYTES = 32;
const OWNER_ONLY = 0o600;

export function newKey(): Uint8Array {
  return randomBytes(KEY_BYTES);
}

/**
 * Reads the keys of `file`, the current one first; none if there is no such file. Throws `InvalidArgument` if the file cannot be
 * read or has anything else than keys.
 */
export function readKeys(file: string): Uint8Array[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    throw new InvalidArgument(`LATCHKEY_SECRET_KEY_FILE ${file} cannot be read: ${code}`);
  }
  const keys = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  if (keys.length === 0 || !keys.every((line) => /^[A-Za-z0-9+/]{43}=$/.test(line.trim()))) {
    throw new InvalidArgument(
      `LATCHKEY_SECRET_KEY_FILE ${file} must have 32 random bytes in Base64 on each line, as openssl rand -base64 32 prints them`,
    );
  }
  return keys.map((line) => Buffer.from(line, 'base64'));
}

/** Makes `file` with a new key, unless another process has made it since. Only the owner can read it. */
export function makeKeyFile(file: string): void {
  const temporary = writeBeside(file, [newKey()]);
  try {
    linkSync(temporary, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    unlinkSync(temporary);
  }
  flushFolder(file);
}

function writeBeside(file: string, keys: readonly Uint8Array[]): string {
  const temporary = `${file}.${randomBytes(6).toString('hex')}`;
  const descriptor = openSync(temporary, 'wx', OWNER_ONLY);
  try {
    writeSync(descriptor, keys.map((key) => `${Buffer.from(key).toString('base64')}\n`).join(''));
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  return temporary;
}

/** Writes the folder's entry for `file` to the disk, because a secret without its key is lost. */
function flushFolder(file: string): void {
  const descriptor = openSync(dirname(file), 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
