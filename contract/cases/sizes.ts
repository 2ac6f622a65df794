import type { JsonObject } from '../document/json.js';
import { branches, type Schema, type SchemaOrBoolean, typesOf } from '../document/schema.js';

// Estimates how large the values of a schema are, so that a huge or recursive schema costs little time.

/**
 * Levels of nesting with optional members. Below it values have only required members, and below twice that only null.
 */
export const DEEPEST = 4;
/** About the most values in the optional members of an object together; each level further down has a quarter of it. */
const LARGEST = 240;
/** A value that must contain more values than this is not generated. */
const TOO_LARGE = 4_000;
/** Most items of a generated list, whatever the schema requires. */
export const MOST_ITEMS = 200;

const sizes = new WeakMap<Schema, Map<number, number>>();

/** About how many values a generated value of the schema contains; never fewer than it must contain. */
export function sizeOf(document: JsonObject, schema: SchemaOrBoolean | undefined, depth: number): number {
  if (typeof schema !== 'object' || depth > 2 * DEEPEST) return 1;
  const known = sizes.get(schema) ?? new Map<number, number>();
  sizes.set(schema, known);
  const size = known.get(depth);
  if (size !== undefined) return size;
  let largest = 1;
  for (const branch of branches(document, schema)) {
    const types = typesOf(branch);
    if (branch.enum || branch.const !== undefined) continue;
    if (types.includes('array')) {
      const firsts = (branch.prefixItems ?? []).reduce((sum, item) => sum + sizeOf(document, item, depth + 1), 1);
      const items = Math.min(branch.minItems ?? 0, MOST_ITEMS) + 1;
      largest = Math.max(largest, firsts + items * sizeOf(document, branch.items, depth + 1));
    }
    if (!types.includes('object')) continue;
    let needed = 1;
    let others = 0;
    for (const [name, property] of Object.entries(branch.properties ?? {})) {
      if (branch.required?.includes(name)) needed += sizeOf(document, property, depth + 1);
      else if (depth < DEEPEST && others < LARGEST) others += sizeOf(document, property, depth + 1) / 2;
    }
    largest = Math.max(largest, needed + Math.min(others, LARGEST / 4 ** depth));
  }
  known.set(depth, Math.min(largest, 10 * TOO_LARGE));
  return known.get(depth) ?? 1;
}

export function isTooLarge(document: JsonObject, schema: SchemaOrBoolean | undefined, depth: number): boolean {
  return sizeOf(document, schema, depth) > TOO_LARGE;
}

/** Splits members into groups of limited size, because some objects have hundreds of large members. */
export function packed<T extends readonly [string, SchemaOrBoolean]>(
  document: JsonObject,
  members: T[],
  depth: number,
): T[][] {
  const groups: T[][] = [[]];
  let size = 0;
  for (const member of members) {
    size += sizeOf(document, member[1], depth + 1);
    if (size > LARGEST / 4 ** depth && (groups.at(-1)?.length ?? 0) > 0) {
      groups.push([]);
      size = sizeOf(document, member[1], depth + 1);
    }
    groups.at(-1)?.push(member);
  }
  return groups;
}
