import { crc32 } from 'node:zlib';

/** Kind of a token, which is a part of its text: personal access token, session token or refresh token. */
export type TokenKind = 'pat' | 'ses' | 'ref';

export interface Match {
  plaintext: string;
  brand: string;
  kind: TokenKind;
  /** Index of its first byte, and the index after the first byte of its last character. */
  start: number;
  end: number;
  /** Bytes per character: 1, or 2 in UTF-16. */
  width: 1 | 2;
}

/** Bytes before `from` that `search` may read: more than the longest token in UTF-16. */
export const REACH = 128;

const MAX_BRAND_LENGTH = 16;
const CHECKSUM_LENGTH = 6;
/** Characters of the random part and the checksum. */
const RUN = 36;
const UNDERSCORE = 0x5f;

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** Value of each byte as a base62 digit; -1 for all other bytes. */
const DIGIT = new Int8Array(256).fill(-1);
for (let value = 0; value < ALPHABET.length; value++) DIGIT[ALPHABET.charCodeAt(value)] = value;

/**
 * Calls `onMatch` for each token in `bytes` that ends after `from`. A token is `brand_kind_`, 30 random base62 characters and
 * 6 of CRC32, in UTF-8 or in UTF-16 of either byte order. The `REACH` bytes before `from` must have been searched already;
 * before the start of the content they must be zeros.
 *
 * Every token has a row of 36 base62 characters, so it is enough to read every 36th byte. If that byte is a base62 digit,
 * the byte before the row decides; if the row is longer than 36, the search continues at the next underscore. Characters
 * next to a token do not matter, because the checksum shows where the token begins and ends.
 */
export function search(bytes: Buffer, from: number, onMatch: (match: Match) => void): void {
  for (let at = from; at < bytes.length; at += RUN) {
    const byte = bytes[at] as number;
    let found: Match | undefined;
    if ((DIGIT[byte] as number) < 0) {
      // In UTF-16 every other byte of a token is zero.
      if (byte === 0 && bytes[at - 2] === 0 && isDigit(bytes[at - 1])) found = wideAround(bytes, at - 1);
    } else {
      let before = at - 1;
      while (before > at - RUN && (DIGIT[bytes[before] as number] as number) >= 0) before--;
      const start = bytes[before] as number;
      if (start === UNDERSCORE) found = tokenAround(bytes, before, 1);
      else if (start === 0 && before === at - 1) found = wideAround(bytes, at);
      else if ((DIGIT[start] as number) >= 0) {
        const next = bytes.indexOf(UNDERSCORE, at);
        if (next < 0) return;
        at = next;
      }
    }
    if (found === undefined || found.end <= from) continue;
    onMatch(found);
    // In UTF-16 a row has 72 bytes, so without this it would be found twice.
    if (found.width === 2) at = Math.max(at, found.end + 1 - RUN);
  }
}

/** Masks each token in `text`: only its first 12 characters stay, followed by `***`. */
export function maskTokens(text: string): string {
  if (!/_(?:pat|ses|ref)_/.test(text)) return text;
  const plaintexts: string[] = [];
  search(Buffer.concat([Buffer.alloc(REACH), Buffer.from(text)]), REACH, ({ plaintext }) => plaintexts.push(plaintext));
  return plaintexts.reduce((masked, plaintext) => masked.replaceAll(plaintext, mask(plaintext)), text);
}

/** Masks a token. Its first 12 characters stay, which the service shows in lists too. */
export function mask(plaintext: string): string {
  return `${plaintext.slice(0, 12)}***`;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && (DIGIT[byte] as number) >= 0;
}

/** Returns the UTF-16 token whose row of base62 characters includes the one at `at`, if there is one. */
function wideAround(bytes: Buffer, at: number): Match | undefined {
  let before = at - 2;
  while (before > at - 2 * RUN && bytes[before + 1] === 0 && isDigit(bytes[before])) before -= 2;
  return bytes[before] === UNDERSCORE ? tokenAround(bytes, before, 2) : undefined;
}

/** Returns the token whose second underscore is at `underscore`, if there is one. */
function tokenAround(bytes: Buffer, underscore: number, width: 1 | 2): Match | undefined {
  if (bytes[underscore - 4 * width] !== UNDERSCORE) return undefined;
  const kind = textAt(bytes, underscore - 3 * width, 3, width);
  if (kind !== 'pat' && kind !== 'ses' && kind !== 'ref') return undefined;
  const row = textAt(bytes, underscore + width, RUN, width);
  const checksum = row === undefined ? undefined : checksumOf(row);
  if (row === undefined || checksum === undefined) return undefined;

  const unsigned = `_${kind}_${row.slice(0, -CHECKSUM_LENGTH)}`;
  let brand = '';
  while (brand.length < MAX_BRAND_LENGTH) {
    const start = underscore - (5 + brand.length) * width;
    const character = textAt(bytes, start, 1, width);
    if (character === undefined || !/[a-z0-9]/.test(character)) return undefined;
    brand = character + brand;
    // The checksum decides where the brand begins, because `\n` in JSON or `%20` in a URL may come directly before it.
    if (character < 'a' || crc32(brand + unsigned) !== checksum) continue;
    const plaintext = brand + unsigned + row.slice(-CHECKSUM_LENGTH);
    return { plaintext, brand, kind, start, end: underscore + RUN * width + 1, width };
  }
  return undefined;
}

/** Reads `length` letters and digits; undefined if there are other characters. */
function textAt(bytes: Buffer, start: number, length: number, width: 1 | 2): string | undefined {
  let text = '';
  for (let index = start; text.length < length; index += width) {
    const byte = bytes[index];
    if (byte === undefined || !isDigit(byte)) return undefined;
    if (width === 2 && text !== '' && bytes[index - 1] !== 0) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}

/** Decodes the last six digits of a row; undefined if the number is too large for a CRC32, as in most rows. */
function checksumOf(row: string): number | undefined {
  let checksum = 0;
  for (let place = RUN - CHECKSUM_LENGTH; place < RUN; place++) {
    checksum = checksum * 62 + (DIGIT[row.charCodeAt(place)] as number);
  }
  return checksum <= 0xffffffff ? checksum : undefined;
}
