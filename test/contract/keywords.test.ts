import { describe, expect, test } from 'vitest';
import { toSummary } from '../../contract/index.js';
import { tested } from './small/document.js';
import { documentOf, judgeOf, type KeywordCase, taking } from './small/keyword.js';

// Every keyword of JSON Schema 2020-12 that says something of a value: what is made from it fits it by another judge, a
// server that goes by it is not blamed, and one that goes by everything but it is found, at its requests and its answers.

const integer = { type: 'integer' };
const text = { type: 'string', maxLength: 8 };
const V = '#/components/schemas/V';

const ASSERTIONS: Record<string, KeywordCase> = {
  type: { schema: { type: 'integer', maximum: 9 }, without: { maximum: 9 }, right: 3, wrong: 'three' },
  'type, a list': {
    schema: { type: ['string', 'null'], maxLength: 4 },
    without: { type: ['string', 'null', 'integer'], maxLength: 4 },
    right: null,
    wrong: 3,
    narrower: { type: 'string', maxLength: 4 },
  },
  enum: {
    schema: { type: 'string', enum: ['a', 'b'] },
    without: { type: 'string' },
    right: 'b',
    wrong: 'c',
    narrower: { const: 'a' },
  },
  'enum of several types': {
    schema: { enum: ['a', 1, null, [2]] },
    without: {},
    right: [2],
    wrong: [3],
    narrower: { enum: ['a', 1, null] },
  },
  const: { schema: { const: { a: 1 } }, without: { type: 'object' }, right: { a: 1 }, wrong: { a: 2 } },
  multipleOf: {
    schema: { type: 'integer', multipleOf: 5, minimum: 0, maximum: 50 },
    without: { type: 'integer', minimum: 0, maximum: 50 },
    right: 15,
    wrong: 16,
    narrower: { type: 'integer', multipleOf: 10, minimum: 0, maximum: 50 },
  },
  maximum: {
    schema: { ...integer, minimum: 0, maximum: 9 },
    without: { ...integer, minimum: 0 },
    right: 9,
    wrong: 10,
    narrower: { ...integer, minimum: 0, maximum: 8 },
  },
  exclusiveMaximum: {
    schema: { ...integer, minimum: 0, exclusiveMaximum: 9 },
    without: { ...integer, minimum: 0, maximum: 9 },
    right: 8,
    wrong: 9,
    narrower: { ...integer, minimum: 0, maximum: 7 },
  },
  minimum: {
    schema: { ...integer, minimum: 3, maximum: 9 },
    without: { ...integer, maximum: 9 },
    right: 3,
    wrong: 2,
    narrower: { ...integer, minimum: 4, maximum: 9 },
  },
  exclusiveMinimum: {
    schema: { type: 'number', exclusiveMinimum: 3, maximum: 9 },
    without: { type: 'number', minimum: 3, maximum: 9 },
    right: 3.25,
    wrong: 3,
    narrower: { type: 'number', minimum: 4, maximum: 9 },
  },
  maxLength: {
    schema: { type: 'string', maxLength: 5 },
    without: { type: 'string' },
    right: '😀😀😀😀😀',
    wrong: 'abcdef',
    narrower: { type: 'string', maxLength: 4 },
  },
  minLength: {
    schema: { type: 'string', minLength: 2, maxLength: 5 },
    without: { type: 'string', maxLength: 5 },
    right: 'ab',
    wrong: '😀',
    narrower: { type: 'string', minLength: 3, maxLength: 5 },
  },
  pattern: {
    schema: { type: 'string', pattern: '^[a-c]{3}$' },
    without: { type: 'string' },
    right: 'abc',
    wrong: 'abd',
    narrower: { type: 'string', pattern: '^[a-b]{3}$' },
  },
  maxItems: {
    schema: { type: 'array', items: integer, maxItems: 3 },
    without: { type: 'array', items: integer },
    right: [1, 2, 3],
    wrong: [1, 2, 3, 4],
    narrower: { type: 'array', items: integer, maxItems: 2 },
  },
  minItems: {
    schema: { type: 'array', items: integer, minItems: 2, maxItems: 5 },
    without: { type: 'array', items: integer, maxItems: 5 },
    right: [1, 1],
    wrong: [1],
    narrower: { type: 'array', items: integer, minItems: 3, maxItems: 5 },
  },
  uniqueItems: {
    schema: { type: 'array', items: integer, uniqueItems: true, maxItems: 4 },
    without: { type: 'array', items: integer, maxItems: 4 },
    right: [1, 2],
    wrong: [1, 1],
    narrower: { type: 'array', items: integer, maxItems: 1 },
  },
  contains: {
    schema: { type: 'array', items: integer, contains: { const: 7 } },
    without: { type: 'array', items: integer },
    right: [1, 7],
    wrong: [1],
    narrower: { type: 'array', prefixItems: [{ const: 1 }], contains: { const: 7 } },
  },
  maxContains: {
    schema: { type: 'array', items: integer, contains: { const: 7 }, maxContains: 2 },
    without: { type: 'array', items: integer, contains: { const: 7 } },
    right: [7, 7],
    wrong: [7, 7, 7],
  },
  minContains: {
    schema: { type: 'array', items: integer, contains: { const: 7 }, minContains: 2 },
    without: { type: 'array', items: integer, contains: { const: 7 } },
    right: [7, 7],
    wrong: [7],
    narrower: { type: 'array', items: integer, contains: { const: 7 }, minContains: 3 },
  },
  maxProperties: {
    schema: { type: 'object', additionalProperties: integer, maxProperties: 2 },
    without: { type: 'object', additionalProperties: integer },
    right: { a: 1, b: 2 },
    wrong: { a: 1, b: 2, c: 3 },
    narrower: { type: 'object', additionalProperties: integer, maxProperties: 1 },
  },
  minProperties: {
    schema: { type: 'object', additionalProperties: integer, minProperties: 2 },
    without: { type: 'object', additionalProperties: integer },
    right: { a: 1, b: 2 },
    wrong: { a: 1 },
    narrower: { type: 'object', additionalProperties: integer, minProperties: 3 },
  },
  required: {
    schema: { type: 'object', properties: { a: integer, b: integer }, required: ['a', 'b'] },
    without: { type: 'object', properties: { a: integer, b: integer }, required: ['a'] },
    right: { a: 1, b: 2 },
    wrong: { a: 1 },
  },
  dependentRequired: {
    schema: { type: 'object', properties: { a: integer, b: integer }, dependentRequired: { a: ['b'] } },
    without: { type: 'object', properties: { a: integer, b: integer } },
    right: { b: 2 },
    wrong: { a: 1 },
    narrower: { type: 'object', properties: { a: integer, b: integer }, required: ['a'] },
  },
};

