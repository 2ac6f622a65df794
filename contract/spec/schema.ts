import { atPointer, isObject, type Json, type JsonObject } from './json.js';

/** The keywords of JSON Schema 2020-12 that cases are made from; the judge knows all of them. */
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
  allOf?: SchemaOrBoolean[];
  anyOf?: SchemaOrBoolean[];
  oneOf?: SchemaOrBoolean[];
  readOnly?: boolean;
  writeOnly?: boolean;
}

export type SchemaOrBoolean = Schema | boolean;

/** `$ref`s in a row and `allOf`s in each other are followed this deep; a schema that needs more refers to itself. */
const DEEPEST = 16;

/**
 * The schema without `$ref` and `allOf`: one set of keywords, where two say different things the narrower of them.
 * `anyOf` and `oneOf` stay. Deeper schemas keep their references, so that a recursive one is not endless.
 */
export function flatten(document: JsonObject, schema: SchemaOrBoolean | undefined, depth = 0): Schema {
  if (schema === undefined || typeof schema === 'boolean') return {};
  if (depth > DEEPEST) return {};
  const { $ref, allOf, ...own } = schema;
  let merged: Schema = own;
  if ($ref !== undefined) {
    const target = atPointer(document, $ref);
    if (isObject(target)) merged = merge(flatten(document, target, depth + 1), merged);
  }
  for (const part of allOf ?? []) merged = merge(merged, flatten(document, part, depth + 1));
  return merged;
}

/** The alternatives of a schema, each without `anyOf` and `oneOf`; the schema itself where it has none. */
export function branches(document: JsonObject, schema: SchemaOrBoolean | undefined, depth = 0): Schema[] {
  const { anyOf, oneOf, ...rest } = flatten(document, schema);
  const alternatives = [...(anyOf ?? []), ...(oneOf ?? [])];
  if (alternatives.length === 0 || depth > DEEPEST) return [rest];
  return alternatives.flatMap((alternative) =>
    branches(document, alternative, depth + 1).map((branch) => merge(rest, branch)),
  );
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
  if (a.uniqueItems === true) merged.uniqueItems = true;
  if (a.enum && b.enum) merged.enum = a.enum.filter((value) => b.enum?.includes(value));
  return merged;
}

/** The JSON types that a flattened schema allows: what it says, else what its keywords are about, else any. */
export function typesOf(schema: Schema): string[] {
  if (schema.type !== undefined) return typeof schema.type === 'string' ? [schema.type] : schema.type;
  const values = schema.const !== undefined ? [schema.const] : schema.enum;
  if (values) return [...new Set(values.map(typeOf))];
  const about = (...keywords: (keyof Schema)[]) => keywords.some((keyword) => schema[keyword] !== undefined);
  if (about('properties', 'required', 'additionalProperties', 'propertyNames', 'minProperties', 'maxProperties'))
    return ['object'];
  if (about('items', 'minItems', 'maxItems', 'uniqueItems')) return ['array'];
  if (about('pattern', 'format', 'minLength', 'maxLength')) return ['string'];
  if (about('minimum', 'maximum')) return ['number'];
  return [];
}

export function typeOf(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'number' && Number.isInteger(value) ? 'integer' : typeof value;
}
