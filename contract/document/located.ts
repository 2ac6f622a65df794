import { atPointer, isObject, type Json, type JsonObject, memberOf, membersOf } from './json.js';
import { fragment } from './shape.js';

// Finds parts of a document by their names, and follows references.

/** A node and its JSON pointer, after references are followed. */
export interface Located {
  node: JsonObject;
  pointer: string;
}

export function examplesOf(document: JsonObject, node: JsonObject): { name: string; value: Json }[] {
  const named = membersOf(node['examples']).flatMap(([name, entry]) => {
    const value = isObject(entry) ? follow(document, { node: entry, pointer: '' }).node['value'] : undefined;
    return value === undefined ? [] : [{ name, value }];
  });
  return node['example'] === undefined ? named : [{ name: 'example', value: node['example'] }, ...named];
}

export function list(document: JsonObject, { node, pointer }: Located, name: string): Located[] {
  const entries = node[name];
  if (!Array.isArray(entries)) return [];
  return entries.map((entry, index) =>
    follow(document, { node: isObject(entry) ? entry : {}, pointer: `${pointer}/${name}/${String(index)}` }),
  );
}

export function child(document: JsonObject, parent: Located, ...names: string[]): Located {
  const pointer = `${parent.pointer}/${names.map(fragment).join('/')}`;
  const node = names.reduce<Json | undefined>(memberOf, parent.node);
  return follow(document, { node: isObject(node) ? node : {}, pointer });
}

export function follow(document: JsonObject, located: Located): Located {
  let { node, pointer } = located;
  for (let steps = 0; typeof node['$ref'] === 'string' && steps < 16; steps++) {
    pointer = node['$ref'];
    const target = atPointer(document, pointer);
    if (!isObject(target)) break;
    node = target;
  }
  return { node, pointer };
}
