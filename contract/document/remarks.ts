import { isObject, type JsonObject, textOf } from './json.js';
import { NOT_IN_3_0 } from './normalise.js';
import { toRegExp } from './pattern.js';
import type { Dangling } from './references.js';
import { documentPlace, eachPart } from './shape.js';

/** Most examples in a line. */
const MOST = 3;

/** What in a document is not validated because the standard does not define it, one line for each kind. */
export function remarksOf(document: JsonObject, dynamic: Dangling[]): string[] {
  const patterns = new Map<string, string>();
  const keywords = new Map<string, string>();
  const old = textOf(document['openapi']).startsWith('3.0');
  eachPart(documentPlace(document), ({ node, kind, pointer }) => {
    if (kind !== 'schema') return;
    const names = isObject(node['patternProperties']) ? Object.keys(node['patternProperties']) : [];
    for (const pattern of [node['pattern'], ...names])
      if (typeof pattern === 'string' && toRegExp(pattern) === undefined && !patterns.has(pattern))
        patterns.set(pattern, pointer);
    for (const name of old ? NOT_IN_3_0 : []) if (name in node && !keywords.has(name)) keywords.set(name, pointer);
  });
  return [
    ...line(patterns, 'patterns that are not ECMA-262 are not validated'),
    ...line(
      new Map(dynamic.map(({ pointer, reference }) => [reference, pointer])),
      'a $dynamicRef is not followed where one resource has its $dynamicAnchor several times, so any value is valid there',
    ),
    ...line(keywords, 'keywords that OpenAPI 3.0 does not have are not validated in answers'),
  ];
}

function line(found: Map<string, string>, what: string): string[] {
  if (found.size === 0) return [];
  const shown = [...found].slice(0, MOST).map(([name, pointer]) => `${name} at ${pointer}`);
  const rest = found.size - shown.length;
  return [`${what}: ${shown.join(', ')}${rest > 0 ? `, and ${String(rest)} more` : ''}`];
}
