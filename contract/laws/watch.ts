import type { Finding } from '../checks/answer.js';
import { isObject, type Json, type JsonObject, memberOf, sameJson } from '../document/json.js';
import type { Operation } from '../document/model.js';
import type { Answer } from '../http/send.js';
import type { Laws } from './types.js';

/** Checks the laws about every answer: the headers that it must have, and the members that never change. */
export interface Watch {
  look(operation: Operation, answer: Answer, value: Json | undefined): Finding[];
}

export function createWatch({ headers = [], constants = [] }: Laws = {}): Watch {
  const known = new Map<string, JsonObject>();

  function changes(operation: Operation, value: Json | undefined): Finding[] {
    return constants
      .filter(({ operations }) => operations.includes(operation.id))
      .flatMap(({ members, id = 'id' }, law) =>
        thingsIn(value, id).flatMap((thing): Finding[] => {
          const key = `${String(law)} ${JSON.stringify(thing[id])}`;
          const before = known.get(key) ?? {};
          known.set(key, { ...thing, ...before });
          return members
            .filter((name) => name in thing && name in before && !sameJson(thing[name], before[name]))
            .map((name) => ({
              check: 'law',
              message: `by a law: ${name} has changed`,
              expected: `${name}: ${JSON.stringify(before[name])}`,
            }));
        }),
      );
  }

  return {
    look: (operation, answer, value) => [
      ...headers
        .filter(({ paths = '' }) => new RegExp(paths).test(operation.path))
        .flatMap(({ name, pattern = '' }): Finding[] => {
          const text = [answer.headers[name.toLowerCase()]].flat().join(', ');
          const isThere = answer.headers[name.toLowerCase()] !== undefined;
          if (isThere && new RegExp(pattern).test(text)) return [];
          const message = isThere ? `by a law: ${name} has a wrong value` : `by a law: an answer lacks ${name}`;
          return [{ check: 'law', message, expected: `${name}${pattern === '' ? '' : ` that matches ${pattern}`}` }];
        }),
      ...(answer.status < 300 ? changes(operation, value) : []),
    ],
  };
}

/** All objects in a value, at any depth, that have the member `id`. */
function thingsIn(value: Json | undefined, id: string): JsonObject[] {
  if (Array.isArray(value)) return value.flatMap((item) => thingsIn(item, id));
  if (!isObject(value)) return [];
  const inner = Object.values(value).flatMap((member) => thingsIn(member, id));
  return memberOf(value, id) === undefined ? inner : [value, ...inner];
}
