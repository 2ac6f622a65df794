import { describe, expect, test } from 'vitest';
import { toSummary } from '../../contract/index.js';
import { APPLICATORS } from './keywords/applicators.js';
import { ASSERTIONS } from './keywords/assertions.js';
import { OF_3_0 } from './keywords/openapi-3-0.js';
import { tested } from './small/document.js';
import { documentOf, judgeOf, type KeywordCase, taking } from './small/keyword.js';

// The keywords of OpenAPI 3.0, each with a correct server and one that ignores the keyword.

const QUICK = { fuzzRuns: 3 };

/** The keywords of 3.0 that are also in 2020-12, and mean the same there. */
const SHARED = (
  'type enum multipleOf maximum minimum maxLength minLength pattern maxItems minItems uniqueItems maxProperties ' +
  'minProperties required allOf anyOf oneOf not items properties additionalProperties $ref'
).split(' ');

const of30 = [
  ...Object.entries(OF_3_0),
  ...Object.entries({ ...ASSERTIONS, ...APPLICATORS }).filter(([name]) => SHARED.includes(name)),
] as [string, KeywordCase & { means?: object }][];

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
