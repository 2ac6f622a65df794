import { drop, isObject, type JsonObject } from './json.js';
import type { Direction, Reading } from './normalise.js';
import { toRegExp } from './pattern.js';
import { documentPlace, eachPart, isPart } from './shape.js';

/** The keywords that restrict a value; all others are annotations, data or nested schemas. */
const ASSERTIONS = new Set(
  (
    '$ref type enum const multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern maxItems ' +
    'minItems uniqueItems maxContains minContains maxProperties minProperties required dependentRequired format'
  ).split(' '),
);

/** The bound of integers without one: most databases and languages can store smaller ones. */
const INT32 = 2 ** 31;

/** A copy of the document with only its schemas, each at its pointer, for a validator to compile. */
export function skeletonOf(document: JsonObject, direction: Direction, reading: Reading): JsonObject {
  const bones = structuredClone(document);
  eachPart(documentPlace(bones), ({ node, kind }) => {
    const shown = kind === 'schema' ? examplesOf(node) : [];
    drop(
      node,
      Object.keys(node).filter((name) => !isPart(kind, name) && !(kind === 'schema' && ASSERTIONS.has(name))),
    );
    if (kind !== 'schema') return;
    if (direction === 'request' && reading === 'strict') boundInteger(node);
    replaceForeignPatterns(node, reading, shown);
  });
  return bones;
}

function examplesOf({ example, examples, default: given }: JsonObject): JsonObject[string][] {
  const all = Array.isArray(examples) ? examples : [];
  return [...all, ...(example === undefined ? [] : [example]), ...(given === undefined ? [] : [given])];
}

function boundInteger(schema: JsonObject): void {
  const { type, format } = schema;
  if (!(type === 'integer' || (Array.isArray(type) && type.includes('integer'))) || format === 'int64') return;
  const isOpen = (...names: string[]) => names.every((name) => schema[name] === undefined);
  if (!isOpen('enum') || !isOpen('const')) return;
  if (isOpen('maximum', 'exclusiveMaximum')) schema['maximum'] = Math.max(INT32 - 1, Number(schema['minimum'] ?? 0));
  if (isOpen('minimum', 'exclusiveMinimum')) schema['minimum'] = Math.min(-INT32, Number(schema['maximum'] ?? 0));
}

/**
 * Replaces patterns that are not ECMA-262. In the strict reading only the schema's examples are valid; the wide reading
 * has no restriction.
 */
function replaceForeignPatterns(schema: JsonObject, reading: Reading, shown: JsonObject[string][]): void {
  const { pattern, patternProperties } = schema;
  if (typeof pattern === 'string' && toRegExp(pattern) === undefined) {
    delete schema['pattern'];
    if (reading === 'strict' && !('enum' in schema) && !('const' in schema)) {
      if (shown.length > 0) schema['enum'] = shown;
      else schema['not'] = { type: 'string' };
    }
  }
  if (!isObject(patternProperties)) return;
  const foreign = Object.keys(patternProperties).filter((name) => toRegExp(name) === undefined);
  if (foreign.length === 0) return;
  drop(patternProperties, foreign);
  if (reading === 'wide') drop(schema, ['additionalProperties', 'unevaluatedProperties']);
}
