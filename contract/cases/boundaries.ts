import * as fc from 'fast-check';
import { isObject, type Json, type JsonObject, membersOf } from '../document/json.js';
import { isPasswordName } from '../document/names.js';
import { toRegExp } from '../document/pattern.js';
import { branches, type Schema, type SchemaOrBoolean, typesOf } from '../document/schema.js';
import { namesOf, valuesOf } from './arbitrary.js';
import type { Candidate } from './candidate.js';
import { composed } from './composed.js';
import { distinctOf } from './samples.js';
import { formatted, LONGEST, malformed, matches, textOfLength } from './strings.js';

/** Items of the longest list that is generated. */
const MOST_ITEMS = 500;

/** The text that generated values of secret members are made of, so that a leak of them is recognised. */
const UNIQUE = 'pZq7Wx4Kt9vB';

/** Texts that make many servers fail: databases that end a text at NUL, or cannot store lone surrogates, and so on. */
const AWKWARD: readonly (readonly [string, string])[] = [
  ['a\u0000b', 'text with NUL'],
  ['a\u0007b', 'text with a control character'],
  ['\uD800', 'a lone surrogate'],
  ['  ', 'white space alone'],
  ['é ñ 漢字 עברית', 'text of many scripts'],
  ['🔑👩‍👩‍👧‍👧', 'emoji'],
  ["Robert'); DROP TABLE students;--", 'SQL'],
  ['%_\\"\'`${7*7}{{7*7}}', 'characters with a meaning in templates and patterns'],
  ['<script>alert(1)</script>', 'a script'],
  ['../../etc/passwd', 'a path'],
  ['%00%0A%E0%A4%A', 'text that looks percent-encoded'],
];

/** The awkward texts that are sent even where the schema forbids all: a server that checks too late fails with them. */
const PIERCING = new Set(['text with NUL', 'SQL', 'characters with a meaning in templates and patterns']);

/** Values just inside and just outside the limits of every keyword of a schema, and values of other types. */
export function boundariesOf(
  document: JsonObject,
  schema: SchemaOrBoolean | undefined,
  name: string,
  sample: Json,
): Candidate[] {
  const candidates = branches(document, schema).flatMap((branch) => [
    ...values(branch),
    ...texts(branch, name),
    ...numbers(branch),
    ...lists(document, branch, sample),
    ...objects(document, branch, sample),
    ...composed(document, branch, sample),
    ...wrongTypes(branch),
  ]);
  const seen = new Set<string>();
  return candidates.filter(({ value }) => {
    const key = JSON.stringify(value);
    return !seen.has(key) && seen.add(key);
  });
}

function values(schema: Schema): Candidate[] {
  const members = schema.const === undefined ? schema.enum : [schema.const];
  if (members === undefined) {
    const types = typesOf(schema);
    return types.includes('boolean') ? [true, false].map((value) => ({ value, note: String(value) })) : [];
  }
  if (typeof schema.const === 'boolean') return [true, false].map((value) => ({ value, note: String(value) }));
  const texts = members.filter((member) => typeof member === 'string');
  const [first = 'member'] = texts;
  return [
    ...members.map((value) => ({ value, note: `the enum value ${JSON.stringify(value)}` })),
    { value: `${first}x`, note: 'a value that is not in the enum' },
    {
      value: first.toUpperCase() === first ? first.toLowerCase() : first.toUpperCase(),
      note: 'an enum value in the other letter case',
    },
    { value: '', note: 'an empty text' },
  ];
}

