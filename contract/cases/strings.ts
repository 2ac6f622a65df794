import * as fc from 'fast-check';
import { guessRegExp, toRegExp } from '../document/pattern.js';
import type { Schema } from '../document/schema.js';

/** Code points of the longest generated text, even if the schema allows more. */
export const LONGEST = 20_000;
/** Code points that are made one by one. A longer text repeats them, because each costs a microsecond or more. */
const VARIED = 500;

const ALPHANUMERIC = Array.from('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789');
const LABEL = fc.string({
  unit: fc.constantFrom(...Array.from('abcdefghijklmnopqrstuvwxyz')),
  minLength: 1,
  maxLength: 12,
});
/** Every code point except surrogates. The unit `binary` of fast-check is slow at its first use. */
const CODE_POINT = fc
  .integer({ min: 0, max: 0x10ffff - 0x800 })
  .map((index) => String.fromCodePoint(index < 0xd800 ? index : index + 0x800));
const codePoints = (text: string) => Array.from(text).length;
const digits = (length: number) =>
  fc.string({ unit: fc.constantFrom(...Array.from('0123456789')), minLength: length, maxLength: length });

/**
 * Instants far enough in the future that an expiry is never past, and near enough for every calendar. Schemas do not
 * say which instants an API accepts.
 */
const INSTANT = fc.date({
  min: new Date('2040-01-01T00:00:00Z'),
  max: new Date('2090-12-31T23:59:59Z'),
  noInvalidDate: true,
});

/** Random texts that every implementation of a format accepts; undefined for an unknown format. */
export function formatted(format: string): fc.Arbitrary<string> | undefined {
  switch (format) {
    case 'uuid':
      return fc.uuid();
    case 'date-time':
      return INSTANT.map((date) => date.toISOString());
    case 'date':
      return INSTANT.map((date) => date.toISOString().slice(0, 10));
    case 'time':
      return INSTANT.map((date) => date.toISOString().slice(11));
    case 'duration':
      return fc.integer({ min: 1, max: 99 }).map((days) => `P${String(days)}D`);
    case 'email':
    case 'idn-email':
      return fc.tuple(LABEL, LABEL).map(([user, host]) => `${user}@${host}.example.org`);
    case 'uri':
    case 'url':
    case 'uri-reference':
    case 'iri':
      return fc.tuple(LABEL, LABEL).map(([host, path]) => `https://${host}.example.org/${path}`);
    case 'hostname':
    case 'idn-hostname':
      return LABEL.map((host) => `${host}.example.org`);
    case 'ipv4':
      return fc.ipV4();
    case 'ipv6':
      return fc.ipV6();
    case 'byte':
      return fc.base64String({ maxLength: 40 });
    case 'int64':
    case 'int32':
      return digits(4);
    default:
      return undefined;
  }
}

/** Texts that a format forbids, each with a note about what is wrong. The judge decides whether they are invalid. */
export function malformed(format: string): { value: string; note: string }[] {
  const notes: Record<string, Record<string, string>> = {
    uuid: {
      '019ab9d43c1e7a529f0b6c1d2e3f4a5b': 'a uuid without hyphens',
      '{019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b}': 'a uuid in braces',
      '019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5': 'a uuid that is too short',
      '019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5g': 'a uuid with a letter that is not hexadecimal',
    },
    'date-time': {
      '2041-02-30T00:00:00Z': 'a day that its month does not have',
      '2041-06-15T25:00:00Z': 'hour 25',
      '2041-06-15T12:00:00': 'no zone',
      '2041-06-15': 'only a date',
      '2041-06-15 12:00:00Z': 'a space instead of T',
      '10000-01-01T00:00:00Z': 'a year of five digits',
      tomorrow: 'a word',
    },
    date: { '2041-02-30': 'a day that its month does not have', '15.06.2041': 'another notation' },
    email: { nobody: 'no @', '@example.org': 'no user', 'a b@example.org': 'a space' },
    uri: { 'not a uri': 'spaces', '/relative': 'no scheme' },
    ipv4: { '256.1.1.1': 'a byte of 256', '1.2.3': 'three bytes' },
    ipv6: { '12345::': 'too many digits' },
  };
  return Object.entries(notes[format] ?? { 'no such thing as this': 'something else' }).map(([value, note]) => ({
    value,
    note: `${format}: ${note}`,
  }));
}

/** Random secrets, long enough that one is recognised wherever it appears. */
export function secretText(minLength: number, maxLength: number): fc.Arbitrary<string> {
  const length = Math.max(minLength, Math.min(24, maxLength));
  return fc.string({ unit: fc.constantFrom(...ALPHANUMERIC), minLength: length, maxLength: length });
}

/** Generators by what they depend on: building one is slow, and every request needs them. */
const made = new Map<string, fc.Arbitrary<string>>();

/** Random texts that fit the schema: its format, else its pattern, else its length, in many scripts. */
export function textOf(schema: Schema, secret: boolean): fc.Arbitrary<string> {
  const { minLength, maxLength, pattern, format } = schema;
  const key = JSON.stringify([minLength, maxLength, pattern, format, secret]);
  const texts = made.get(key) ?? buildTexts(schema, secret);
  made.set(key, texts);
  return texts;
}

