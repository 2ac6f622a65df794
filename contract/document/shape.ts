import { escapePointer, isObject, type Json, type JsonObject } from './json.js';
import { SCHEMA_KEYWORDS, type SchemaForm } from './keywords.js';

/** The kind of an object in an OpenAPI document; members that `SHAPES` does not list are data. */
type Kind =
  | 'document'
  | 'components'
  | 'pathItem'
  | 'operation'
  | 'callback'
  | 'parameter'
  | 'body'
  | 'media'
  | 'encoding'
  | 'response'
  | 'schema';

type Member = readonly [SchemaForm, Kind];

const one = (kind: Kind): Member => ['one', kind];
const list = (kind: Kind): Member => ['list', kind];
const map = (kind: Kind): Member => ['map', kind];

const OPERATION = one('operation');
const SCHEMA = one('schema');

/** The members of each kind that may contain schemas. */
const SHAPES: Record<Kind, Readonly<Record<string, Member>>> = {
  document: { paths: map('pathItem'), webhooks: map('pathItem'), components: one('components') },
  components: {
    schemas: map('schema'),
    responses: map('response'),
    parameters: map('parameter'),
    requestBodies: map('body'),
    headers: map('parameter'),
    callbacks: map('callback'),
    pathItems: map('pathItem'),
  },
  pathItem: {
    parameters: list('parameter'),
    get: OPERATION,
    put: OPERATION,
    post: OPERATION,
    delete: OPERATION,
    options: OPERATION,
    head: OPERATION,
    patch: OPERATION,
    trace: OPERATION,
  },
  operation: {
    parameters: list('parameter'),
    requestBody: one('body'),
    responses: map('response'),
    callbacks: map('callback'),
  },
  callback: {},
  parameter: { schema: SCHEMA, content: map('media') },
  body: { content: map('media') },
  media: { schema: SCHEMA, encoding: map('encoding') },
  encoding: { headers: map('parameter') },
  response: { headers: map('parameter'), content: map('media') },
  schema: Object.fromEntries(Object.entries(SCHEMA_KEYWORDS).map(([name, form]) => [name, [form, 'schema']])),
};

export interface Place {
  node: JsonObject;
  /** As a URI fragment, `#/...`. */
  pointer: string;
  kind: Kind;
}

/** The direct parts of a place. */
export function partsOf({ node, pointer, kind }: Place): Place[] {
  const parts: Place[] = [];
  const add = (value: Json | undefined, at: string, of: Kind) => {
    if (isObject(value)) parts.push({ node: value, pointer: at, kind: of });
  };
  for (const [name, value] of Object.entries(node)) {
    const at = `${pointer}/${fragment(name)}`;
    const member: Member | undefined = kind === 'callback' ? one('pathItem') : memberOf(kind, name);
    if (member === undefined) continue;
    const [form, of] = member;
    if (Array.isArray(value)) {
      // Before 2020-12 `items` could be a list of schemas.
      for (const [index, item] of value.entries()) add(item, `${at}/${String(index)}`, of);
    } else if (form === 'map' && isObject(value)) {
      for (const [key, inner] of Object.entries(value)) add(inner, `${at}/${fragment(key)}`, of);
    } else if (form === 'one') add(value, at, of);
  }
  return parts;
}

function memberOf(kind: Kind, name: string): Member | undefined {
  return Object.hasOwn(SHAPES[kind], name) ? SHAPES[kind][name] : undefined;
}

/** Visits every part of the document once, each before its own parts, also parts that `visit` adds. */
export function eachPart(root: Place, visit: (place: Place) => void): void {
  const seen = new Set<JsonObject>();
  const waiting = [root];
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    if (seen.has(place.node)) continue;
    seen.add(place.node);
    visit(place);
    waiting.push(...partsOf(place).reverse());
  }
}

export function documentPlace(document: JsonObject): Place {
  return { node: document, pointer: '#', kind: 'document' };
}

/** Encodes a member's name as a step of a JSON pointer in a URI fragment. */
export function fragment(name: string): string {
  return encodeURIComponent(escapePointer(name)).replaceAll('%24', '$');
}

/** Whether a member of an object of this kind is a part of the document, or contains parts. */
export function isPart(kind: Kind, name: string): boolean {
  return kind === 'callback' || memberOf(kind, name) !== undefined;
}
