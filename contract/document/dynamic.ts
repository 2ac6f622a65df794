import { atPointer, isObject, type JsonObject, memberOf } from './json.js';
import { canonical, childOf, type Index, NOWHERE, targetOf } from './reference-index.js';
import { documentPlace, eachPart, fragment, type Place, partsOf } from './shape.js';

// A `$dynamicRef` leads to the schema that the outermost of the referring resources has under that `$dynamicAnchor` (JSON Schema
// Core, section 8.2.3.2). So what a resource with a `$dynamicRef` means depends on who refers to it. Each such meaning becomes a
// schema of its own here, after which all references are ordinary ones.

/** The pointer that each dynamic anchor leads to. */
type Scope = ReadonlyMap<string, string>;

/** Most schemas that are made. A document that needs more has its other dynamic references followed as ordinary ones. */
const MOST_COPIES = 500;

/** Replaces each `$dynamicRef`, unless one resource has its anchor twice. Changes the document and the index. */
export function bindDynamicReferences(document: JsonObject, index: Index): void {
  const names = new Set([...index.dynamic].filter(([, count]) => count > 1).map(([name]) => name));
  if (names.size === 0) return;
  const original = structuredClone(document);
  const schemas = childOf(childOf(document, 'components'), 'schemas');
  const bases = new Map<string, string>();
  const anchors = anchorsOf(document, index, names, bases);
  if (names.size === 0) return;
  const scopes = new Map<string, string>();
  const copies = new Map<string, string>();
  const answers = new Map<string, boolean>();

  /** The scope within a resource: anchors of the resources outside come first. */
  function within(outer: Scope, pointer: string): Scope {
    const own = anchors.get(bases.get(pointer) ?? NOWHERE) ?? [];
    return new Map([...own, ...outer].filter(([name]) => names.has(name)));
  }

  function target(reference: unknown, { pointer }: Place): string | undefined {
    const found = typeof reference === 'string' ? targetOf(reference, bases.get(pointer) ?? NOWHERE, index) : undefined;
    const plain = found === undefined ? undefined : canonical(found);
    return plain !== undefined && bases.has(plain) ? plain : undefined;
  }

  /** Whether the meaning of a schema depends on who refers to it. */
  function depends(pointer: string, seen = new Set<string>()): boolean {
    const known = answers.get(pointer);
    if (known !== undefined || seen.has(pointer)) return known === true;
    seen.add(pointer);
    const visit = (place: Place): boolean => {
      const { $ref: plain, $dynamicRef: dynamic } = place.node;
      if (typeof dynamic === 'string' && names.has(nameOf(dynamic))) return true;
      const next = [target(plain, place), target(dynamic, place)];
      return next.some((each) => each !== undefined && depends(each, seen)) || partsOf(place).some(visit);
    };
    const node = atPointer(original, pointer);
    const answer = isObject(node) && visit({ node, pointer, kind: 'schema' });
    // Within a ring of references only the first question has the whole answer.
    if (answer || seen.size === 1) answers.set(pointer, answer);
    return answer;
  }

  /** The pointer of the schema at `pointer` as it is when a schema in this scope refers to it. */
  function enter(pointer: string, outer: Scope): string {
    if (!depends(pointer)) return pointer;
    const key = keyOf(within(outer, pointer));
    if (scopes.get(pointer) === key) return pointer;
    const known = copies.get(`${pointer} ${key}`);
    const node = atPointer(original, pointer);
    if (known !== undefined || copies.size >= MOST_COPIES || !isObject(node)) return known ?? pointer;
    const name = `${pointer.slice(2).replaceAll('/', '.')}~${String(copies.size + 1)}`;
    const copy = structuredClone(node);
    const at = `#/components/schemas/${fragment(name)}`;
    schemas[name] = copy;
    copies.set(`${pointer} ${key}`, at);
    bind({ node: copy, pointer, kind: 'schema' }, outer);
    return at;
  }

  /** Binds the references of a schema and of its parts; `pointer` is that of the original. */
  function bind(place: Place, outer: Scope): void {
    const { node, pointer } = place;
    const scope = within(outer, pointer);
    const { $ref: plain, $dynamicRef: dynamic } = node;
    const next = target(plain, place);
    if (next !== undefined) node['$ref'] = enter(next, scope);
    const first = typeof dynamic === 'string' && isBound(dynamic) ? target(dynamic, place) : undefined;
    if (first !== undefined && typeof dynamic === 'string') {
      const anchor = nameOf(dynamic);
      const isDynamic = memberOf(atPointer(original, first), '$dynamicAnchor') === anchor;
      const reference = enter((isDynamic ? scope.get(anchor) : undefined) ?? first, scope);
      delete node['$dynamicRef'];
      if (plain === undefined) node['$ref'] = reference;
      else node['allOf'] = [...(Array.isArray(node['allOf']) ? node['allOf'] : []), { $ref: reference }];
    }
    for (const part of partsOf(place)) bind(part, scope);
    index.places.add(node);
    // Its references are pointers now.
    if (plain === undefined || next !== undefined) index.bases.delete(node);
  }

  /** Whether the target of a dynamic reference is defined. */
  const isBound = (reference: string) =>
    names.has(nameOf(reference)) || (index.dynamic.get(nameOf(reference)) ?? 0) < 2;

  const roots: Place[] = [];
  eachPart(documentPlace(document), (place) => {
    if (place.kind !== 'schema') roots.push(...partsOf(place).filter(({ kind }) => kind === 'schema'));
  });
  const note = (place: Place, outer: Scope): void => {
    const scope = within(outer, place.pointer);
    scopes.set(place.pointer, keyOf(scope));
    for (const part of partsOf(place)) note(part, scope);
  };
  for (const root of roots) note(root, new Map());
  for (const root of roots) bind(root, new Map());
}

/** The dynamic anchors by the base URI of their resource. Takes those out of `names` that one resource has twice. */
function anchorsOf(
  document: JsonObject,
  index: Index,
  names: Set<string>,
  bases: Map<string, string>,
): Map<string, Map<string, string>> {
  const anchors = new Map<string, Map<string, string>>();
  eachPart(documentPlace(document), ({ node, kind, pointer }) => {
    if (kind !== 'schema') return;
    const base = index.bases.get(node) ?? NOWHERE;
    bases.set(pointer, base);
    const { $dynamicAnchor: name } = node;
    if (typeof name !== 'string') return;
    const own = anchors.get(base) ?? new Map<string, string>();
    if (own.has(name)) names.delete(name);
    anchors.set(base, own.set(name, pointer));
  });
  return anchors;
}

const nameOf = (reference: string) => reference.replace(/^.*#/s, '');
const keyOf = (scope: Scope) => JSON.stringify([...scope].sort());
