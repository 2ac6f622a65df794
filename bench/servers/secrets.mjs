// @ts-check
import { hash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const RANDOM_LENGTH = 30;
const CHECKSUM_LENGTH = 6;
/** Random bytes drawn at once; nearly always enough for the 30 characters. */
const DRAWN = 48;

export const PREFIX_LENGTH = 12;

/** A plaintext like Latchkey's: 30 random base62 characters and their checksum. */
export function newPlaintext() {
  let unsigned = 'lk_pat_';
  const length = unsigned.length + RANDOM_LENGTH;
  while (unsigned.length < length) {
    for (const byte of randomBytes(DRAWN)) {
      if (byte < 248 && unsigned.length < length) unsigned += ALPHABET.charAt(byte % 62);
    }
  }
  let rest = crc32(unsigned);
  let digits = '';
  for (let place = 0; place < CHECKSUM_LENGTH; place++) {
    digits = ALPHABET.charAt(rest % 62) + digits;
    rest = Math.floor(rest / 62);
  }
  return unsigned + digits;
}

/** The bytes of a uuid of version 7. @param {number} milliseconds */
export function newUuid(milliseconds) {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(milliseconds, 0, 6);
  bytes.writeUInt8(0x70 | (bytes.readUInt8(6) & 0x0f), 6);
  bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8);
  return bytes;
}

/** @param {string} uuid */
export function uuidBytes(uuid) {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex');
}

/** @param {Buffer} bytes */
export function toUuid(bytes) {
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Undefined for a malformed token. @param {string} plaintext */
export function digestOf(plaintext) {
  return /^lk_(?:pat|ses)_[0-9A-Za-z]{36}$/.test(plaintext)
    ? hash('sha256', plaintext, 'buffer').subarray(0, 16)
    : undefined;
}