const APPLICATORS: Record<string, KeywordCase> = {
  allOf: {
    schema: { allOf: [{ type: 'integer', minimum: 0 }, { maximum: 5 }] },
    without: { type: 'integer', minimum: 0 },
    right: 5,
    wrong: 6,
    narrower: { type: 'integer', minimum: 0, maximum: 4 },
  },
  anyOf: {
    schema: {
      anyOf: [
        { type: 'integer', maximum: 9 },
        { type: 'string', maxLength: 3 },
      ],
    },
    without: { type: ['integer', 'string', 'boolean'] },
    right: 'abc',
    wrong: true,
    narrower: { type: 'integer', maximum: 9 },
  },
  oneOf: {
    schema: { type: 'integer', minimum: 0, oneOf: [{ maximum: 5 }, { minimum: 3, maximum: 9 }] },
    without: { type: 'integer', minimum: 0, anyOf: [{ maximum: 5 }, { minimum: 3, maximum: 9 }] },
    right: 2,
    wrong: 4,
    narrower: { type: 'integer', minimum: 0, maximum: 2 },
  },
  not: {
    schema: { type: 'string', maxLength: 6, not: { enum: ['root', 'admin'] } },
    without: { type: 'string', maxLength: 6 },
    right: 'ada',
    wrong: 'root',
  },
  'not, of a type': {
    schema: { not: { type: 'object' } },
    without: {},
    right: 1,
    wrong: { a: 1 },
    narrower: { type: ['string', 'null', 'boolean', 'array'] },
  },
  if: {
    schema: {
      type: 'object',
      properties: { kind: { enum: ['card', 'cash'] }, number: text },
      required: ['kind'],
      if: { properties: { kind: { const: 'card' } } },
      // biome-ignore lint/suspicious/noThenProperty: it is a keyword
      then: { required: ['number'] },
    },
    without: { type: 'object', properties: { kind: { enum: ['card', 'cash'] }, number: text }, required: ['kind'] },
    right: { kind: 'cash' },
    wrong: { kind: 'card' },
  },
  else: {
    schema: {
      type: 'object',
      properties: { kind: { enum: ['card', 'cash'] }, number: text },
      required: ['kind'],
      if: { properties: { kind: { const: 'card' } } },
      else: { properties: { number: false } },
    },
    without: { type: 'object', properties: { kind: { enum: ['card', 'cash'] }, number: text }, required: ['kind'] },
    right: { kind: 'card', number: '1' },
    wrong: { kind: 'cash', number: '1' },
  },
  dependentSchemas: {
    schema: {
      type: 'object',
      properties: { a: integer, b: integer },
      dependentSchemas: { a: { properties: { b: { minimum: 5 } }, required: ['b'] } },
    },
    without: { type: 'object', properties: { a: integer, b: integer } },
    right: { a: 1, b: 5 },
    wrong: { a: 1, b: 4 },
  },
  prefixItems: {
    schema: { type: 'array', prefixItems: [{ const: 'a' }, integer], minItems: 2, maxItems: 3 },
    without: { type: 'array', minItems: 2, maxItems: 3 },
    right: ['a', 1],
    wrong: ['b', 1],
  },
  items: {
    schema: { type: 'array', items: { type: 'integer', maximum: 5 }, minItems: 1, maxItems: 4 },
    without: { type: 'array', minItems: 1, maxItems: 4 },
    right: [5, 5],
    wrong: [5, 6],
    narrower: { type: 'array', items: { type: 'integer', maximum: 4 }, minItems: 1, maxItems: 4 },
  },
  'items after prefixItems': {
    schema: { type: 'array', prefixItems: [{ const: 'a' }], items: false, minItems: 1 },
    without: { type: 'array', prefixItems: [{ const: 'a' }], minItems: 1 },
    right: ['a'],
    wrong: ['a', 1],
  },
  properties: {
    schema: { type: 'object', properties: { a: { type: 'integer', maximum: 5 } } },
    without: { type: 'object' },
    right: { a: 5 },
    wrong: { a: 6 },
    narrower: { type: 'object', properties: { a: { type: 'integer', maximum: 4 } } },
  },
  patternProperties: {
    schema: {
      type: 'object',
      patternProperties: { '^x-': { type: 'integer', maximum: 5 } },
      additionalProperties: false,
    },
    without: { type: 'object', patternProperties: { '^x-': {} }, additionalProperties: false },
    right: { 'x-a': 5 },
    wrong: { 'x-a': 6 },
    narrower: { type: 'object', maxProperties: 0 },
  },
  additionalProperties: {
    schema: { type: 'object', properties: { a: integer }, additionalProperties: { type: 'boolean' } },
    without: { type: 'object', properties: { a: integer } },
    right: { a: 1, b: true },
    wrong: { a: 1, b: 2 },
    narrower: { type: 'object', properties: { a: integer }, additionalProperties: false },
  },
  'additionalProperties: false': {
    schema: { type: 'object', properties: { a: integer }, additionalProperties: false },
    without: { type: 'object', properties: { a: integer } },
    right: { a: 1 },
    wrong: { a: 1, b: 2 },
  },
  propertyNames: {
    schema: { type: 'object', propertyNames: { pattern: '^[a-z]{1,4}$' }, additionalProperties: integer },
    without: { type: 'object', additionalProperties: integer },
    right: { abcd: 1 },
    wrong: { abcde: 1 },
    narrower: { type: 'object', maxProperties: 0 },
  },
  unevaluatedItems: {
    schema: { type: 'array', allOf: [{ prefixItems: [{ const: 'a' }] }], unevaluatedItems: false, minItems: 1 },
    without: { type: 'array', allOf: [{ prefixItems: [{ const: 'a' }] }], minItems: 1 },
    right: ['a'],
    wrong: ['a', 1],
  },
  unevaluatedProperties: {
    schema: {
      type: 'object',
      allOf: [{ properties: { a: integer } }, { properties: { b: integer } }],
      unevaluatedProperties: false,
    },
    without: { type: 'object', allOf: [{ properties: { a: integer } }, { properties: { b: integer } }] },
    right: { a: 1, b: 2 },
    wrong: { a: 1, c: 2 },
  },
  $ref: {
    schema: { $ref: '#/components/schemas/Digit' },
    without: integer,
    right: 9,
    wrong: 10,
    others: { Digit: { ...integer, minimum: 0, maximum: 9 } },
  },
  '$ref with more beside it': {
    schema: { $ref: '#/components/schemas/Digit', maximum: 5 },
    without: { ...integer, minimum: 0, maximum: 9 },
    right: 5,
    wrong: 6,
    others: { Digit: { ...integer, minimum: 0, maximum: 9 } },
    narrower: { ...integer, minimum: 0, maximum: 4 },
  },
  '$ref to itself': {
    schema: { type: 'object', required: ['n'], properties: { n: { ...integer, maximum: 9 }, next: { $ref: V } } },
    without: { type: 'object', required: ['n'], properties: { n: { ...integer, maximum: 9 }, next: {} } },
    right: { n: 1, next: { n: 2 } },
    wrong: { n: 1, next: { n: 'two' } },
  },
  $defs: {
    schema: {
      type: 'array',
      items: { $ref: `${V}/$defs/digit` },
      maxItems: 3,
      $defs: { digit: { ...integer, maximum: 9 } },
    },
    without: { type: 'array', items: integer, maxItems: 3 },
    right: [9],
    wrong: [10],
  },
  $anchor: {
    schema: { type: 'array', items: { $ref: '#digit' }, maxItems: 3 },
    without: { type: 'array', items: integer, maxItems: 3 },
    right: [9],
    wrong: [10],
    others: { Digit: { $anchor: 'digit', ...integer, maximum: 9 } },
  },
  $id: {
    schema: {
      $id: 'https://example.org/list',
      type: 'array',
      items: { $ref: '#/$defs/digit' },
      maxItems: 3,
      $defs: { digit: { ...integer, maximum: 9 } },
    },
    without: { type: 'array', items: integer, maxItems: 3 },
    right: [9],
    wrong: [10],
  },
  $dynamicRef: {
    schema: {
      $dynamicAnchor: 'node',
      type: 'object',
      required: ['n'],
      properties: { n: { ...integer, maximum: 9 }, next: { $dynamicRef: '#node' } },
    },
    without: { type: 'object', required: ['n'], properties: { n: { ...integer, maximum: 9 }, next: {} } },
    right: { n: 1, next: { n: 2 } },
    wrong: { n: 1, next: { n: 'two' } },
  },
};

