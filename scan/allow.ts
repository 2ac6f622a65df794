import { CouldNotScan } from './errors.js';

/**
 * Parses an allow list: one fingerprint in each line, and comments after `#`. Throws `CouldNotScan` for any other line. The
 * message does not contain the line, because it could be a token.
 */
export function parseAllowList(text: string, file: string): string[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    const fingerprint = line.replace(/#.*/, '').trim();
    if (fingerprint === '') return [];
    if (/^[0-9a-f]{16}$/.test(fingerprint)) return [fingerprint];
    throw new CouldNotScan(
      `${file}:${String(index + 1)}: each line of an allow list must be a fingerprint of 16 hexadecimal digits, or a comment after #`,
    );
  });
}
