import { InvalidArgument } from '../config/invalid-argument.js';
import { kindOf, RANDOM_LENGTH, signed } from '../tokens/format.js';
import { newPlaintext, type Plaintext } from '../tokens/plaintext.js';

type TokenKind = 'pat' | 'ses';

const SHORTHAND = /^[0-9A-Za-z]{1,30}$/;

/**
 * Makes the plaintext for `text`: a well-formed token is used as it is; 1 to 30 letters and digits become the start of the
 * random part, such as `lk_pat_deploy000000000000000000000000` with its checksum; undefined gives a random token.
 *
 * Throws `InvalidArgument` for anything else; its message starts with `place`.
 */
export function toPlaintext(brand: string, kind: TokenKind, text: string | undefined, place: string): string {
  const start = `${brand}_${kind}_`;
  if (text === undefined) return textOf(newPlaintext(brand, kind));
  if (SHORTHAND.test(text)) return signed(start + text.padEnd(RANDOM_LENGTH, '0'));
  if (kindOf(brand, text) === kind) return text;
  throw new InvalidArgument(
    `${place} must be 1 to ${String(RANDOM_LENGTH)} letters and digits to make a token of, or a well-formed token of ` +
      `this type: ${start}, ${String(RANDOM_LENGTH)} letters and digits, and their checksum${hint(start, text)}`,
  );
}

/** The text of a token of the local server, whose tests may know every plaintext. */
export function textOf(plaintext: Plaintext): string {
  return plaintext.reveal();
}

/** Tells the right checksum, if only that is wrong. A checksum is no secret: everybody can compute it. */
function hint(start: string, text: string): string {
  const unsigned = text.slice(0, start.length + RANDOM_LENGTH);
  const onlyTheChecksum =
    unsigned.startsWith(start) && /^[0-9A-Za-z]{30}$/.test(unsigned.slice(start.length)) && unsigned.length < 64;
  return onlyTheChecksum ? `, which here is ${signed(unsigned).slice(unsigned.length)}` : '';
}
