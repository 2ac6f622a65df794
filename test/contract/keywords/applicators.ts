import type { KeywordCase } from '../small/keyword.js';

const integer = { type: 'integer' };
const text = { type: 'string', maxLength: 8 };
const V = '#/components/schemas/V';

/** The keywords of 2020-12 that apply schemas to a value or to its parts, and `$ref`. */
export const APPLICATORS: Record<string, KeywordCase> = {
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
