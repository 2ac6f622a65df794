import { crc32 } from 'node:zlib';

/** What a token is for, as it says itself: personal access token, session token, refresh token. */
export type TokenKind = 'pat' | 'ses' | 'ref';

export interface Match {
  plaintext: string;
  brand: string;
  kind: TokenKind;
  /** Where its first character begins, and the index behind the first byte of its last character. */
  start: number;
  end: number;
  /** Bytes of each character: 1, or 2 in UTF-16. */
  width: 1 | 2;
}

/** So many bytes before `from` are looked at: more than the longest token in UTF-16 has. */
export const REACH = 128;

const MAX_BRAND_LENGTH = 16;
const CHECKSUM_LENGTH = 6;
/** Random characters and checksum. */
const RUN = 36;
const UNDERSCORE = 0x5f;

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** The value of each byte as a base62 digit, -1 for all others. */
const DIGIT = new Int8Array(256).fill(-1);
for (let value = 0; value < ALPHABET.length; value++) DIGIT[ALPHABET.charCodeAt(value)] = value;

/**
 * Calls `onMatch` for each token, `brand_kind_` + 30 random base62 characters + 6 of CRC32, that ends behind `from` in
 * `bytes`, in UTF-8 or UTF-16 of either order. What comes before `from` is looked at as well, and must have been searched
 * before; there must be `REACH` bytes of it, zeros where the content begins.
 *
 * Every token has 36 base62 characters in a row, so it is enough to look at every 36th byte: where that is one, what
 * comes before the row decides, and where the row is longer, the next underscore. What stands beside a token does not
 * matter, since the checksum tells where it begins and ends.
 */
export function search(bytes: Buffer, from: number, onMatch: (match: Match) => void): void {
  for (let at = from; at < bytes.length; at += RUN) {
    const byte = bytes[at] as number;
    let found: Match | undefined;
    if ((DIGIT[byte] as number) < 0) {
      // A token in UTF-16 has every other byte zero.
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
    // In UTF-16 a row is 72 bytes long and would be met once more.
    if (found.width === 2) at = Math.max(at, found.end + 1 - RUN);
  }
}

/** `text` with all but the first 12 characters of each token in it replaced by `***`. */
export function maskTokens(text: string): string {
  if (!/_(?:pat|ses|ref)_/.test(text)) return text;
  const plaintexts: string[] = [];
  search(Buffer.concat([Buffer.alloc(REACH), Buffer.from(text)]), REACH, ({ plaintext }) => plaintexts.push(plaintext));
  return plaintexts.reduce((masked, plaintext) => masked.replaceAll(plaintext, mask(plaintext)), text);
}

/** What may be shown of a token: as much as the service itself shows of it in lists. */
export function mask(plaintext: string): string {
  return `${plaintext.slice(0, 12)}***`;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && (DIGIT[byte] as number) >= 0;
}

/** The token in UTF-16 with a character of its row at `at`. */
function wideAround(bytes: Buffer, at: number): Match | undefined {
  let before = at - 2;
  while (before > at - 2 * RUN && bytes[before + 1] === 0 && isDigit(bytes[before])) before -= 2;
  return bytes[before] === UNDERSCORE ? tokenAround(bytes, before, 2) : undefined;
}

/** The token whose second underscore is at `underscore`. */
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
    // Where the brand begins is for the checksum to say: `\n` in JSON or `%20` in a URL may stand right before it.
    if (character < 'a' || crc32(brand + unsigned) !== checksum) continue;
    const plaintext = brand + unsigned + row.slice(-CHECKSUM_LENGTH);
    return { plaintext, brand, kind, start, end: underscore + RUN * width + 1, width };
  }
  return undefined;
}

/** `length` letters and digits; undefined where something else stands there. */
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

/** The number that a row's last six digits state; undefined where it cannot be a CRC32, as of most rows. */
function checksumOf(row: string): number | undefined {
  let checksum = 0;
  for (let place = RUN - CHECKSUM_LENGTH; place < RUN; place++) {
    checksum = checksum * 62 + (DIGIT[row.charCodeAt(place)] as number);
  }
  return checksum <= 0xffffffff ? checksum : undefined;
}
