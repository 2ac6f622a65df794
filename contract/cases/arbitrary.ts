import * as fc from 'fast-check';
import { isObject, type Json, type JsonObject } from '../spec/json.js';
import { isPasswordName } from '../spec/names.js';
import { branches, flatten, type Schema, type SchemaOrBoolean, typesOf } from '../spec/schema.js';
import { textOf } from './strings.js';

/** Values go this deep; below it optional members are left out, and below twice that everything is null. */
const DEEPEST = 4;

/** Random values that fit a schema but for rules that only the judge knows; they shrink towards the simplest one. */
export function valuesOf(
  document: JsonObject,
  schema: SchemaOrBoolean | undefined,
  name = '',
  depth = 0,
): fc.Arbitrary<Json> {
  if (depth > 2 * DEEPEST) return fc.constant(null);
  const alternatives = branches(document, schema);
  return fc.oneof(...alternatives.map((branch) => branchValues(document, branch, name, depth)));
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
  const { multipleOf } = schema;
  const step = multipleOf !== undefined && Number.isInteger(multipleOf) ? multipleOf : 1;
  const widest = schema.format === 'int32' ? 2 ** 31 - 1 : Number.MAX_SAFE_INTEGER;
  const lowest = Math.max(schema.minimum ?? -widest, (schema.exclusiveMinimum ?? -Infinity) + 1);
  const highest = Math.min(schema.maximum ?? widest, (schema.exclusiveMaximum ?? Infinity) - 1);
  const min = Math.ceil(lowest / step);
  const max = Math.floor(highest / step);
  return fc.integer({ min: Math.min(min, max), max }).map((count) => count * step);
}

function numbers(schema: Schema): fc.Arbitrary<number> {
  if (schema.multipleOf !== undefined) return integers({ ...schema, multipleOf: Math.ceil(schema.multipleOf) });
  const min = schema.exclusiveMinimum ?? schema.minimum ?? -1e9;
  const max = schema.exclusiveMaximum ?? schema.maximum ?? Math.max(1e9, min);
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
  const { minItems: minLength = 0, maxItems = minLength + 3, uniqueItems } = schema;
  const maxLength = Math.min(maxItems, minLength + 3);
  const items = valuesOf(document, schema.items, name, depth + 1);
  const lists = fc.array(items, { minLength, maxLength });
  if (uniqueItems !== true) return lists;
  // Not fc.uniqueArray, which looks for ever for a third boolean; too short a list the judge calls what it is.
  return lists.map((list) => [...new Map(list.map((item) => [JSON.stringify(item), item])).values()]);
}

function objects(document: JsonObject, schema: Schema, depth: number): fc.Arbitrary<Json> {
  const required = new Set(schema.required ?? []);
  const members = Object.entries(schema.properties ?? {}).filter(
    ([name, property]) => flatten(document, property).readOnly !== true && (required.has(name) || depth < DEEPEST),
  );
  const undescribed = [...required].filter((name) => !Object.hasOwn(schema.properties ?? {}, name));
  const arbitraries = Object.fromEntries([
    ...members.map(([name, property]) => [name, valuesOf(document, property, name, depth + 1)] as const),
    ...undescribed.map((name) => [name, valuesOf(document, schema.additionalProperties, name, depth + 1)] as const),
  ]);
  const known = fc.record(arbitraries, {
    requiredKeys: [...required].filter((name) => name in arbitraries),
    noNullPrototype: true,
  });
  const { additionalProperties: more, minProperties = 0, maxProperties = Infinity } = schema;
  const wantsMore = isObject(more) || minProperties > Object.keys(arbitraries).length;
  if (!wantsMore) return known;
  const fewest = Math.min(minProperties, 8);
  const extra = fc.dictionary(namesOf(document, schema), valuesOf(document, more, '', depth + 1), {
    minKeys: fewest,
    maxKeys: Math.max(fewest, Math.min(2, maxProperties)),
    noNullPrototype: true,
  });
  return fc.tuple(known, extra).map(([fixed, others]) => {
    const room = Math.max(0, maxProperties - Object.keys(fixed).length);
    return { ...Object.fromEntries(Object.entries(others).slice(0, room)), ...fixed };
  });
}

/** Names for the members that an object may have beside those that its schema names. */
export function namesOf(document: JsonObject, { propertyNames }: Schema): fc.Arbitrary<string> {
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
  return fc.sample(valuesOf(document, schema, name), { seed, numRuns: 60 }).find(accepts);
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
