import { atPointer, isObject, type Json, type JsonObject, memberOf, textOf } from './json.js';

/** Whose JSON a schema describes: `readOnly` members are not required of requests, `writeOnly` ones not of answers. */
export type Direction = 'request' | 'response';

/** Members whose values are data, not parts of the document, where they are keywords at all. */
const DATA = new Set(['example', 'examples', 'default', 'enum', 'const', 'value']);
/** Members whose own members are names that somebody chose, so that none of them is a keyword. */
const NAMES = new Set([
  'properties',
  'patternProperties',
  'dependentSchemas',
  '$defs',
  'definitions',
  'schemas',
  'responses',
  'parameters',
  'requestBodies',
  'headers',
  'paths',
  'content',
  'links',
  'callbacks',
]);

/**
 * The document with every schema in JSON Schema 2020-12, for one direction. What 3.0 says differently is restated:
 * `nullable`, boolean `exclusiveMinimum` and `exclusiveMaximum`, and that nothing beside a `$ref` counts.
 */
export function normalise(document: JsonObject, direction: Direction): JsonObject {
  const old = textOf(document['openapi']).startsWith('3.0');
  const hidden = direction === 'request' ? 'readOnly' : 'writeOnly';

  function walk(node: Json, keywords: boolean): Json {
    if (Array.isArray(node)) return node.map((item) => walk(item, true));
    if (!isObject(node)) return node;
    if (old && keywords && typeof node['$ref'] === 'string') return { $ref: node['$ref'] };
    const copy: JsonObject = {};
    for (const [name, value] of Object.entries(node)) {
      copy[name] = keywords && DATA.has(name) ? value : walk(value, !(keywords && NAMES.has(name)));
    }
    if (!keywords) return copy;
    relaxRequired(copy, node);
    return old ? restate(copy) : copy;
  }

  function relaxRequired(copy: JsonObject, { required, properties }: JsonObject): void {
    if (!Array.isArray(required) || !isObject(properties)) return;
    copy['required'] = required.filter((name) => !isHidden(memberOf(properties, textOf(name)), hidden, document));
  }

  return walk(document, true) as JsonObject;
}

function isHidden(schema: Json | undefined, keyword: string, document: JsonObject): boolean {
  if (!isObject(schema)) return false;
  if (schema[keyword] === true) return true;
  return typeof schema['$ref'] === 'string' && memberOf(atPointer(document, schema['$ref']), keyword) === true;
}

function restate(original: JsonObject): Json {
  const schema = restateBound(restateBound(original, 'exclusiveMinimum', 'minimum'), 'exclusiveMaximum', 'maximum');
  if (typeof schema['nullable'] !== 'boolean') return schema;
  const { nullable, ...rest } = schema;
  if (!nullable) return rest;
  if (typeof rest['type'] === 'string') {
    rest['type'] = [rest['type'], 'null'];
    if (Array.isArray(rest['enum']) && !rest['enum'].includes(null)) rest['enum'] = [...rest['enum'], null];
    return rest;
  }
  return 'allOf' in rest || 'oneOf' in rest || 'anyOf' in rest ? { anyOf: [rest, { type: 'null' }] } : rest;
}

/** `minimum: 1, exclusiveMinimum: true` of 3.0 is `exclusiveMinimum: 1`. */
function restateBound(schema: JsonObject, flag: string, bound: string): JsonObject {
  const { [flag]: exclusive, [bound]: limit, ...rest } = schema;
  if (typeof exclusive !== 'boolean') return schema;
  if (limit === undefined) return rest;
  return { ...rest, [exclusive ? flag : bound]: limit };
}
