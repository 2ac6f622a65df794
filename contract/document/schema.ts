import { atPointer, isObject, type Json, type JsonObject, sameJson } from './json.js';

/** The keywords of JSON Schema 2020-12 that values are generated from; the judge validates all keywords. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: Json[];
  const?: Json;
  default?: Json;
  example?: Json;
  examples?: Json[];
  format?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  multipleOf?: number;
  properties?: Record<string, SchemaOrBoolean>;
  required?: string[];
  additionalProperties?: SchemaOrBoolean;
  propertyNames?: SchemaOrBoolean;
  minProperties?: number;
  maxProperties?: number;
  items?: SchemaOrBoolean;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  if?: SchemaOrBoolean;
  then?: SchemaOrBoolean;
  else?: SchemaOrBoolean;
  allOf?: SchemaOrBoolean[];
  anyOf?: SchemaOrBoolean[];
  oneOf?: SchemaOrBoolean[];
  not?: SchemaOrBoolean;
  prefixItems?: SchemaOrBoolean[];
  contains?: SchemaOrBoolean;
  minContains?: number;
  maxContains?: number;
  patternProperties?: Record<string, SchemaOrBoolean>;
  dependentRequired?: Record<string, string[]>;
  contentMediaType?: string;
  readOnly?: boolean;
  writeOnly?: boolean;
  xml?: { name?: string; namespace?: string; prefix?: string; attribute?: boolean; wrapped?: boolean };
}

export type SchemaOrBoolean = Schema | boolean;

/** Depth to which `$ref` and `allOf` are followed; a schema that needs more refers to itself. */
const DEEPEST = 16;
/** Most alternatives of one schema for which values are generated; several choices in one schema multiply. */
const MOST_BRANCHES = 48;

/** Cached, because every request asks for schemas and they never change. */
const flattened = new WeakMap<Schema, Schema>();
const branched = new WeakMap<Schema, Schema[]>();

/**
 * Merges `$ref` and `allOf` into one schema; of two values of a keyword it takes the narrower. `anyOf` and `oneOf`
 * stay. Nested schemas keep their references, so that a recursive schema ends.
 */
export function flatten(document: JsonObject, schema: SchemaOrBoolean | undefined, depth = 0): Schema {
  if (schema === undefined || typeof schema === 'boolean') return {};
  if (depth > DEEPEST) return {};
  const known = flattened.get(schema);
  if (known !== undefined) return known;
  const { $ref, allOf, ...own } = schema;
  let merged: Schema = own;
  if ($ref !== undefined) {
    const target = atPointer(document, $ref);
    if (isObject(target)) merged = merge(flatten(document, target, depth + 1), merged);
  }
  for (const part of Array.isArray(allOf) ? allOf : []) merged = merge(merged, flatten(document, part, depth + 1));
  flattened.set(schema, merged);
  return merged;
}

/** The alternatives of a schema, each without `anyOf`, `oneOf` and `if`; the schema itself if it has none. */
export function branches(document: JsonObject, schema: SchemaOrBoolean | undefined, depth = 0): Schema[] {
  const known = typeof schema === 'object' ? branched.get(schema) : undefined;
  if (known !== undefined) return known;
  const { anyOf, oneOf, if: condition, then: positive, else: negative, ...rest } = flatten(document, schema);
  const choices = [anyOf, oneOf].filter((list) => Array.isArray(list) && list.length > 0) as SchemaOrBoolean[][];
  if (condition !== undefined) choices.push([{ allOf: [condition, positive ?? true] }, negative ?? true]);
  let found: Schema[] = [rest];
  for (const choice of depth > DEEPEST ? [] : choices) {
    const alternatives = upTo(MOST_BRANCHES, choice, (alternative) => branches(document, alternative, depth + 1));
    found = upTo(MOST_BRANCHES, found, (branch) =>
      upTo(MOST_BRANCHES, alternatives, (alternative) => [merge(branch, alternative)]),
    );
  }
  if (typeof schema === 'object') branched.set(schema, found);
  return found;
}

