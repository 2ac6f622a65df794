import { parse } from 'yaml';
import { isObject, type Json, type JsonObject, memberOf, sameJson, textOf } from '../document/json.js';
import type { ContractOptions } from '../options.js';
import type { Finding } from './answer.js';
import { practice, promises } from './practice.js';

/**
 * Creates a check that an answer which is this OpenAPI document, in JSON or YAML, is the same as `document`, apart from
 * its servers. Another document, with another title or version, is not compared.
 */
export function createPublished(
  options: ContractOptions,
  document: JsonObject,
): (text: string, value: Json | undefined) => Finding[] {
  if (!promises(options, 'published-document')) return () => [];
  const own = structuredClone(document);
  const nameOf = (each: Json | undefined) => [
    memberOf(memberOf(each, 'info'), 'title'),
    memberOf(memberOf(each, 'info'), 'version'),
  ];
  return (text, value) => {
    const told = value ?? (/^openapi:/m.test(text.slice(0, 200)) ? readYaml(text) : undefined);
    if (!isObject(told) || told['openapi'] === undefined || !sameJson(nameOf(told), nameOf(own))) return [];
    const at = difference({ ...own, servers: null }, { ...told, servers: null }, '#');
    if (at === undefined) return [];
    const message = `the published document differs from the one that is tested at ${at}`;
    return [practice(options, 'published-document', 'body', message, 'the same document')];
  };
}

function readYaml(text: string): Json | undefined {
  try {
    return parse(text, { logLevel: 'error', merge: true, maxAliasCount: 10_000 }) as Json;
  } catch {
    return undefined;
  }
}

/** The pointer of the first place where two values differ; undefined if they are equal. */
function difference(a: Json | undefined, b: Json | undefined, at: string): string | undefined {
  if (!isObject(a) || !isObject(b)) return sameJson(a ?? null, b ?? null) ? undefined : at;
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const found = difference(a[name], b[name], `${at}/${textOf(name).replaceAll('~', '~0').replaceAll('/', '~1')}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
