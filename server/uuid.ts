import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

// Uuids are parsed as hexadecimal digits, because the package's parser throws for versions that it does not know. Here such
// a uuid is only an unknown id.

/** Random bytes for the next uuids. One call to the system for each uuid would take 5 microseconds. */
const random = new Uint8Array(16 * 256);
let used = random.length;

function nextRandom(): Uint8Array {
  if (used === random.length) {
    randomFillSync(random);
    used = 0;
  }
  return random.subarray(used, (used += 16));
}

/** The bytes of a new uuid of version 7, ordered by time, so that an index on it grows at its end. */
export function newUuid(milliseconds: number): Uint8Array {
  return v7({ msecs: milliseconds, random: nextRandom() }, new Uint8Array(16));
}

/** The 16 bytes of a uuid in its 8-4-4-4-12 form, in any letter case. */
export function uuidBytes(uuid: string): Uint8Array {
  const bytes = new Uint8Array(16);
  let digits = 0;
  for (let index = 0; index < uuid.length; index++) {
    const code = uuid.charCodeAt(index);
    if (code === HYPHEN) continue;
    // In ASCII the low four bits of a digit are its value, and those of a letter are its value less 9.
    const value = (code & 0xf) + (code > NINE ? 9 : 0);
    bytes[digits >> 1] = ((bytes[digits >> 1] ?? 0) << 4) | value;
    digits++;
  }
  return bytes;
}

const HYPHEN = 0x2d;
const NINE = 0x39;

/** The milliseconds since 1970 that a uuid of version 7 begins with. */
export function uuidTime(uuid: Uint8Array): number {
  return Buffer.from(uuid.buffer, uuid.byteOffset, 6).readUIntBE(0, 6);
}

/** The 8-4-4-4-12 form of a uuid's 32 hexadecimal digits. */
export function toUuid(digits: string): string {
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-${digits.slice(12, 16)}-${digits.slice(16, 20)}-${digits.slice(20)}`;
}