/** Of each format a text that has it and one that has it not. */
const FORMATS: Record<string, [right: string, wrong: string]> = {
  'date-time': ['2041-06-15T12:00:00.5+02:00', '2041-06-15T25:00:00Z'],
  date: ['2044-02-29', '2041-02-29'],
  time: ['12:00:00Z', '25:00:00Z'],
  duration: ['P1DT2H', 'P'],
  email: ['ada@example.org', 'ada'],
  hostname: ['api.example.org', '-api-'],
  ipv4: ['192.0.2.1', '192.0.2.256'],
  ipv6: ['2001:db8::1', '2001:db8::g'],
  uri: ['urn:isbn:1', 'no address'],
  'uri-reference': ['/a?b#c', '\\a b'],
  'uri-template': ['/a/{b}', '/a/{b'],
  uuid: ['019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b', '019ab9d43c1e7a529f0b6c1d2e3f4a5b'],
  'json-pointer': ['/a~1b', 'a'],
  'relative-json-pointer': ['1/a', '/a'],
  regex: ['^a$', '('],
};

const formats = Object.fromEntries(
  Object.entries(FORMATS).map(([format, [right, wrong]]): [string, KeywordCase] => [
    `format: ${format}`,
    { schema: { type: 'string', format }, without: { type: 'string' }, right, wrong },
  ]),
);

