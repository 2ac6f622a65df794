import { CouldNotScan } from './errors.js';

/**
 * The fingerprints in an allow list: one a line, with `#` before comments. Throws `CouldNotScan` for anything else, without
 * showing it, since it might be a token.
 */
export function parseAllowList(text: string, file: string): string[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    const fingerprint = line.replace(/#.*/, '').trim();
    if (fingerprint === '') return [];
    if (/^[0-9a-f]{16}$/.test(fingerprint)) return [fingerprint];
    throw new CouldNotScan(
      `${file}:${String(index + 1)}: an allow list has one fingerprint a line, 16 hexadecimal digits, and comments behind #`,
    );
  });
}
