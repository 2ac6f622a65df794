import { expect, test } from 'vitest';
import { toSummary } from '../../contract/index.js';
import { body, document, tested } from './small/document.js';

// No schema of a document stops the process: timers go on while requests are made, sent and judged.

const MUCH = 1_000_000_000;
/** Milliseconds that timers may be late; twice what is promised, for a busy machine. */
const LATE = 2_000;
const text = { type: 'string' };

const SCHEMAS: Record<string, object> = {
  'a long text': { ...text, minLength: MUCH },
  'a long text with a pattern': { ...text, minLength: 100_000, pattern: '^[a-f]+$' },
  'many items': { type: 'array', minItems: MUCH, items: text },
  'many different items': { type: 'array', minItems: 5_000, uniqueItems: true, items: { type: 'integer' } },
  'more different items than there are': { type: 'array', minItems: 50, uniqueItems: true, items: { type: 'boolean' } },
  'many members': { type: 'object', minProperties: MUCH, additionalProperties: text },
  'many required members': {
    type: 'object',
    required: Array.from({ length: 2_000 }, (_, index) => `m${String(index)}`),
    additionalProperties: text,
  },
  'a wide pattern': { ...text, pattern: '^([a-z]{1000}){1000}$' },
  'a pattern that backtracks': { ...text, pattern: '^(a+)+$', maxLength: 200 },
  'a pattern that nothing matches': { ...text, pattern: '^(?=a)(?=b)c$' },
  'more matching items than it may have': {
    type: 'array',
    contains: text,
    minContains: 3,
    maxContains: 1,
  },
  'a small step': { type: 'number', multipleOf: 1e-300 },
  'a large step': { type: 'integer', minimum: 1, maximum: 10, multipleOf: 7_919 },
  'bounds beside each other': { type: 'number', exclusiveMinimum: 1, exclusiveMaximum: 1 + Number.EPSILON },
  'a long enumeration': { enum: Array.from({ length: 5_000 }, (_, index) => `value ${String(index)}`) },
  'many branches': {
    oneOf: Array.from({ length: 300 }, (_, index) => ({
      type: 'object',
      required: [`b${String(index)}`],
      properties: { [`b${String(index)}`]: text },
    })),
  },
  'branches of branches': Array.from({ length: 8 }).reduce<object>(
    (inner) => ({ allOf: [{ anyOf: [inner, { type: 'object' }] }, { anyOf: [inner, { type: 'object' }] }] }),
    { type: 'object', properties: { a: text } },
  ),
  'a deep object': Array.from({ length: 200 }).reduce<object>(
    (inner) => ({ type: 'object', required: ['in'], properties: { in: inner } }),
    text,
  ),
  'a tree without end': { $ref: '#/components/schemas/Node' },
};

const Node = {
  type: 'object',
  required: ['left', 'right'],
  properties: { left: { $ref: '#/components/schemas/Node' }, right: { $ref: '#/components/schemas/Node' } },
};

test.each(Object.entries(SCHEMAS))('%s does not stop timers', { timeout: 60_000 }, async (_, schema) => {
  const responses = { 200: body({}), 400: body({}), 405: { description: 'no' }, 413: body({}), 422: body({}) };
  const spec = {
    ...document({
      '/things': { post: { operationId: 'postThing', requestBody: { required: true, ...body(schema) }, responses } },
    }),
    openapi: '3.1.0',
    components: { schemas: { Node } },
  };
  let last = performance.now();
  let longest = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }, 10);
  try {
    const report = await tested(spec, () => ({ status: 200, body: {} }), {
      fuzzRuns: 5,
      timeMs: 5_000,
      allowIncomplete: true,
    });
    longest = Math.max(longest, performance.now() - last);
    expect(report.durationMs, toSummary(report)).toBeLessThan(15_000);
    expect(longest, toSummary(report)).toBeLessThan(LATE);
  } finally {
    clearInterval(timer);
  }
});