const cases = Object.entries({ ...ASSERTIONS, ...APPLICATORS, ...formats });
const QUICK = { fuzzRuns: 3 };

describe('a keyword that says something', { concurrent: true }, () => {
  test.each(cases)('%s', async (_, { schema, without, right, wrong, narrower, others }) => {
    const fits = judgeOf(schema, others);
    const isLax = judgeOf(without, others);
    // What is wrong is wrong in the keyword alone.
    expect([fits(right), fits(wrong), isLax(right), isLax(wrong)]).toEqual([true, false, true, true]);

    const spec = documentOf(schema, others);
    const taken: unknown[] = [];
    const kept = await tested(spec, taking(fits, right, taken), QUICK);
    expect(kept.failures, toSummary(kept)).toEqual([]);
    expect(kept.complete, toSummary(kept)).toBe(true);
    expect(taken.length).toBeGreaterThan(0);

    const broken = await tested(spec, taking(isLax, wrong), QUICK);
    const found = broken.failures.map(({ check }) => check);
    expect(found, toSummary(broken)).toContain('refusal');
    expect(found, toSummary(broken)).toContain('body');

    if (narrower === undefined) return;
    const isNarrow = judgeOf(narrower, others);
    const strict = await tested(
      spec,
      taking((value) => fits(value) && isNarrow(value), right),
      QUICK,
    );
    expect(
      strict.failures.map(({ check }) => check),
      toSummary(strict),
    ).toContain('acceptance');
  });
});

