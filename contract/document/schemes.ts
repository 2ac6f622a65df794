import { atPointer, isObject, type JsonObject, membersOf, textOf } from './json.js';
import { follow } from './located.js';
import type { SecurityScheme } from './model.js';

/** The security schemes of a document, by their names. */
export function readSchemes(document: JsonObject): Map<string, SecurityScheme> {
  const schemes = membersOf(atPointer(document, '#/components/securitySchemes')).map(([name, entry]) => {
    const scheme = isObject(entry) ? follow(document, { node: entry, pointer: '' }).node : {};
    const field = typeof scheme['name'] === 'string' ? scheme['name'] : 'Authorization';
    return [name, { name, field, kind: schemeKind(scheme) }] as const;
  });
  return new Map(schemes);
}

function schemeKind(scheme: JsonObject): SecurityScheme['kind'] {
  const place = scheme['in'];
  if (scheme['type'] === 'oauth2' || scheme['type'] === 'openIdConnect') return 'bearer';
  if (scheme['type'] === 'apiKey')
    return place === 'header' || place === 'query' || place === 'cookie' ? place : 'unsupported';
  const http = scheme['type'] === 'http' ? textOf(scheme['scheme']).toLowerCase() : '';
  return http === 'bearer' || http === 'basic' ? http : 'unsupported';
}
