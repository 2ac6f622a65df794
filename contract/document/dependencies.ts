import type { Draft } from '../http/draft.js';
import { type JsonObject, textOf } from './json.js';
import type { Operation, Parameter } from './model.js';

// Parameters that exclude each other, which OpenAPI has no words for: `x-dependencies: ["ZeroOrOne(owner, externalOwner);"]`, as
// the Inter-parameter Dependency Language for OpenAPI (IDL4OAS) writes it.

const DEPENDENCIES = 'x-dependencies';

/** The groups of parameters of which a request has one at most, by their names. Other dependencies are ignored. */
export function readExclusives({ [DEPENDENCIES]: dependencies }: JsonObject): string[][] {
  if (!Array.isArray(dependencies)) return [];
  return dependencies.flatMap((each) => {
    const [, names] = /^\s*ZeroOrOne\(([^()=<>]+)\)\s*;?\s*$/.exec(textOf(each)) ?? [];
    return names === undefined ? [] : [names.split(',').map((name) => name.trim())];
  });
}

/** What is wrong with a query that has these parameters: each group of which it has several. */
export function excluded({ exclusives }: Operation, query: ReadonlyMap<string, unknown>): string[] {
  const several = exclusives.map((group) => group.filter((name) => query.has(name)));
  return several.flatMap((names) => (names.length > 1 ? [`${names.join(' and ')} exclude each other`] : []));
}

/** Whether a request that has another parameter of the same group already must leave this one out. */
export function isExcluded({ operation: { exclusives }, query }: Draft, { name, in: place }: Parameter): boolean {
  const group = place === 'query' ? exclusives.find((names) => names.includes(name)) : undefined;
  return group?.some((other) => other !== name && Object.hasOwn(query, other)) === true;
}
