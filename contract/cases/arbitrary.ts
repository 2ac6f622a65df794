import * as fc from 'fast-check';
import { isObject, type Json, type JsonObject } from '../document/json.js';
import { isPasswordName } from '../document/names.js';
import { toRegExp } from '../document/pattern.js';
import { branches, flatten, type Schema, type SchemaOrBoolean, typesOf } from '../document/schema.js';
import { integers, numbers } from './numbers.js';
import { DEEPEST, isTooLarge, MOST_ITEMS, packed, sizeOf } from './sizes.js';
import { textOf } from './strings.js';

/** Most additional members that an object gets for `minProperties`. */
const MOST_MEMBERS = 40;

/**
 * Random values that fit most rules of a schema; the judge decides whether one fits all. They shrink to simple values.
 */
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

/** Generators by schema, name and depth: building one is slow, and recursive schemas need the same one repeatedly. */
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
  return fc.oneof(...types.map((type) => possibleValues(document, schema, type, name, depth)));
}

function possibleValues(...about: Parameters<typeof typedValues>): fc.Arbitrary<Json> {
  try {
    return typedValues(...about);
  } catch {
    // fast-check throws for rules that no value fits. The judge finds null invalid.
    return fc.constant(null);
  }
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
  // fc.uniqueArray would search endlessly for a third boolean. If the list becomes too short, the judge finds it
  // invalid.
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

/** The schema of a member that is not in `properties`. */
function schemaOfName(
  { patternProperties = {}, additionalProperties }: Schema,
  name: string,
): SchemaOrBoolean | undefined {
  const [, schema] =
    Object.entries(patternProperties).find(([pattern]) => toRegExp(pattern)?.test(name) === true) ?? [];
  return schema ?? additionalProperties;
}

/** Removes members whose `dependentRequired` members are absent. */
function withoutLoose(value: JsonObject, needs: Record<string, string[]>, required: Set<string>): JsonObject {
  let left = value;
  for (const [name, others] of Object.entries(needs)) {
    if (!Object.hasOwn(left, name) || required.has(name) || others.every((other) => Object.hasOwn(left, other)))
      continue;
    left = Object.fromEntries(Object.entries(left).filter(([member]) => member !== name));
  }
  return left;
}

/** Random names of additional members. */
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
