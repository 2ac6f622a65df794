import { crc32 } from 'node:zlib';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** `text` and its CRC32 in six base62 characters: what makes a token well-formed. */
export function withChecksum(text: string): string {
  let checksum = '';
  for (let rest = crc32(text); checksum.length < 6; rest = Math.floor(rest / 62)) {
    checksum = DIGITS.charAt(rest % 62) + checksum;
  }
  return text + checksum;
}

/** A token that nobody was ever given, and that nothing but the database can tell from a real one. */
export const UNKNOWN_TOKEN = withChecksum('lk_pat_000000000000000000000000000000');