function texts(schema: Schema, name: string): Candidate[] {
  if (!typesOf(schema).includes('string') || schema.enum || schema.const !== undefined) return [];
  const { minLength = 0, maxLength, format, pattern } = schema;
  const secret = format === 'password' || isPasswordName(name);
  const regex = pattern === undefined ? undefined : toRegExp(pattern);
  const isFormatted = format !== undefined && formatted(format) !== undefined;
  const mayBe = (text: string) => !isFormatted && (regex === undefined || matches(regex, text));
  const candidates: Candidate[] = [];
  const lengths = [
    0,
    minLength - 1,
    Math.max(1, minLength),
    ...(maxLength === undefined ? [300] : [maxLength, maxLength + 1]),
  ];
  for (const length of new Set(lengths)) {
    if (length < 0) continue;
    const text = textOfLength(length, schema, secret ? UNIQUE : 'a');
    // Among texts of a format, one that only repeats a letter is malformed like any other.
    const isPlain = isFormatted && !/[^a1A]/.test(text ?? '');
    if (text !== undefined && (length === 0 || !isPlain))
      candidates.push({ value: text, note: `length ${String(length)}` });
  }
  // Length counts code points (JSON Schema, 6.3.1), not UTF-16 units: 255 of these are 510.
  if (maxLength !== undefined && maxLength > 1 && maxLength < LONGEST && format === undefined) {
    for (const length of [maxLength, maxLength + 1].filter((count) => mayBe('😀'.repeat(count))))
      candidates.push({ value: '😀'.repeat(length), note: `${String(length)} code points beyond U+FFFF` });
  }
  if (format !== undefined && formatted(format)) {
    candidates.push(...malformed(format));
    const good = fc.sample(formatted(format) ?? fc.constant(''), { seed: 7, numRuns: 1 })[0] ?? '';
    candidates.push({ value: good, note: `a valid ${format}` }, { value: ` ${good}`, note: `a space and a ${format}` });
    if (format === 'uuid') candidates.push({ value: good.toUpperCase(), note: 'a uuid in capitals' });
    if (format === 'date-time') candidates.push({ value: '2041-06-15T12:00:00+02:00', note: 'another zone' });
  }
  if (pattern !== undefined)
    candidates.push({ value: '\u0001', note: 'text that the pattern forbids' }, ...nearMisses(schema));
  // One text that the schema forbids tests the same as another.
  const awkward = AWKWARD.filter(([value, note]) => mayBe(value) || PIERCING.has(note));
  return [
    ...candidates,
    ...awkward.map(([value, note]) => ({ value: secret ? value + UNIQUE : value, note, isShared: true })),
  ];
}

/** Texts that fit the pattern but for one character. */
function nearMisses(schema: Schema): Candidate[] {
  const good = textOfLength(Math.max(3, schema.minLength ?? 0), schema);
  if (good === undefined) return [];
  const [first = '', , ...rest] = Array.from(good);
  return [
    { value: `${first} ${rest.join('')}`, note: 'a space in a text of the pattern', isShared: true },
    { value: `${first}é${rest.join('')}`, note: 'é in a text of the pattern', isShared: true },
    { value: `${good.slice(0, -1)}\n`, note: 'a line break at the end of a text of the pattern', isShared: true },
  ];
}

function numbers(schema: Schema): Candidate[] {
  const types = typesOf(schema);
  const whole = types.includes('integer');
  if (!whole && !types.includes('number')) return [];
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  const step = whole ? 1 : 0.5;
  // Each edge with its neighbour on the other side of the limit.
  const pairs = [
    [minimum, -step],
    [maximum, step],
    [exclusiveMinimum, step],
    [exclusiveMaximum, -step],
  ] as const;
  const candidates = pairs
    .flatMap(([edge, other]) => (edge === undefined ? [] : [edge, edge + other]))
    // Above 2^53 JavaScript cannot represent neighbouring integers.
    .filter((value) => Math.abs(value) <= Number.MAX_SAFE_INTEGER)
    .map((value) => ({ value, note: String(value) }));
  if (whole) candidates.push({ value: 1.5, note: '1.5' });
  if (multipleOf !== undefined) {
    const not = whole && multipleOf > 1 ? multipleOf + 1 : multipleOf * 1.5;
    candidates.push({ value: not, note: `not a multiple of ${String(multipleOf)}` });
    for (const times of [1, 3]) {
      const value = multipleOf * times;
      candidates.push({ value, note: `a multiple of ${String(multipleOf)}: ${String(value)}` });
    }
  }
  candidates.push({ value: 0, note: '0' }, { value: -1, note: '-1' });
  candidates.push({ value: 1e300, note: '1e300' });
  return candidates;
}

/** Counts just inside and just outside two limits. */
function counts(least: number, most: number | undefined): number[] {
  const edges = [0, least - 1, least, ...(most === undefined ? [] : [most, most + 1])];
  return [...new Set(edges)].filter((count) => count >= 0 && count <= MOST_ITEMS);
}

