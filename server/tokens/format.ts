import { hash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
export const RANDOM_LENGTH = 30;
const CHECKSUM_LENGTH = 6;
export const PREFIX_LENGTH = 12;
/** Bytes. */
export const DIGEST_LENGTH = 16;

/** What a plaintext is for, as it says itself: personal access token, session token, refresh token. */
export type SecretKind = 'pat' | 'ses' | 'ref';

/** `brand_kind_`, 30 random base62 characters (178 bits) and the CRC32 of all that in 6 more. */
export function newPlaintext(brand: string, kind: SecretKind): string {
  return signed(`${brand}_${kind}_${randomBase62(RANDOM_LENGTH)}`);
}

/** `unsigned` with its checksum. */
export function signed(unsigned: string): string {
  return unsigned + checksum(unsigned);
}

/** The kind that `text` is well-formed as, or undefined. Needs no database, so that nonsense costs none. */
export function kindOf(brand: string, text: string): SecretKind | undefined {
  const kind = text.slice(brand.length + 1, brand.length + 4);
  if (kind !== 'pat' && kind !== 'ses' && kind !== 'ref') return undefined;
  const start = `${brand}_${kind}_`;
  if (text.length !== start.length + RANDOM_LENGTH + CHECKSUM_LENGTH || !text.startsWith(start)) return undefined;
  if (!/^[0-9A-Za-z]+$/.test(text.slice(start.length))) return undefined;
  const unsigned = text.slice(0, -CHECKSUM_LENGTH);
  return text.endsWith(checksum(unsigned)) ? kind : undefined;
}

/**
 * What the database keeps of a plaintext. Plain SHA-256 is enough for 178 random bits; the slow functions that
 * passwords need would only make every request slow. Half of it is enough too: who has the database would have to try
 * 2^128 texts for one that fits, divided by the number of tokens.
 */
export function digestOf(plaintext: string): Uint8Array {
  return hash('sha256', plaintext, 'buffer').subarray(0, DIGEST_LENGTH);
}

/** `length` characters, each of the 62 equally likely. */
export function randomBase62(length: number): string {
  const codes = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const bytes = randomBytes(2 * length);
    for (let index = 0; index < bytes.length && filled < length; index++) {
      const byte = bytes.readUInt8(index);
      // 248 is the largest multiple of 62 in a byte: taking the rest too would favour the alphabet's start.
      if (byte < 248) codes[filled++] = ALPHABET.charCodeAt(byte % 62);
    }
  }
  return codes.toString('latin1');
}

function checksum(text: string): string {
  let rest = crc32(text);
  let digits = '';
  for (let place = 0; place < CHECKSUM_LENGTH; place++) {
    digits = ALPHABET.charAt(rest % 62) + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}
