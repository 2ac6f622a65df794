import { restateDiscriminators } from './discriminators.js';
import { drop, isObject, type Json, type JsonObject, memberOf, textOf } from './json.js';
import { referred } from './references.js';
import { documentPlace, eachPart } from './shape.js';

/** Whose JSON a schema describes: `readOnly` members are not required of requests, `writeOnly` ones not of answers. */
export type Direction = 'request' | 'response';

/**
 * How what OpenAPI leaves open is read. The wide reading lets pass what some server may take, the strict one only what
 * every server has to: a request that fits the wide one alone is unclear, and an answer may fit either.
 */
export type Reading = 'strict' | 'wide';

/** Keywords of 2020-12 that count for nothing in 3.0 by its letter, though whoever writes them means something. */
export const NOT_IN_3_0: readonly string[] = (
  'const if then else contains minContains maxContains prefixItems propertyNames patternProperties dependentRequired ' +
  'dependentSchemas unevaluatedItems unevaluatedProperties'
).split(' ');

/**
 * A copy of the document with every schema in JSON Schema 2020-12, for one direction and reading. What 3.0 says
 * differently is restated: `nullable`, boolean `exclusiveMinimum` and `exclusiveMaximum`, and that nothing beside a
 * `$ref` counts. References have been resolved before.
 */
export function normalise(document: JsonObject, direction: Direction, reading: Reading): JsonObject {
  const copy = structuredClone(document);
  const old = textOf(document['openapi']).startsWith('3.0');
  const hidden = direction === 'request' ? 'readOnly' : 'writeOnly';
  // First, while each branch still has all that it says of its members.
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

/** Takes hidden members out of `required`, in whichever branch of an `allOf` they are named. */
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

/** `byTheLetter`, what stands beside a `$ref` of 3.0 does not count. */
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

/** A schema and all that it is composed of by `allOf`, what it refers to included. */
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

/** OpenAPI says that hidden members SHOULD not be sent, so that a server may refuse them. */
function forbidHidden(document: JsonObject, { properties }: JsonObject, hidden: string): void {
  if (!isObject(properties)) return;
  for (const [name, property] of Object.entries(properties))
    if (isHiddenMember(document, property, hidden, true)) properties[name] = false;
}

/** `nullable` means nothing without a type, nor does it add to an enum, by the letter of 3.0.3; many mean it all the same. */
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

/** `minimum: 1, exclusiveMinimum: true` of 3.0 is `exclusiveMinimum: 1`. */
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
