import { atPointer, isObject, type Json, type JsonObject } from './json.js';

/**
 * Creates a function that tells whether the schema at a pointer, with all that it refers to, is the same in two
 * documents of the same form. Each place is visited about once, however many pointers are asked about.
 */
export function createTwins(first: JsonObject, second: JsonObject): (pointer: string) => boolean {
  const different = new Set<Json>();
  compare(first, second, different);
  const same = new Set<Json>();
  return (pointer) => {
    if (different.size === 0) return true;
    const seen = new Set<Json>();
    const waiting = [atPointer(first, pointer)];
    while (waiting.length > 0) {
      const node = waiting.pop();
      if (typeof node !== 'object' || node === null || same.has(node) || seen.has(node)) continue;
      if (different.has(node)) return false;
      seen.add(node);
      waiting.push(...Object.values(node));
      const reference = isObject(node) ? node['$ref'] : undefined;
      if (typeof reference === 'string') waiting.push(atPointer(first, reference));
    }
    for (const node of seen) same.add(node);
    return true;
  };
}

/** Collects the objects and lists of `first` that differ from those at the same place of `second`. */
function compare(first: Json, second: Json | undefined, different: Set<Json>): void {
  if (typeof first !== 'object' || first === null) return;
  if (typeof second !== 'object' || second === null) {
    different.add(first);
    return;
  }
  const members = Object.entries(first);
  const others = second as Record<string, Json>;
  if (members.length !== Object.keys(second).length) different.add(first);
  for (const [name, member] of members) {
    const other = others[name];
    if (typeof member === 'object' && member !== null && typeof other === 'object' && other !== null)
      compare(member, other, different);
    else if (member !== other) different.add(first);
  }
}