/** The first `most` values that `make` gives for the items. Makes no more, because choices within choices multiply. */
function upTo<Item, Value>(most: number, items: readonly Item[], make: (item: Item) => Value[]): Value[] {
  const values: Value[] = [];
  for (const item of items) {
    if (values.length >= most) break;
    values.push(...make(item));
  }
  return values.slice(0, most);
}

function merge(a: Schema, b: Schema): Schema {
  const merged: Schema = { ...a, ...b };
  const properties = { ...a.properties };
  for (const [name, schema] of Object.entries(b.properties ?? {})) {
    const known = properties[name];
    properties[name] = known === undefined || known === schema ? schema : { allOf: [known, schema] };
  }
  if (Object.keys(properties).length > 0) merged.properties = properties;
  if (a.required && b.required) merged.required = [...new Set([...a.required, ...b.required])];
  for (const name of ['minLength', 'minimum', 'exclusiveMinimum', 'minItems', 'minProperties'] as const) {
    if (a[name] !== undefined && b[name] !== undefined) merged[name] = Math.max(a[name], b[name]);
  }
  for (const name of ['maxLength', 'maximum', 'exclusiveMaximum', 'maxItems', 'maxProperties'] as const) {
    if (a[name] !== undefined && b[name] !== undefined) merged[name] = Math.min(a[name], b[name]);
  }
  if (a.propertyNames !== undefined && b.propertyNames !== undefined && a.propertyNames !== b.propertyNames)
    merged.propertyNames = { allOf: [a.propertyNames, b.propertyNames] };
  if (a.not !== undefined && b.not !== undefined && a.not !== b.not) merged.not = { anyOf: [a.not, b.not] };
  if (a.uniqueItems === true) merged.uniqueItems = true;
  if (a.readOnly === true) merged.readOnly = true;
  if (a.enum && b.enum) merged.enum = a.enum.filter((value) => b.enum?.some((other) => sameJson(value, other)));
  if (a.type !== undefined && b.type !== undefined) merged.type = commonType([a.type].flat(), [b.type].flat());
  for (const name of ['items', 'additionalProperties'] as const) {
    const both = [a[name], b[name]];
    if (both.includes(false)) merged[name] = false;
    else if (isObject(a[name]) && isObject(b[name]) && a[name] !== b[name])
      merged[name] = { allOf: [a[name], b[name]] };
  }
  return merged;
}

function commonType(a: string[], b: string[]): string | string[] {
  const both = b.filter((type) => a.includes(type) || (type === 'integer' && a.includes('number')));
  if (a.includes('integer') && b.includes('number') && !both.includes('integer')) both.push('integer');
  return both.length > 0 ? both : b;
}

/** The JSON types of a flattened schema: its `type`, else the type that its keywords are about, else any type. */
export function typesOf(schema: Schema): string[] {
  if (schema.type !== undefined) return typeof schema.type === 'string' ? [schema.type] : schema.type;
  const values = schema.const !== undefined ? [schema.const] : schema.enum;
  if (values) return [...new Set(values.map(typeOf))];
  const about = (...keywords: (keyof Schema)[]) => keywords.some((keyword) => schema[keyword] !== undefined);
  if (
    about(
      'properties',
      'required',
      'additionalProperties',
      'propertyNames',
      'minProperties',
      'maxProperties',
      'patternProperties',
    )
  )
    return ['object'];
  if (about('items', 'prefixItems', 'contains', 'minItems', 'maxItems', 'uniqueItems')) return ['array'];
  if (about('pattern', 'format', 'minLength', 'maxLength')) return ['string'];
  if (about('minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf')) return ['number'];
  return [];
}

export function typeOf(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'number' && Number.isInteger(value) ? 'integer' : typeof value;
}
