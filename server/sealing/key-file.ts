import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { InvalidArgument } from '../config/invalid-argument.js';

// The file has one key of 32 bytes in Base64 on each line. A rotation writes the new key before the former ones, which open the
// secrets in backups.

const KEY_BYTES = 32;
const OWNER_ONLY = 0o600;
const GROUP_READS = 0o040;

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

/**
 * Replaces the keys of `file` at once. The file keeps its owner and its group, and what the group may do is at most to read.
 * Throws `InvalidArgument` if the file cannot be written.
 */
export function replaceKeys(file: string, keys: readonly Uint8Array[]): void {
  try {
    // A link stays, because what it points to may be on a disk of its own.
    const real = realpathSync(file);
    const temporary = writeBeside(real, keys, statSync(real));
    try {
      renameSync(temporary, real);
    } catch (error) {
      unlinkSync(temporary);
      throw error;
    }
    flushFolder(real);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    throw new InvalidArgument(`the key file ${file} cannot be replaced: ${code}`);
  }
}

/** Writes a new file, which gets the owner of `former`. */
function writeBeside(file: string, keys: readonly Uint8Array[], former?: Stats): string {
  const temporary = `${file}.${randomBytes(6).toString('hex')}`;
  const descriptor = openSync(temporary, 'wx', OWNER_ONLY);
  try {
    if (former !== undefined) keepOwner(descriptor, former);
    writeSync(descriptor, keys.map((key) => `${Buffer.from(key).toString('base64')}\n`).join(''));
    fsyncSync(descriptor);
  } catch (error) {
    unlinkSync(temporary);
    throw error;
  } finally {
    closeSync(descriptor);
  }
  return temporary;
}

/** Lets the service still read the file if another user, such as root, has replaced it. */
function keepOwner(descriptor: number, { uid, gid, mode }: Stats): void {
  if (process.getuid?.() !== uid || process.getgid?.() !== gid) fchownSync(descriptor, uid, gid);
  fchmodSync(descriptor, OWNER_ONLY | (mode & GROUP_READS));
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
