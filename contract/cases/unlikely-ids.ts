import * as fc from 'fast-check';
import type { Json } from '../document/json.js';

/** Ids that almost certainly belong to nothing: random uuids, integers above 2^40, and long texts. */
export function unlikelyIds(format: string | undefined): fc.Arbitrary<Json> {
  if (format === 'uuid') return fc.uuid();
  return fc.oneof(
    fc.integer({ min: 2 ** 40, max: Number.MAX_SAFE_INTEGER }),
    fc.uuid(),
    fc.string({ unit: fc.constantFrom(...Array.from('abcdefgh23456789')), minLength: 16, maxLength: 24 }),
  );
}

export function isUnlikelyId(value: Json): boolean {
  return typeof value === 'number' ? value >= 2 ** 40 : typeof value === 'string' && value.length >= 16;
}
