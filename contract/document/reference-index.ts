import { isObject, type JsonObject } from './json.js';
import { documentPlace, type Place, partsOf } from './shape.js';

/** The base URI of a document without one, for relative references. */
export const NOWHERE = 'https://document.invalid/';

export interface Index {
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

export function indexOf(document: JsonObject, modern: boolean): Index {
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
export function targetOf(reference: string, base: string, { resources, anchors }: Index): string | undefined {
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

/** A pointer in a canonical percent-encoding. */
export function canonical(pointer: string): string {
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

export function childOf(parent: JsonObject, name: string): JsonObject {
  const child = parent[name];
  if (isObject(child)) return child;
  const made: JsonObject = {};
  parent[name] = made;
  return made;
}
