import { randomFillSync } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { setImmediate } from '../timers.js';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
export const RANDOM_LENGTH = 30;
const CHECKSUM_LENGTH = 6;
export const PREFIX_LENGTH = 12;

/** What a token is for, as its text says: personal access token, session token or refresh token. */
export type SecretKind = 'pat' | 'ses' | 'ref';

/** `unsigned` followed by its CRC32 in 6 base62 characters. */
export function signed(unsigned: string): string {
  return unsigned + checksum(unsigned);
}

/**
 * What the token `text` is for; undefined unless it has `brand`, the right form and the right checksum. This costs no
 * query, so that a text that cannot be a token never reaches the database.
 */
export function kindOf(brand: string, text: string): SecretKind | undefined {
  const kind = text.slice(brand.length + 1, brand.length + 4);
  if (kind !== 'pat' && kind !== 'ses' && kind !== 'ref') return undefined;
  const start = `${brand}_${kind}_`;
  if (text.length !== start.length + RANDOM_LENGTH + CHECKSUM_LENGTH || !text.startsWith(start)) return undefined;
  if (!/^[0-9A-Za-z]+$/.test(text.slice(start.length))) return undefined;
  const unsigned = text.slice(0, -CHECKSUM_LENGTH);
  return text.endsWith(checksum(unsigned)) ? kind : undefined;
}

/** `length` random base62 characters, all equally likely. */
export function randomBase62(length: number): string {
  const codes = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const byte = randomByte();
    // 248 is the largest multiple of 62 in a byte. Larger bytes would make the first characters more likely.
    if (byte < 248) codes[filled++] = ALPHABET.charCodeAt(byte % 62);
  }
  return codes.toString('latin1');
}

/**
 * Random bytes for the secrets of one turn of the event loop. One call to the system for each secret would take as long as a
 * query. At the turn's end the rest is erased, so that no copy of the process's memory holds bytes of later secrets.
 */
const random = new Uint8Array(1_024);
let used = random.length;

function randomByte(): number {
  if (used === random.length) {
    randomFillSync(random);
    used = 0;
    setImmediate(eraseRandom);
  }
  const byte = random[used] ?? 0;
  random[used++] = 0;
  return byte;
}

function eraseRandom(): void {
  random.fill(0);
  used = random.length;
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