function buildTexts(schema: Schema, secret: boolean): fc.Arbitrary<string> {
  const { pattern, format } = schema;
  const minLength = Math.min(schema.minLength ?? 0, LONGEST);
  const maxLength = Math.max(minLength, schema.maxLength ?? 200);
  const fits = (text: string) => {
    const length = codePoints(text);
    return length >= minLength && length <= maxLength;
  };
  const known = format === undefined ? undefined : formatted(format);
  if (known) return withTries(known, fits);
  if (pattern !== undefined) return matching(pattern, minLength, maxLength);
  if (minLength > VARIED) return textOf({ minLength: VARIED, maxLength: VARIED }, secret).map(repeatedTo(minLength));
  const short = Math.min(maxLength, Math.max(minLength, 40));
  if (secret) return secretText(minLength, maxLength);
  const plain = fc.string({ minLength, maxLength: short });
  // A grapheme of another script can have several code points, which may exceed a narrow length.
  if (maxLength < 2 * minLength + 2) return plain;
  return fc.oneof(
    { weight: 3, arbitrary: plain },
    { weight: 2, arbitrary: withTries(fc.string({ unit: 'grapheme', minLength, maxLength: short }), fits) },
    { weight: 1, arbitrary: withTries(fc.string({ unit: CODE_POINT, minLength, maxLength: short }), fits) },
  );
}

function repeatedTo(length: number): (text: string) => string {
  return (text) => {
    const all = Array.from(text);
    return Array.from({ length }, (_, index) => all[index % all.length]).join('');
  };
}

function matching(pattern: string, minLength: number, maxLength: number): fc.Arbitrary<string> {
  const regex = toRegExp(pattern) ?? guessRegExp(pattern) ?? /(?:)/;
  const fits = (text: string) => matches(regex, text) && codePoints(text) >= minLength && codePoints(text) <= maxLength;
  const byChance = () => withTries(fc.string({ minLength, maxLength: Math.min(maxLength, minLength + 40) }), fits);
  // The counts of nested repetitions multiply.
  const length = [...pattern.matchAll(/\{(\d+)/g)].reduce(
    (product, [, count]) => product * Math.max(1, Number(count)),
    1,
  );
  if (length > LONGEST) return byChance();
  try {
    return withTries(fc.stringMatching(new RegExp(regex.source, regex.flags), { maxLength }), fits);
  } catch {
    // fast-check does not support every pattern, such as look-behind.
    return byChance();
  }
}

/** Whether the pattern matches; false if it takes too long. */
export function matches(regex: RegExp, text: string): boolean {
  try {
    return regex.test(text);
  } catch {
    return false;
  }
}

/** Texts that are tried for one that fits. */
const MOST_TRIES = 200;

/**
 * Filters texts, but passes the last of `MOST_TRIES` that do not fit, so that it always ends. The judge finds it invalid. Each
 * time that none fits, fewer are tried the next time.
 */
function withTries(texts: fc.Arbitrary<string>, fits: (text: string) => boolean): fc.Arbitrary<string> {
  let tries = 0;
  let most = MOST_TRIES;
  return texts.filter((text) => {
    const isFit = fits(text);
    if (!isFit && ++tries < most) return false;
    tries = 0;
    most = isFit ? MOST_TRIES : Math.ceil(most / 10);
    return true;
  });
}

/**
 * A text of exactly `length` code points that fits the pattern, made of `letters` if possible; undefined if none is
 * found.
 */
export function textOfLength(length: number, schema: Schema, letters = 'a'): string | undefined {
  if (length > LONGEST) return undefined;
  const { format, pattern } = schema;
  const candidates = [letters, '1', 'A'].map((each) => each.repeat(length).slice(0, length));
  // Some patterns require quotes, such as those of entity tags.
  if (length >= 2) candidates.push(`"${letters.repeat(length).slice(0, length - 2)}"`);
  if (format === 'email') candidates.unshift(longEmail(length));
  if (format === 'uri' || format === 'url')
    candidates.unshift(`https://example.org/${'a'.repeat(Math.max(0, length - 20))}`);
  if (format === 'date-time') candidates.unshift(`2041-06-15T12:00:00.${'0'.repeat(Math.max(1, length - 21))}Z`);
  const regex = pattern === undefined ? undefined : (toRegExp(pattern) ?? guessRegExp(pattern));
  return candidates.find((text) => codePoints(text) === length && (regex === undefined || matches(regex, text)));
}

/** An e-mail address of about `length` characters: at most 64 for the user, and 63 for each label of the host. */
function longEmail(length: number): string {
  const user = 'a'.repeat(Math.max(1, Math.min(64, length - 12)));
  let host = 'example.org';
  for (let rest = length - user.length - 1 - host.length; rest > 1; rest = length - user.length - 1 - host.length) {
    host = `${'a'.repeat(Math.min(63, rest - 1))}.${host}`;
  }
  const address = `${user}@${host}`;
  return address.length === length - 1 && user.length < 64 ? `a${address}` : address;
}
