import * as fc from 'fast-check';
import type { Json, JsonObject } from '../document/json.js';
import { branches, type SchemaOrBoolean, typesOf } from '../document/schema.js';
import { valuesOf } from './arbitrary.js';
import { DEEPEST } from './sizes.js';

// Values that depend only on the schema and the seed.

/** Up to `count` random values that all differ. */
export function distinctOf<T>(values: fc.Arbitrary<T>, count: number): T[] {
  const found = new Map<string, T>();
  for (const value of fc.sample(values, { seed: 7, numRuns: 4 * count })) {
    if (found.size < count) found.set(JSON.stringify(value), value);
  }
  return [...found.values()];
}

/**
 * A value that `accepts` allows: from the examples and defaults of the schema, else a random one; undefined if none.
 */
export function sampleOf(
  document: JsonObject,
  schema: SchemaOrBoolean | undefined,
  { seed, name = '', accepts }: { seed: number; name?: string; accepts: (value: Json) => boolean },
): Json | undefined {
  const shown = shownIn(document, schema, 0);
  if (shown !== undefined && accepts(shown)) return shown;
  const values = valuesOf(document, schema, name);
  return (
    fc.sample(values, { seed, numRuns: 10 }).find(accepts) ??
    fc.sample(values, { seed: seed + 1, numRuns: 60 }).find(accepts)
  );
}

/** The value made of the schema's examples and defaults; undefined if a required member has neither. */
function shownIn(document: JsonObject, schema: SchemaOrBoolean | undefined, depth: number): Json | undefined {
  const flat = branches(document, schema)[0] ?? {};
  const [own] = [flat.example, flat.examples?.[0], flat.const, flat.default, flat.enum?.[0]].filter(
    (value) => value !== undefined,
  );
  if (own !== undefined) return own;
  if (!typesOf(flat).includes('object') || depth > DEEPEST) return undefined;
  const value: JsonObject = {};
  for (const name of flat.required ?? []) {
    const member = shownIn(document, flat.properties?.[name], depth + 1);
    if (member === undefined) return undefined;
    value[name] = member;
  }
  return value;
}
