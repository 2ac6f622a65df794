import { hash, hkdfSync } from 'node:crypto';
import { inspect } from 'node:util';
import { kindOf, PREFIX_LENGTH, RANDOM_LENGTH, randomBase62, type SecretKind, signed } from './format.js';

/** Bytes. */
const DIGEST_LENGTH = 16;
const START_LENGTH = 4;

/** What a generated plaintext looks like, whatever its brand. */
const GENERATED = /^[a-z][a-z0-9]{0,15}_(?:pat|ses|ref)_[0-9A-Za-z]{36}$/;

/**
 * A token's text, generated here or sent by a caller. A log, a template literal, `JSON.stringify` and `inspect` show its
 * prefix, and nothing of a text that is not a token's. Only `reveal` returns the text.
 */
export class Plaintext {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The first 12 characters, which lists of tokens show. */
  get prefix(): string {
    return this.#text.slice(0, PREFIX_LENGTH);
  }

  /** What the token is for; undefined unless the text has `brand`, the right form and the right checksum. */
  kind(brand: string): SecretKind | undefined {
    return kindOf(brand, this.#text);
  }

  /** What the database stores of the token. */
  digest(): Digest {
    return new Digest(hash('sha256', this.#text, 'buffer').subarray(0, DIGEST_LENGTH));
  }

  /** The SHA-256 in hexadecimal digits, to tell whoever sent the text which one is meant. */
  get sha256(): string {
    return hash('sha256', this.#text, 'hex');
  }

  /** A key of 32 bytes, which only someone who knows the text can derive. */
  deriveKey(salt: string, purpose: string): Uint8Array {
    return new Uint8Array(hkdfSync('sha256', this.#text, salt, purpose, 32));
  }

  /** The whole text. A test lists every caller of this method. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return GENERATED.test(this.#text) ? `${this.prefix}***` : '***';
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

/**
 * The first half of a plaintext's SHA-256, which identifies the secret in the database. Nothing prints it.
 *
 * A plain hash is enough for 178 random bits; a slow password hash would only make every request slow. 128 bits are enough
 * because an attacker with the database must try 2^128 texts, divided by the number of tokens, to find one that matches.
 */
export class Digest {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The 16 bytes, as a query's parameter. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** The first 4 bytes, which the token's row stores of its newest secret. */
  get start(): Uint8Array {
    return this.#bytes.subarray(0, START_LENGTH);
  }

  /** 32 lower-case hexadecimal digits. */
  get hex(): string {
    return Buffer.from(this.#bytes).toString('hex');
  }

  toString(): string {
    return '***';
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

/** The lowest and the highest digest that begin with `start`. */
export function digestsFrom(start: Uint8Array): [lowest: Uint8Array, highest: Uint8Array] {
  return [start, Buffer.concat([start, Buffer.alloc(DIGEST_LENGTH - START_LENGTH, 0xff)])];
}

/** Generates `brand_kind_`, 30 random base62 characters (178 bits) and 6 characters of checksum. */
export function newPlaintext(brand: string, kind: SecretKind): Plaintext {
  return new Plaintext(signed(`${brand}_${kind}_${randomBase62(RANDOM_LENGTH)}`));
}