/** What 3.0 has and 2020-12 has not, or means otherwise; `means` is the same in 2020-12. */
const OF_3_0: Record<string, KeywordCase & { means?: object }> = {
  'nullable: true': {
    schema: { type: 'integer', nullable: true, minimum: 0, maximum: 9 },
    means: { type: ['integer', 'null'], minimum: 0, maximum: 9 },
    without: { type: ['integer', 'null', 'string'], minimum: 0, maximum: 9 },
    right: null,
    wrong: 'none',
    narrower: { type: 'integer', minimum: 0, maximum: 9 },
  },
  'no nullable': {
    schema: { type: 'integer', minimum: 0, maximum: 9 },
    without: { type: ['integer', 'null'], minimum: 0, maximum: 9 },
    right: 1,
    wrong: null,
  },
  'exclusiveMinimum: true': {
    schema: { type: 'number', minimum: 3, exclusiveMinimum: true, maximum: 9 },
    means: { type: 'number', exclusiveMinimum: 3, maximum: 9 },
    without: { type: 'number', minimum: 3, maximum: 9 },
    right: 3.5,
    wrong: 3,
    narrower: { type: 'number', minimum: 4, maximum: 9 },
  },
  'exclusiveMinimum: false': {
    schema: { type: 'number', minimum: 3, exclusiveMinimum: false, maximum: 9 },
    means: { type: 'number', minimum: 3, maximum: 9 },
    without: { type: 'number', maximum: 9 },
    right: 3,
    wrong: 2.5,
    narrower: { type: 'number', exclusiveMinimum: 3, maximum: 9 },
  },
  'exclusiveMaximum: true': {
    schema: { type: 'integer', minimum: 0, maximum: 9, exclusiveMaximum: true },
    means: { type: 'integer', minimum: 0, exclusiveMaximum: 9 },
    without: { type: 'integer', minimum: 0, maximum: 9 },
    right: 8,
    wrong: 9,
    narrower: { type: 'integer', minimum: 0, maximum: 7 },
  },
  'exclusiveMaximum: false': {
    schema: { type: 'integer', minimum: 0, maximum: 9, exclusiveMaximum: false },
    means: { type: 'integer', minimum: 0, maximum: 9 },
    without: { type: 'integer', minimum: 0 },
    right: 9,
    wrong: 10,
    narrower: { type: 'integer', minimum: 0, exclusiveMaximum: 9 },
  },
  '$ref, beside which nothing counts': {
    schema: { $ref: '#/components/schemas/Digit', maximum: 5 },
    means: { ...integer, minimum: 0, maximum: 9 },
    without: integer,
    right: 9,
    wrong: 10,
    others: { Digit: { ...integer, minimum: 0, maximum: 9 } },
    narrower: { ...integer, minimum: 0, maximum: 5 },
  },
  'format: int32': {
    schema: { type: 'integer', format: 'int32' },
    means: { type: 'integer', minimum: -(2 ** 31), maximum: 2 ** 31 - 1 },
    without: { type: ['integer', 'string'] },
    right: 2 ** 31 - 1,
    wrong: '1',
    narrower: { type: 'integer', minimum: 0 },
  },
  'format: int64': {
    schema: { type: 'integer', format: 'int64' },
    means: { type: 'integer' },
    without: { type: ['integer', 'string'] },
    right: 2 ** 53 - 1,
    wrong: '1',
    narrower: { type: 'integer', minimum: 0 },
  },
  'format: byte': {
    schema: { type: 'string', format: 'byte' },
    without: { type: 'string' },
    right: 'aGk=',
    wrong: 'a?',
  },
};

