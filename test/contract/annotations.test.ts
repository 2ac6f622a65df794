import { describe, expect, test } from 'vitest';
import { toSummary } from '../../contract/index.js';
import { tested } from './small/document.js';
import { documentOf, judgeOf, taking } from './small/keyword.js';

// Keywords that do not restrict a value, and those that count in one direction only.

const QUICK = { fuzzRuns: 3 };

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
