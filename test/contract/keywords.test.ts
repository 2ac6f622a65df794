import { describe, expect, test } from 'vitest';
import { toSummary } from '../../contract/index.js';
import { APPLICATORS } from './keywords/applicators.js';
import { ASSERTIONS } from './keywords/assertions.js';
import { FORMAT_CASES } from './keywords/formats.js';
import { tested } from './small/document.js';
import { documentOf, judgeOf, taking } from './small/keyword.js';

// Each keyword of JSON Schema 2020-12: another validator confirms the cases, a correct server has no fault, and a server that
// ignores the keyword is found, in its requests and in its answers.

const cases = Object.entries({ ...ASSERTIONS, ...APPLICATORS, ...FORMAT_CASES });
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
