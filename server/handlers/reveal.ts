import type { Plaintext } from '../tokens/plaintext.js';

/** The text of a token for the answer that issues it. Every plaintext that leaves the service passes here. */
export function textOf(plaintext: Plaintext): string {
  return plaintext.reveal();
}
