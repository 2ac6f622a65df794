import { restateDiscriminators } from './discriminators.js';
import { drop, isObject, type Json, type JsonObject, memberOf, textOf } from './json.js';
import { referred } from './references.js';
import { documentPlace, eachPart } from './shape.js';

/** Which JSON a schema describes. Requests need no `readOnly` members, answers no `writeOnly` members. */
export type Direction = 'request' | 'response';

/**
 * How to read what OpenAPI does not define. `wide` allows what some server may accept, `strict` only what every server
 * must accept. A request that only fits `wide` is unclear; an answer may fit either.
 */
export type Reading = 'strict' | 'wide';

/** Keywords of JSON Schema 2020-12 that OpenAPI 3.0 does not have, although documents use them. */
export const NOT_IN_3_0: readonly string[] = (
  'const if then else contains minContains maxContains prefixItems propertyNames patternProperties dependentRequired ' +
  'dependentSchemas unevaluatedItems unevaluatedProperties'
).split(' ');

/**
 * Copies the document and converts every schema to JSON Schema 2020-12, for one direction and reading. Converts what
 * differs in 3.0: `nullable`, boolean `exclusiveMinimum` and `exclusiveMaximum`, and siblings of `$ref`, which 3.0
 * ignores. References must be resolved before.
 */
export function normalise(document: JsonObject, direction: Direction, reading: Reading): JsonObject {
  const copy = structuredClone(document);
  const old = textOf(document['openapi']).startsWith('3.0');
  const hidden = direction === 'request' ? 'readOnly' : 'writeOnly';
  // First, because the next step removes what branches say of their members.
  eachPart(documentPlace(copy), ({ node, kind }) => {
    if (kind === 'schema') relaxRequired(copy, node, hidden, old && reading === 'strict');
  });
  eachPart(documentPlace(copy), ({ node, kind }) => {
    if (kind !== 'schema') return;
    if (old && typeof node['$ref'] === 'string')
      drop(
        node,
        Object.keys(node).filter((name) => name !== '$ref'),
      );
    if (old) restateBounds(node);
    if (old && reading === 'wide') drop(node, [...NOT_IN_3_0]);
    restateNull(node, old, reading);
    if (direction === 'request' && reading === 'strict') forbidHidden(copy, node, hidden);
  });
  if (reading === 'strict') restateDiscriminators(copy);
  return copy;
}

/** Removes hidden members from `required` in every branch of an `allOf`. */
function relaxRequired(document: JsonObject, schema: JsonObject, hidden: string, byTheLetter: boolean): void {
  const family = branchesOf(document, schema);
  if (!family.some(({ required }) => Array.isArray(required))) return;
  const isHidden = (name: Json) =>
    typeof name === 'string' &&
    family.some((branch) => {
      const property = memberOf(branch['properties'], name);
      return isHiddenMember(document, property, hidden, byTheLetter);
    });
  for (const branch of family) {
    const { required } = branch;
    if (Array.isArray(required)) branch['required'] = required.filter((name) => !isHidden(name));
  }
}

/** With `byTheLetter`, siblings of `$ref` are ignored, as 3.0 says. */
function isHiddenMember(
  document: JsonObject,
  property: Json | undefined,
  hidden: string,
  byTheLetter: boolean,
): boolean {
  if (!isObject(property)) return false;
  if (property[hidden] === true && !(byTheLetter && '$ref' in property)) return true;
  return referred(document, property)?.[hidden] === true;
}

/** A schema and all schemas that `allOf` and `$ref` add to it. */
function branchesOf(document: JsonObject, schema: JsonObject): JsonObject[] {
  const found = new Set<JsonObject>();
  const add = (node: Json | undefined, depth: number) => {
    const branch = referred(document, node);
    if (branch === undefined || found.has(branch) || depth > 8) return;
    found.add(branch);
    if (isObject(node)) found.add(node);
    for (const part of Array.isArray(branch['allOf']) ? branch['allOf'] : []) add(part, depth + 1);
  };
  add(schema, 0);
  return [...found];
}

/** OpenAPI says that hidden members SHOULD NOT be sent, so a server may reject them. */
function forbidHidden(document: JsonObject, { properties }: JsonObject, hidden: string): void {
  if (!isObject(properties)) return;
  for (const [name, property] of Object.entries(properties))
    if (isHiddenMember(document, property, hidden, true)) properties[name] = false;
}

/** By 3.0.3, `nullable` does nothing without `type` and does not extend `enum`; many documents assume that it does. */
function restateNull(schema: JsonObject, old: boolean, reading: Reading): void {
  const { nullable, type } = schema;
  delete schema['nullable'];
  if (nullable !== true || (!old && reading === 'strict')) return;
  if (typeof type === 'string') schema['type'] = [type, 'null'];
  if (reading === 'strict') return;
  if (Array.isArray(schema['enum']) && !schema['enum'].includes(null)) schema['enum'] = [...schema['enum'], null];
  if (!['allOf', 'oneOf', 'anyOf'].some((name) => name in schema)) return;
  const { discriminator, ...rest } = schema;
  drop(schema, Object.keys(rest));
  Object.assign(schema, { anyOf: [rest, { type: 'null' }] }, discriminator === undefined ? {} : { discriminator });
}

/** Converts `minimum: 1, exclusiveMinimum: true` of 3.0 to `exclusiveMinimum: 1`. */
function restateBounds(schema: JsonObject): void {
  for (const [flag, bound] of [
    ['exclusiveMinimum', 'minimum'],
    ['exclusiveMaximum', 'maximum'],
  ] as const) {
    const { [flag]: exclusive, [bound]: limit } = schema;
    if (typeof exclusive !== 'boolean') continue;
    drop(schema, [flag]);
    if (!exclusive || limit === undefined) continue;
    drop(schema, [bound]);
    schema[flag] = limit;
  }
}