/** The keywords of 3.0 that are also in 2020-12, and mean the same there. */
const SHARED = (
  'type enum multipleOf maximum minimum maxLength minLength pattern maxItems minItems uniqueItems maxProperties ' +
  'minProperties required allOf anyOf oneOf not items properties additionalProperties $ref'
).split(' ');

const of30 = [...Object.entries(OF_3_0), ...cases.filter(([name]) => SHARED.includes(name))] as [
  string,
  KeywordCase & { means?: object },
][];

describe('a keyword of 3.0', { concurrent: true }, () => {
  test.each(of30)('%s', async (_, { schema, means, without, right, wrong, narrower, others }) => {
    const fits = judgeOf(means ?? schema, others);
    const isLax = judgeOf(without, others);
    expect([fits(right), fits(wrong), isLax(right), isLax(wrong)]).toEqual([true, false, true, true]);
    const spec = documentOf(schema, others, '3.0.3');
    const kept = await tested(spec, taking(fits, right), QUICK);
    expect(kept.failures, toSummary(kept)).toEqual([]);
    expect(kept.complete, toSummary(kept)).toBe(true);
    const broken = await tested(spec, taking(isLax, wrong), QUICK);
    const found = broken.failures.map(({ check }) => check);
    expect(found, toSummary(broken)).toEqual(expect.arrayContaining(['refusal', 'body']));
    if (means === undefined || narrower === undefined) return;
    const isNarrow = judgeOf(narrower, others);
    const strict = await tested(
      spec,
      taking((value) => fits(value) && isNarrow(value), right),
      QUICK,
    );
    expect(
      strict.failures.map(({ check }) => check),
      toSummary(strict),
    ).toContain('acceptance');
  });
});

