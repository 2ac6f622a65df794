import type { KeywordCase } from '../small/keyword.js';

const integer = { type: 'integer' };

/**
 * The keywords of OpenAPI 3.0 that 2020-12 does not have, or that mean something else there. `means` is the same schema in
 * 2020-12.
 */
export const OF_3_0: Record<string, KeywordCase & { means?: object }> = {
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
