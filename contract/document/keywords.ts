/** How a keyword contains schemas: one schema, a list of them, or an object of named ones. */
export type SchemaForm = 'one' | 'list' | 'map';

/** The keywords of JSON Schema that apply schemas to a value or to its parts. */
export const APPLICATORS: Readonly<Record<string, SchemaForm>> = {
  properties: 'map',
  patternProperties: 'map',
  dependentSchemas: 'map',
  allOf: 'list',
  anyOf: 'list',
  oneOf: 'list',
  prefixItems: 'list',
  items: 'one',
  additionalProperties: 'one',
  propertyNames: 'one',
  contains: 'one',
  not: 'one',
  if: 'one',
  then: 'one',
  else: 'one',
  unevaluatedItems: 'one',
  unevaluatedProperties: 'one',
};

/** All keywords that contain schemas, also those that other schemas refer to. */
export const SCHEMA_KEYWORDS: Readonly<Record<string, SchemaForm>> = {
  ...APPLICATORS,
  $defs: 'map',
  definitions: 'map',
  contentSchema: 'one',
};
