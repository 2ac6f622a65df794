import * as fc from 'fast-check';
import { multiple } from '../decimal.js';
import { isObject, type Json, type JsonObject } from '../spec/json.js';
import { isPasswordName } from '../spec/names.js';
import { toRegExp } from '../spec/pattern.js';
import { branches, flatten, type Schema, type SchemaOrBoolean, typesOf } from '../spec/schema.js';
import { textOf } from './strings.js';

/** Values go this deep; below it optional members are left out, and below twice that everything is null. */
const DEEPEST = 4;
/** Optional members of an object have about so many values in them together; a quarter of it one level further down. */
const LARGEST = 240;
/** A value that cannot be made with fewer values in it than these is not made. */
const TOO_LARGE = 4_000;
/** Lists and objects are not made longer than this, whatever a schema asks for. */
const MOST_ITEMS = 200;
const MOST_MEMBERS = 40;

/** Random values that fit a schema but for rules that only the judge knows; they shrink towards the simplest one. */
export function valuesOf(
  document: JsonObject,
  schema: SchemaOrBoolean | undefined,
  name = '',
  depth = 0,
): fc.Arbitrary<Json> {
  if (depth > 2 * DEEPEST || isTooLarge(document, schema, depth)) return fc.constant(null);
  if (typeof schema !== 'object') return built(document, schema, name, depth);
  const key = `${name} ${String(depth)}`;
  const known = made.get(schema) ?? new Map<string, fc.Arbitrary<Json>>();
  made.set(schema, known);
  const values = known.get(key) ?? built(document, schema, name, depth);
  known.set(key, values);
  return values;
}

/** What makes values is slow to build, and recursive schemas ask for the same again and again. */
const made = new WeakMap<Schema, Map<string, fc.Arbitrary<Json>>>();

function built(
  document: JsonObject,
  schema: SchemaOrBoolean | undefined,
  name: string,
  depth: number,
): fc.Arbitrary<Json> {
  return fc.oneof(...branches(document, schema).map((branch) => branchValues(document, branch, name, depth)));
}

function branchValues(document: JsonObject, schema: Schema, name: string, depth: number): fc.Arbitrary<Json> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum && schema.enum.length > 0) return fc.constantFrom(...schema.enum);
  const types = typesOf(schema);
  if (types.length === 0) return anyJson();
  return fc.oneof(...types.map((type) => typedValues(document, schema, type, name, depth)));
}

function typedValues(
  document: JsonObject,
  schema: Schema,
  type: string,
  name: string,
  depth: number,
): fc.Arbitrary<Json> {
  switch (type) {
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return integers(schema);
    case 'number':
      return numbers(schema);
    case 'string':
      return textOf(schema, schema.format === 'password' || isPasswordName(name));
    case 'array':
      return arrays(document, schema, name, depth);
    default:
      return objects(document, schema, depth);
  }
}

export function anyJson(): fc.Arbitrary<Json> {
  return fc.jsonValue({ maxDepth: 2 }).map((value) => value as Json);
}

