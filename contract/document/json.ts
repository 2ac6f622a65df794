export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [name: string]: Json;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The members of `value`; empty if it is not an object. */
export function membersOf(value: unknown): [string, Json][] {
  return isObject(value) ? Object.entries(value) : [];
}

/** An own member of an object; undefined if `value` is not an object or has no such own member. */
export function memberOf(value: unknown, name: string): Json | undefined {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

export function drop(object: JsonObject, names: string[]): void {
  for (const name of names) Reflect.deleteProperty(object, name);
}

/** A value as text for people: a string unchanged, anything else as JSON. */
export function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}

export function escapePointer(segment: string): string {
  return segment.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** The value at a JSON pointer (RFC 6901), plain or as a URI fragment (`#/...`); undefined if there is none. */
export function atPointer(document: Json, pointer: string): Json | undefined {
  let node: Json | undefined = document;
  const plain = pointer.startsWith('#') ? decoded(pointer.slice(1)) : pointer;
  for (const segment of plain.split('/').slice(1)) {
    const name = segment.replaceAll('~1', '/').replaceAll('~0', '~');
    node = Array.isArray(node) ? node[Number(name)] : memberOf(node, name);
  }
  return node;
}

function decoded(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}

/** Whether two values are equal as JSON; the order of members does not matter. */
export function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  );
}
