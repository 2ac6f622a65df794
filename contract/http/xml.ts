import { isObject, type Json, type JsonObject } from '../document/json.js';
import type { RequestBody } from '../document/model.js';
import { branches, type Schema, type SchemaOrBoolean, typesOf } from '../document/schema.js';
import { escapeMarkup } from '../markup.js';
import { meaningOf, Unclear } from './coerce.js';
import { plain } from './styles.js';

// Converts values to XML and back, by the `xml` objects of a document.

interface Element {
  name: string;
  attributes: Map<string, string>;
  children: Element[];
  text: string;
}

/** Encodes a value as an XML document: members become elements with their names, items become sibling elements. */
export function writeXml({ document, schema }: RequestBody, value: Json): string {
  const name = rootName(document, schema) ?? 'root';
  return `<?xml version="1.0" encoding="UTF-8"?>\n${write(document, flat(document, schema), name, value)}`;
}

/** The name of the root element: `xml.name`, else the name of the schema; undefined if there is neither. */
function rootName(document: JsonObject, schema: Schema): string | undefined {
  const own = flat(document, schema).xml?.name;
  const [, referred] = /\/([^/]+)$/.exec(schema.$ref ?? '') ?? [];
  return own ?? (referred === undefined ? undefined : decodeURIComponent(referred));
}

function flat(document: JsonObject, schema: SchemaOrBoolean | undefined): Schema {
  return branches(document, schema)[0] ?? {};
}

function write(document: JsonObject, schema: Schema, name: string, value: Json): string {
  const { prefix, namespace } = schema.xml ?? {};
  const tag = prefix === undefined ? name : `${prefix}:${name}`;
  const attributes =
    namespace === undefined ? [] : [` xmlns${prefix === undefined ? '' : `:${prefix}`}="${escapeMarkup(namespace)}"`];
  let content = '';
  if (Array.isArray(value)) content = writeItems(document, schema, name, value);
  else if (isObject(value)) {
    for (const [member, inner] of Object.entries(value)) {
      const property = flat(document, schema.properties?.[member] ?? {});
      const { name: given = member, attribute, wrapped } = property.xml ?? {};
      if (attribute === true) attributes.push(` ${given}="${escapeMarkup(plain(inner))}"`);
      else if (Array.isArray(inner) && wrapped !== true) content += writeItems(document, property, member, inner);
      else content += write(document, property, given, inner);
    }
  } else if (value !== null) content = escapeMarkup(plain(value));
  return `<${tag}${attributes.join('')}>${content}</${tag}>`;
}

function writeItems(document: JsonObject, { items }: Schema, name: string, values: Json[]): string {
  const item = flat(document, items);
  return values.map((value) => write(document, item, item.xml?.name ?? name, value)).join('');
}

/** Decodes an XML document. Throws `Unclear` for everything that `writeXml` would write differently. */
export function readXml({ document, schema }: RequestBody, text: string): Json {
  const name = rootName(document, schema);
  if (name === undefined) throw new Unclear('the document does not name the root of its XML');
  const root = parse(text.replace(/^<\?xml[^>]*\?>\s*/, ''));
  if (root.name !== name) throw new Unclear('the root has another name');
  return read(document, flat(document, schema), root);
}

function read(document: JsonObject, schema: Schema, element: Element): Json {
  const types = typesOf(schema);
  if (types.includes('array')) {
    const item = flat(document, schema.items);
    return element.children.map((child) => read(document, item, child));
  }
  if (types.includes('object') || element.children.length > 0) return readMembers(document, schema, element);
  return meaningOf(document, schema, element.text);
}

function readMembers(document: JsonObject, schema: Schema, { children, attributes }: Element): JsonObject {
  const value: JsonObject = {};
  let used = 0;
  for (const [member, property] of Object.entries(schema.properties ?? {})) {
    const inner = flat(document, property);
    const { name = member, attribute, wrapped } = inner.xml ?? {};
    const isList = typesOf(inner).includes('array') && wrapped !== true;
    const item = flat(document, inner.items);
    const wanted = isList ? (item.xml?.name ?? member) : name;
    if (attribute === true) {
      const text = attributes.get(wanted);
      if (text !== undefined) value[member] = meaningOf(document, inner, text);
      continue;
    }
    const found = children.filter((child) => child.name === wanted);
    used += found.length;
    if (isList && found.length > 0) value[member] = found.map((child) => read(document, item, child));
    else if (found.length > 1) throw new Unclear(`${member} is repeated`);
    else if (found[0] !== undefined) value[member] = read(document, inner, found[0]);
  }
  if (used < children.length) throw new Unclear('an element that the document does not name');
  return value;
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"' };
const unescape = (text: string) => text.replace(/&(\w+);/g, (whole, name: string) => ENTITIES[name] ?? whole);
const localName = (name: string) => name.replace(/^.*:/, '');

function parse(text: string): Element {
  const top: Element = { name: '', attributes: new Map(), children: [], text: '' };
  const open = [top];
  for (const [, closing, name, rest = '', content] of text.matchAll(
    /<(\/)?([\w:.-]+)((?:\s+[\w:.-]+="[^"]*")*)\s*>|([^<]+)/g,
  )) {
    const current = open.at(-1) ?? top;
    if (content !== undefined) current.text += unescape(content);
    else if (closing === '/') open.pop();
    else {
      const attributes = [...rest.matchAll(/([\w:.-]+)="([^"]*)"/g)].map(
        ([, key = '', value = '']) => [localName(key), unescape(value)] as const,
      );
      const element = { name: localName(name ?? ''), attributes: new Map(attributes), children: [], text: '' };
      current.children.push(element);
      open.push(element);
    }
  }
  const [root] = top.children;
  if (root === undefined || open.length !== 1) throw new Unclear('XML that is not well-formed');
  return root;
}
