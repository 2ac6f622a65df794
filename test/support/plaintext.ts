import { crc32 } from 'node:zlib';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** `text` followed by its CRC32 in six base62 characters, the checksum of a token. */
export function withChecksum(text: string): string {
  let checksum = '';
  for (let rest = crc32(text); checksum.length < 6; rest = Math.floor(rest / 62)) {
    checksum = DIGITS.charAt(rest % 62) + checksum;
  }
  return text + checksum;
}

/** A well-formed token that was never issued: only a query can distinguish it from an issued one. */
export const UNKNOWN_TOKEN = withChecksum('lk_pat_000000000000000000000000000000');