function integers(schema: Schema): fc.Arbitrary<number> {
  const { multipleOf, format, minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  const decimals = multipleOf === undefined ? 0 : (String(multipleOf).split('.')[1]?.length ?? 0);
  const step = multipleOf === undefined ? 1 : Math.max(1, Math.round(multipleOf * 10 ** decimals));
  // Without a bound an integer is no larger than every database and language holds.
  const isOpen = format !== 'int64' && maximum === undefined && exclusiveMaximum === undefined;
  const widest = isOpen ? 2 ** 31 - 1 : Number.MAX_SAFE_INTEGER;
  const lowest = Math.max(
    minimum ?? -widest,
    exclusiveMinimum === undefined ? -Infinity : Math.floor(exclusiveMinimum) + 1,
  );
  const highest = Math.min(
    maximum ?? Math.max(widest, lowest + 1_000),
    exclusiveMaximum === undefined ? Infinity : Math.ceil(exclusiveMaximum) - 1,
    format === 'int32' ? 2 ** 31 - 1 : Infinity,
  );
  const min = clamp(Math.ceil(lowest / step), step);
  const max = clamp(Math.floor(highest / step), step);
  return fc.integer({ min: Math.min(min, max), max }).map((count) => count * step);
}

/** A count of steps that is exact in JavaScript, and so is what it counts. */
function clamp(count: number, step: number): number {
  const most = Math.floor(Number.MAX_SAFE_INTEGER / step);
  return Math.min(most, Math.max(-most, count));
}

function numbers(schema: Schema): fc.Arbitrary<number> {
  const { multipleOf } = schema;
  const min =
    schema.exclusiveMinimum ?? schema.minimum ?? Math.min(-1e9, schema.exclusiveMaximum ?? schema.maximum ?? 0);
  const max = schema.exclusiveMaximum ?? schema.maximum ?? Math.max(1e9, min);
  if (multipleOf !== undefined) {
    const least = clamp(Math.ceil(min / multipleOf - 1e-9), Math.max(1, multipleOf));
    const most = clamp(Math.floor(max / multipleOf + 1e-9), Math.max(1, multipleOf));
    return fc.integer({ min: Math.min(least, most), max: most }).map((count) => multiple(count, multipleOf));
  }
  return fc.double({
    min: Math.min(min, max),
    max,
    minExcluded: schema.exclusiveMinimum !== undefined && min < max,
    maxExcluded: schema.exclusiveMaximum !== undefined && min < max,
    noNaN: true,
    noDefaultInfinity: true,
  });
}

function arrays(document: JsonObject, schema: Schema, name: string, depth: number): fc.Arbitrary<Json> {
  const { prefixItems = [], contains, uniqueItems, minContains = 1 } = schema;
  const minLength = Math.min(MOST_ITEMS, Math.max(0, (schema.minItems ?? 0) - prefixItems.length));
  const most = Math.max(minLength, Math.min(MOST_ITEMS, (schema.maxItems ?? Infinity) - prefixItems.length));
  const few = sizeOf(document, schema.items, depth + 1) > 50 ? 1 : 3;
  const maxLength = schema.items === false ? 0 : Math.min(most, minLength + few);
  const items = valuesOf(document, schema.items, name, depth + 1);
  let lists: fc.Arbitrary<Json[]> = fc.array(items, { minLength: Math.min(minLength, maxLength), maxLength });
  if (contains !== undefined && minContains > 0) {
    const wanted = fc.array(valuesOf(document, allOf(schema.items, contains), name, depth + 1), {
      minLength: minContains,
      maxLength: Math.min(minContains, schema.maxContains ?? minContains),
    });
    lists = fc
      .tuple(wanted, lists)
      .map(([needed, others]) => [...needed, ...others].slice(0, Math.max(most, needed.length)));
  }
  if (prefixItems.length > 0) {
    const firsts = prefixItems.map((item) => valuesOf(document, item, name, depth + 1));
    lists = fc.tuple(fc.tuple(...firsts), lists).map(([before, after]) => [...before, ...after]);
  }
  if (uniqueItems !== true) return lists;
  // Not fc.uniqueArray, which looks for ever for a third boolean; too short a list the judge calls what it is.
  return lists.map((list) => [...new Map(list.map((item) => [JSON.stringify(item), item])).values()]);
}

function allOf(...schemas: (SchemaOrBoolean | undefined)[]): SchemaOrBoolean {
  return { allOf: schemas.filter((schema) => schema !== undefined) };
}

function objects(document: JsonObject, schema: Schema, depth: number): fc.Arbitrary<Json> {
  const required = new Set(schema.required ?? []);
  const members = Object.entries(schema.properties ?? {}).filter(
    ([name, property]) =>
      property !== false &&
      flatten(document, property).readOnly !== true &&
      (required.has(name) || (depth < DEEPEST && !isTooLarge(document, property, depth + 1))),
  );
  const undescribed = [...required].filter((name) => !Object.hasOwn(schema.properties ?? {}, name));
  const needed = [
    ...members.filter(([name]) => required.has(name)),
    ...undescribed.map((name) => [name, schemaOfName(schema, name)] as const),
  ];
  const groups = packed(
    document,
    members.filter(([name]) => !required.has(name)),
    depth,
  );
  const known = fc.oneof(
    ...groups.map((group) => {
      const all = [...needed, ...group].map(
        ([name, property]) => [name, valuesOf(document, property, name, depth + 1)] as const,
      );
      return fc.record(Object.fromEntries(all), { requiredKeys: needed.map(([name]) => name), noNullPrototype: true });
    }),
  );
  const { additionalProperties: more, minProperties = 0, maxProperties = Infinity, dependentRequired } = schema;
  const whole =
    dependentRequired === undefined ? known : known.map((value) => withoutLoose(value, dependentRequired, required));
  const count = needed.length + (groups[0]?.length ?? 0);
  if (!(isObject(more) || minProperties > count || (schema.patternProperties && more !== false))) return whole;
  const fewest = Math.min(minProperties, MOST_MEMBERS);
  const extra = fc.dictionary(namesOf(document, schema), valuesOf(document, more, '', depth + 1), {
    minKeys: fewest,
    maxKeys: Math.max(fewest, Math.min(2, maxProperties)),
    noNullPrototype: true,
  });
  return fc.tuple(whole, extra).map(([fixed, others]) => {
    const room = Math.max(0, maxProperties - Object.keys(fixed).length);
    return { ...Object.fromEntries(Object.entries(others).slice(0, room)), ...fixed };
  });
}

/** The schema of a member that is not among the properties. */
function schemaOfName(
  { patternProperties = {}, additionalProperties }: Schema,
  name: string,
): SchemaOrBoolean | undefined {
  const [, schema] =
    Object.entries(patternProperties).find(([pattern]) => toRegExp(pattern)?.test(name) === true) ?? [];
  return schema ?? additionalProperties;
}

/** The members in groups that are not too large together, since some objects have hundreds of them, each as large again. */
function packed<T extends readonly [string, SchemaOrBoolean]>(
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

/** Without the members that need others which are not there. */
function withoutLoose(value: JsonObject, needs: Record<string, string[]>, required: Set<string>): JsonObject {
  let left = value;
  for (const [name, others] of Object.entries(needs)) {
    if (!Object.hasOwn(left, name) || required.has(name) || others.every((other) => Object.hasOwn(left, other)))
      continue;
    left = Object.fromEntries(Object.entries(left).filter(([member]) => member !== name));
  }
  return left;
}

const sizes = new WeakMap<Schema, Map<number, number>>();

/** About how many values a value of the schema has in it; at least those that it cannot be without. */
function sizeOf(document: JsonObject, schema: SchemaOrBoolean | undefined, depth: number): number {
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

function isTooLarge(document: JsonObject, schema: SchemaOrBoolean | undefined, depth: number): boolean {
  return sizeOf(document, schema, depth) > TOO_LARGE;
}

/** Names for the members that an object may have beside those that its schema names. */
export function namesOf(
  document: JsonObject,
  { propertyNames, patternProperties, additionalProperties }: Schema,
): fc.Arbitrary<string> {
  const [pattern] = Object.keys(patternProperties ?? {});
  if (pattern !== undefined && additionalProperties === false) return textOf({ pattern, maxLength: 30 }, false);
  if (isObject(propertyNames))
    return valuesOf(document, { allOf: [propertyNames, { type: 'string' }] }).map((name) =>
      typeof name === 'string' ? name : JSON.stringify(name),
    );
  return fc.string({ unit: fc.constantFrom(...Array.from('abcdefghij')), minLength: 1, maxLength: 8 });
}

/** The first of the random values that differ from each other; fewer where there are not as many. */
export function distinctOf<T>(values: fc.Arbitrary<T>, count: number): T[] {
  const found = new Map<string, T>();
  for (const value of fc.sample(values, { seed: 7, numRuns: 4 * count })) {
    if (found.size < count) found.set(JSON.stringify(value), value);
  }
  return [...found.values()];
}

/** One plausible value that `accepts` takes: what the schema itself shows, else the first that fits of many. */
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

/** The value that the schema's own examples and defaults make up; undefined where they leave something open. */
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
