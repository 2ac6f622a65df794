import { readFileSync } from 'node:fs';
import { InvalidArgument } from '../config/invalid-argument.js';

/** The fewest bytes of a key. */
const SHORTEST = 32;

/** Reads the key of the chain of events. Throws `InvalidArgument` if the file cannot be read or has fewer than 32 bytes. */
export function readAuditKey(file: string | null): Uint8Array | null {
  if (file === null) return null;
  let key: Buffer;
  try {
    key = readFileSync(file);
  } catch (error) {
    throw new InvalidArgument(
      `LATCHKEY_AUDIT_KEY_FILE ${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? ''}`,
    );
  }
  if (key.length < SHORTEST) {
    throw new InvalidArgument(`LATCHKEY_AUDIT_KEY_FILE ${file} must have at least ${String(SHORTEST)} bytes`);
  }
  return key;
}
