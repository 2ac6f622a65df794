import { atPointer, drop, isObject, type Json, type JsonObject, memberOf, textOf } from './json.js';
import { documentPlace, eachPart, fragment, type Place, partsOf } from './shape.js';

/** The base URI of a document without one, for relative references. */
const NOWHERE = 'https://document.invalid/';

/** A reference that leads to nothing in the document. */
export interface Dangling {
  pointer: string;
  reference: string;
}

export interface Unresolved {
  /** The references that lead to nothing. */
  dangling: Dangling[];
  /** The dynamic references whose target depends on the referring schema. */
  dynamic: Dangling[];
}

/**
 * Rewrites every reference as a JSON pointer from the root of the document, and removes `$id`, `$anchor` and
 * `$dynamicRef`. Changes the document.
 */
export function resolveReferences(document: JsonObject): Unresolved {
  const modern = !textOf(document['openapi']).startsWith('3.0');
  const index = indexOf(document, modern);
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
      // With several dynamic anchors the target depends on the referring schema, so any value is allowed.
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

/** A pointer in a canonical percent-encoding. */
function canonical(pointer: string): string {
  const decoded = (step: string) => {
    try {
      return decodeURIComponent(step);
    } catch {
      return step;
    }
  };
  const steps = pointer.split('/').slice(1);
  return ['#', ...steps.map((step) => encodeURIComponent(decoded(step)).replaceAll('%24', '$'))].join('/');
}

function childOf(parent: JsonObject, name: string): JsonObject {
  const child = parent[name];
  if (isObject(child)) return child;
  const made: JsonObject = {};
  parent[name] = made;
  return made;
}

interface Index {
  /** Every part of the document. */
  places: Set<JsonObject>;
  /** The base URI of a schema, if it is not that of the document. */
  bases: Map<JsonObject, string>;
  /** The pointers of schemas with an `$id`, and of those with an `$anchor`, by their URI. */
  resources: Map<string, string>;
  anchors: Map<string, string>;
  /** The number of schemas by their `$dynamicAnchor`. */
  dynamic: Map<string, number>;
}

function indexOf(document: JsonObject, modern: boolean): Index {
  const index: Index = {
    places: new Set(),
    bases: new Map(),
    resources: new Map([[NOWHERE, '#']]),
    anchors: new Map(),
    dynamic: new Map(),
  };
  const visit = (place: Place, outer: string): void => {
    const { node, kind, pointer } = place;
    if (index.places.has(node)) return;
    index.places.add(node);
    let base = outer;
    if (modern && kind === 'schema') {
      const { $id: id, $anchor: anchor, $dynamicAnchor: dynamic } = node;
      if (typeof id === 'string' && URL.canParse(id, base)) {
        base = withoutFragment(new URL(id, base).href);
        index.resources.set(base, pointer);
      }
      for (const name of [anchor, dynamic]) if (typeof name === 'string') index.anchors.set(`${base}#${name}`, pointer);
      if (typeof dynamic === 'string') index.dynamic.set(dynamic, (index.dynamic.get(dynamic) ?? 0) + 1);
      if (base !== NOWHERE) index.bases.set(node, base);
    }
    for (const part of partsOf(place)) visit(part, base);
  };
  visit(documentPlace(document), NOWHERE);
  return index;
}

/** The target of a reference as a pointer from the root; undefined if it is not in the document. */
function targetOf(reference: string, base: string, { resources, anchors }: Index): string | undefined {
  if (base === NOWHERE && (reference === '#' || reference.startsWith('#/'))) return reference;
  if (!URL.canParse(reference, base)) return undefined;
  const address = new URL(reference, base);
  const step = address.hash.slice(1);
  const resource = withoutFragment(address.href);
  if (step !== '' && !step.startsWith('/')) return anchors.get(`${resource}#${decodeURIComponent(step)}`);
  const pointer = resources.get(resource);
  return pointer === undefined ? undefined : `${pointer}${step}`;
}

function withoutFragment(address: string): string {
  return address.replace(/#.*$/s, '');
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
