import { atPointer, isObject, type Json, type JsonObject, memberOf, membersOf } from './json.js';
import type { Link, Operation, Spec } from './model.js';
import { successOf } from './model.js';
import { isOwnCredential, sameName } from './names.js';

/** The request and the answer that a runtime expression of a link refers to. */
export interface LinkSource {
  path: Record<string, Json>;
  query: Record<string, Json>;
  requestBody: Json | undefined;
  value: Json | undefined;
  headers: Record<string, string | string[] | undefined>;
}

/** The value of a runtime expression, or of a literal; undefined if the expression refers to nothing. */
export function evaluate(expression: Json, source: LinkSource): Json | undefined {
  if (Array.isArray(expression)) return expression.map((item) => evaluate(item, source) ?? null);
  if (isObject(expression)) {
    const members = Object.entries(expression).map(
      ([name, member]) => [name, evaluate(member, source) ?? null] as const,
    );
    return Object.fromEntries(members);
  }
  if (typeof expression !== 'string') return expression;
  const embedded = /^\{(\$[^}]+)\}$/.exec(expression)?.[1] ?? expression;
  const [, side, place = '', rest = ''] = /^\$(request|response)\.(body|path|query|header)(.*)$/.exec(embedded) ?? [];
  if (side === undefined) return expression;
  const name = rest.replace(/^\./, '');
  if (place === 'path' || place === 'query') return memberOf(source[place], name);
  if (place === 'header') return [source.headers[name.toLowerCase()]].flat()[0];
  const body = side === 'request' ? source.requestBody : source.value;
  return body === undefined ? undefined : atPointer(body, rest);
}

/** The operation that creates what another works on, and the link between them, if there is one. */
export interface Origin {
  creator: Operation;
  link: Link | undefined;
}

/** Cached, because every request asks for them and they never change. */
const origins = new WeakMap<Spec, Map<Operation, Origin | undefined>>();
const makers = new WeakMap<Spec, Operation[]>();

/** Finds what creates the thing that `operation` works on: by a link, else by the path of the collection, else by its own path. */
export function originOf(spec: Spec, operation: Operation): Origin | undefined {
  const known = origins.get(spec) ?? new Map<Operation, Origin | undefined>();
  origins.set(spec, known);
  if (!known.has(operation)) known.set(operation, findOrigin(spec, operation));
  return known.get(operation);
}

function findOrigin(spec: Spec, operation: Operation): Origin | undefined {
  const names = pathNames(operation);
  if (names.length === 0) return undefined;
  const creators = makers.get(spec) ?? spec.operations.filter(mayMake);
  makers.set(spec, creators);
  for (const creator of creators) {
    if (creator === operation || pathNames(creator).length >= names.length) continue;
    const link = successOf(creator)?.links.find(
      ({ operationId, parameters }) =>
        operationId === operation.id &&
        Object.keys(parameters).some((name) => names.includes(name.replace(/^path\./, ''))),
    );
    if (link) return { creator, link };
  }
  const collection = collectionOf(operation);
  const creator = creators.find((each) => trimmed(each.path) === collection) ?? spec.operations.find(putsAt(operation));
  return creator && creator !== operation ? { creator, link: undefined } : undefined;
}

/** Whether an operation creates a thing at the very path of `operation`, under an id that its caller chooses. */
function putsAt({ path }: Operation): (each: Operation) => boolean {
  return ({ method, path: other, answers }) =>
    method === 'PUT' && other === path && answers.some(({ status }) => status === '201');
}

/** Whether an operation creates things. A rotation of the caller's own credential has links but creates nothing. */
function mayMake({ id, method, path }: Operation): boolean {
  return method === 'POST' && !isOwnCredential(id) && !isOwnCredential(path);
}

/** The part of an operation's path before its last parameter, without the trailing slash. */
export function collectionOf({ path }: Operation): string {
  return trimmed(path.slice(0, Math.max(0, path.lastIndexOf('{'))));
}

/** The GET at the collection path of an operation, such as `/tokens` for `/tokens/{id}`; undefined if there is none. */
export function listOf(spec: Spec, operation: Operation): Operation | undefined {
  const collection = collectionOf(operation);
  return spec.operations.find(({ method, path }) => method === 'GET' && trimmed(path) === collection);
}

export function trimmed(path: string): string {
  return path.replace(/\/+$/, '');
}

export function pathNames({ parameters }: Operation): string[] {
  return parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
}

/** Whether an operation works on one whole thing of a collection: its path ends with a parameter. */
export function isItemOperation({ path }: Operation): boolean {
  return /\}\/?$/.test(path);
}

/** The path parameter that identifies a thing of a list; `id` if the document has no operation on one thing. */
export function idNameOf(spec: Spec, list: Operation): string {
  const item = spec.operations.find((each) => isItemOperation(each) && collectionOf(each) === trimmed(list.path));
  return (item && pathNames(item).at(-1)) ?? 'id';
}

const OWN_ID = /^_?(id|uuid|guid|key|slug)$/i;
/** No path leads to an empty text. */
const isId = (member: Json) => (typeof member === 'string' && member !== '') || typeof member === 'number';

/** The thing in an answer: the object with an id, either the answer or one of its members; else the whole answer. */
export function thingIn(value: Json | undefined): JsonObject | undefined {
  if (!isObject(value)) return undefined;
  const hasId = (object: JsonObject) =>
    Object.entries(object).some(([name, inner]) => OWN_ID.test(name) && isId(inner));
  if (hasId(value)) return value;
  return Object.values(value).find((member): member is JsonObject => isObject(member) && hasId(member)) ?? value;
}

/** The value for a path parameter in a created or listed thing: the member of that name, else the thing's id. */
export function identify(value: Json | undefined, name: string): Json | undefined {
  if (!isObject(value)) return undefined;
  const members = Object.entries(value);
  const named = members.find(([member, inner]) => sameName(member, name) && isId(inner));
  if (named) return named[1];
  // An answer that wraps its one thing in a list may have an id of its own.
  for (const [, inner] of members) {
    const [row, ...more] = Array.isArray(inner) ? inner : [];
    const inRow = membersOf(more.length === 0 ? row : undefined);
    const wrapped = inRow.find(([member, each]) => sameName(member, name) && isId(each));
    if (wrapped && !OWN_ID.test(name)) return wrapped[1];
  }
  const own = members.find(([member, inner]) => OWN_ID.test(member) && isId(inner));
  if (own) return own[1];
  for (const [, inner] of members) {
    const found = isObject(inner) ? identify(inner, name) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}
