import { PREFIX_LENGTH } from '../tokens/format.js';

/** A token of this service, of any brand, also with its end cut off. */
const TOKEN = /[a-z][a-z0-9]{0,15}_(?:pat|ses|ref)_[0-9A-Za-z]{8,}/g;

/** What PostgreSQL does not store (NUL), or not as it is (half a character), and what could act on a terminal. */
const UNFIT = /[\p{Cc}\p{Cs}]/gu;

/**
 * `text` with at most `most` characters, with only the first 12 characters of each token in it (`lk_pat_4fGq1***`), and with U+FFFD
 * for each control character and each half of a character.
 */
export function masked(text: string, most: number): string {
  return text
    .replace(TOKEN, (token) => `${token.slice(0, PREFIX_LENGTH)}***`)
    .slice(0, most)
    .replace(UNFIT, '\ufffd');
}
