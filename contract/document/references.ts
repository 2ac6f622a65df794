import { bindDynamicReferences } from './dynamic.js';
import { atPointer, drop, isObject, type Json, type JsonObject, memberOf, textOf } from './json.js';
import { canonical, childOf, indexOf, NOWHERE, targetOf } from './reference-index.js';
import { documentPlace, eachPart, fragment, type Place } from './shape.js';

/** A reference that leads to nothing in the document. */
export interface Dangling {
  pointer: string;
  reference: string;
}

export interface Unresolved {
  /** The references that lead to nothing. */
  dangling: Dangling[];
  /** The dynamic references of which one resource has several anchors, so that their target is not defined. */
  dynamic: Dangling[];
}

/**
 * Rewrites every reference as a JSON pointer from the root of the document, and removes `$id`, `$anchor` and
 * `$dynamicRef`. Changes the document.
 */
export function resolveReferences(document: JsonObject): Unresolved {
  const modern = !textOf(document['openapi']).startsWith('3.0');
  const index = indexOf(document, modern);
  if (modern) bindDynamicReferences(document, index);
  const dangling: Dangling[] = [];
  const open: Dangling[] = [];
  const known = new Set<JsonObject>();
  const adopted: Place[] = [];

  function restate(place: Place): void {
    const { node, pointer, kind } = place;
    known.add(node);
    const dynamic = modern && kind === 'schema' ? node['$dynamicRef'] : undefined;
    if (typeof dynamic === 'string') {
      delete node['$dynamicRef'];
      // One that is not bound by now has several anchors in one resource, so any value is allowed.
      if ((index.dynamic.get(dynamic.replace(/^.*#/, '')) ?? 0) <= 1) node['$ref'] ??= dynamic;
      else open.push({ pointer, reference: dynamic });
    }
    if (typeof node['$ref'] !== 'string') return;
    const base = index.bases.get(node) ?? NOWHERE;
    const target = kind === 'schema' ? targetOf(node['$ref'], base, index) : node['$ref'];
    const found = target?.startsWith('#') === true ? atPointer(document, target) : undefined;
    if (target === undefined || found === undefined) {
      dangling.push({ pointer, reference: node['$ref'] });
      return;
    }
    node['$ref'] = canonical(target);
    if (kind === 'schema' && isObject(found) && !index.places.has(found)) node['$ref'] = adopt(found, target);
  }

  /** Copies a schema from elsewhere, such as from an extension, into the schemas of the document. */
  function adopt(schema: JsonObject, target: string): string {
    const components = childOf(document, 'components');
    const schemas = childOf(components, 'schemas');
    const name = target.slice(2).replaceAll('/', '.');
    const pointer = `#/components/schemas/${fragment(name)}`;
    if (!Object.hasOwn(schemas, name)) {
      schemas[name] = schema;
      adopted.push({ node: schema, pointer, kind: 'schema' });
    }
    return pointer;
  }

  eachPart(documentPlace(document), restate);
  for (let place = adopted.pop(); place !== undefined; place = adopted.pop())
    eachPart(place, (part) => {
      if (!known.has(part.node)) restate(part);
    });
  if (modern)
    eachPart(documentPlace(document), ({ node, kind }) => {
      if (kind !== 'schema') return;
      drop(node, ['$id', '$anchor', '$dynamicAnchor', '$schema', '$vocabulary']);
    });
  return { dangling, dynamic: open };
}

/** The schema that a chain of references leads to, or the schema itself; undefined if the chain leads to nothing. */
export function referred(document: JsonObject, schema: Json | undefined): JsonObject | undefined {
  let node = schema;
  for (let steps = 0; steps < 16; steps++) {
    const reference = memberOf(node, '$ref');
    if (typeof reference !== 'string') break;
    node = atPointer(document, reference);
  }
  return isObject(node) ? node : undefined;
}
