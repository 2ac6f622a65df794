import * as fc from 'fast-check';
import type { Json, JsonObject } from '../document/json.js';
import { branches, type Schema, type SchemaOrBoolean } from '../document/schema.js';
import { valuesOf } from './arbitrary.js';
import type { Candidate } from './candidate.js';
import { MOST_ITEMS } from './sizes.js';

/**
 * Values at the limits of keywords that contain schemas: `not`, `contains`, and `prefixItems` without further items.
 */
export function composed(document: JsonObject, schema: Schema, sample: Json): Candidate[] {
  return [...forbidden(document, schema), ...contained(document, schema), ...tuples(schema, sample)];
}

function forbidden(document: JsonObject, { not, ...rest }: Schema): Candidate[] {
  if (not === undefined || typeof not === 'boolean') return [];
  const named = branches(document, not).flatMap(
    (branch) => branch.enum ?? (branch.const === undefined ? [] : [branch.const]),
  );
  const values = named.length > 0 ? named : sample(document, { allOf: [rest, not] }, 2);
  return values.map((value) => ({ value, note: 'what `not` forbids' }));
}

/** Lists with one matching item too few, and one too many, for `contains`. */
function contained(document: JsonObject, schema: Schema): Candidate[] {
  const { contains, items, minItems = 0, minContains = 1, maxContains } = schema;
  if (contains === undefined) return [];
  const [item] = sample(document, { allOf: [...(items === undefined ? [] : [items]), contains] }, 1);
  const counts = [minContains - 1, minContains, ...(maxContains === undefined ? [] : [maxContains, maxContains + 1])];
  return counts
    .filter((count) => count >= 0 && count <= MOST_ITEMS && item !== undefined)
    .map((count) => ({
      value: Array.from({ length: Math.max(count, count < minContains ? 0 : minItems) }, () => item ?? null),
      note: `${String(count)} items that match \`contains\``,
    }));
}

/** A tuple with one item too many. */
function tuples({ prefixItems = [], items }: Schema, value: Json): Candidate[] {
  if (items !== false || !Array.isArray(value)) return [];
  const more = Array.from({ length: Math.max(1, prefixItems.length + 1 - value.length) }, () => 'one more');
  return [{ value: [...value, ...more], note: 'one item more than the tuple has' }];
}

function sample(document: JsonObject, schema: SchemaOrBoolean, numRuns: number): Json[] {
  return fc.sample(valuesOf(document, schema), { seed: 7, numRuns });
}