function lists(document: JsonObject, schema: Schema, sample: Json): Candidate[] {
  if (!typesOf(schema).includes('array')) return [];
  const { minItems = 0, maxItems, uniqueItems } = schema;
  const lengths = counts(minItems, maxItems);
  const items = valuesOf(document, schema.items);
  const [item = fc.sample(items, { seed: 7, numRuns: 1 })[0] ?? null] = Array.isArray(sample) ? sample : [];
  const all =
    uniqueItems === true
      ? distinctOf(items, Math.max(...lengths))
      : Array.from({ length: Math.max(...lengths) }, () => item);
  const candidates = lengths
    .filter((length) => length <= all.length)
    .map((length): Candidate => ({ value: all.slice(0, length), note: `${String(length)} items` }));
  if (uniqueItems !== true) return candidates;
  const twice = [...all.slice(0, Math.max(1, minItems - 1)), ...all.slice(0, 1)];
  return [...candidates, { value: twice, note: 'an item twice' }];
}

/** Objects with too few and too many members, and with names that `propertyNames` forbids. */
function objects(document: JsonObject, schema: Schema, sample: Json): Candidate[] {
  if (!typesOf(schema).includes('object')) return [];
  const { additionalProperties = true, propertyNames, minProperties = 0, maxProperties, required = [] } = schema;
  const own = membersOf(sample);
  const [free = 'a'] = fc.sample(valuesOf(document, asText(additionalProperties)), { seed: 7, numRuns: 1 });
  const candidates: Candidate[] = [];
  if (minProperties > 0 || maxProperties !== undefined) {
    const sizes = counts(minProperties, maxProperties);
    const names = additionalProperties === false ? [] : distinctOf(namesOf(document, schema), Math.max(...sizes));
    const others = names.filter((name) => !own.some(([known]) => known === name)).map((name) => [name, free] as const);
    const all = [...own, ...others];
    for (const size of sizes.filter((count) => count <= all.length))
      candidates.push({ value: Object.fromEntries(all.slice(0, size)), note: `${String(size)} members` });
  }
  if (additionalProperties !== false && propertyNames === undefined)
    candidates.push({ value: { ...toObject(sample), constructor: free }, note: 'a member named constructor' });
  if (propertyNames === undefined || typeof propertyNames === 'boolean') return candidates;
  const needed = Object.fromEntries(own.filter(([name]) => required.includes(name)));
  for (const { value: name, note } of boundariesOf(document, { allOf: [propertyNames, { type: 'string' }] }, '', 'a')) {
    if (typeof name === 'string') candidates.push({ value: { ...needed, [name]: free }, note: `a name: ${note}` });
  }
  return candidates;
}

function toObject(value: Json): JsonObject {
  return isObject(value) ? value : {};
}

/** A short text, as the schema of a member that may have any value. */
function asText(schema: SchemaOrBoolean): SchemaOrBoolean {
  return typeof schema === 'boolean' ? { type: 'string', maxLength: 8 } : schema;
}

/** Values of other types: those that a lenient server may convert, null, and those on which it may fail. */
function wrongTypes(schema: Schema): Candidate[] {
  const types = typesOf(schema);
  const isFree = types.includes('string') && !isRestricted(schema);
  const all: Candidate[] = [
    ...(isFree ? [] : [{ value: 'text', note: 'a text' }]),
    ...(types.some((type) => /integer|number/.test(type)) ? [{ value: '1', note: 'a number in quotes' }] : []),
    ...(types.includes('boolean')
      ? ['true', 'false'].map((value) => ({ value, note: `${value} in quotes` }))
      : types.some((type) => /integer|number/.test(type))
        ? [{ value: true, note: 'a boolean' }]
        : []),
    ...(types.some((type) => /string|boolean/.test(type)) ? [{ value: 1, note: 'a number' }] : []),
    { value: null, note: 'null' },
    ...(types.includes('array') ? [] : [{ value: [], note: 'an empty list', isShared: true }]),
    ...(types.includes('object') || !types.some((type) => /string|array/.test(type))
      ? []
      : [{ value: {}, note: 'an empty object', isShared: true }]),
  ];
  return types.length === 0 ? [] : all;
}

/** Whether a text must have a certain form. */
function isRestricted({ format, pattern, enum: values, const: value }: Schema): boolean {
  return format !== undefined || pattern !== undefined || values !== undefined || value !== undefined;
}