/** What tells nothing of a value, or only in one direction, beside `{ type: 'string' }`: any text is right. */
const NOTES: [version: string, note: object, answer: string][] = [
  [
    '3.1.0',
    { title: 'a', description: 'b', $comment: 'c', deprecated: true, externalDocs: { url: 'https://a.org' } },
    '',
  ],
  ['3.1.0', { default: 'a', examples: ['b'] }, 'c'],
  [
    '3.1.0',
    { contentEncoding: 'base64', contentMediaType: 'application/json', contentSchema: { type: 'object' } },
    '?',
  ],
  ['3.1.0', { format: 'nobody-knows' }, 'a'],
  ['3.1.0', { maximum: 3, minItems: 3, required: ['a'], properties: { a: false } }, 'a'],
  ['3.1.0', { 'x-of-ours': { $ref: 'elsewhere.yaml' }, nullable: true }, 'a'],
  ['3.1.0', { xml: { name: 'a', attribute: true } }, 'a'],
  // biome-ignore lint/suspicious/noThenProperty: it is a keyword
  ['3.1.0', { then: { const: 1 }, else: { const: 1 }, minContains: 3, maxContains: 3 }, 'a'],
  ['3.0.3', { title: 'a', description: 'b', deprecated: true, externalDocs: { url: 'https://a.org' } }, ''],
  ['3.0.3', { default: 'a', example: 'b' }, 'c'],
  ['3.0.3', { xml: { name: 'a', attribute: true }, 'x-of-ours': { $ref: 'elsewhere.yaml' } }, 'a'],
  ['3.0.3', { const: 'a', if: false, contains: false, prefixItems: [false], propertyNames: false }, 'b'],
];

describe('what says nothing of a text', { concurrent: true }, () => {
  test.each(NOTES)('%s: %o', async (version, note, answer) => {
    const isText = judgeOf({ type: 'string' });
    const spec = documentOf({ type: 'string', ...note }, {}, version);
    const kept = await tested(spec, taking(isText, answer), QUICK);
    expect(kept.failures, toSummary(kept)).toEqual([]);
    expect(kept.complete, toSummary(kept)).toBe(true);
    expect(kept.notes).toEqual(
      'const' in note
        ? [expect.stringMatching(/^keywords that OpenAPI 3\.0 does not have are not validated in answers/)]
        : [],
    );
  });
});

const account = {
  type: 'object',
  required: ['name', 'id', 'password'],
  properties: {
    name: { type: 'string', enum: ['ada', 'bob'] },
    id: { type: 'integer', readOnly: true },
    password: { type: 'string', enum: ['open', 'shut'], writeOnly: true },
  },
};

test.each(['3.0.3', '3.1.0'])(
  'readOnly is required of answers alone, writeOnly of requests alone: %s',
  async (version) => {
    const spec = documentOf(account, {}, version);
    const isTaken = judgeOf({
      type: 'object',
      required: ['name', 'password'],
      properties: { name: { enum: ['ada', 'bob'] }, password: { enum: ['open', 'shut'] } },
    });
    const kept = await tested(spec, taking(isTaken, { name: 'ada', id: 1 }), QUICK);
    expect(kept.failures, toSummary(kept)).toEqual([]);
    expect(kept.complete, toSummary(kept)).toBe(true);
    const lacking = await tested(spec, taking(isTaken, { name: 'ada' }), QUICK);
    expect(lacking.failures.map(({ message }) => message).join()).toMatch(/must have required property 'id'/);
    const demanding = judgeOf({ ...account, required: ['name', 'id'] });
    const refused = await tested(
      spec,
      taking((value) => isTaken(value) && demanding(value), { name: 'a', id: 1 }),
      QUICK,
    );
    expect(refused.failures.map(({ check }) => check)).toContain('acceptance');
  },
);
