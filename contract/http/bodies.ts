import { isObject, type Json, type JsonObject } from '../document/json.js';
import type { Encoding, RequestBody } from '../document/model.js';
import { branches, flatten, type Schema, type SchemaOrBoolean, typesOf } from '../document/schema.js';
import { allTypesOf, meaningOf, Unclear } from './coerce.js';
import type { Draft } from './draft.js';
import { Ambiguous, escape, plain, readStyled, type Text, writeQuery } from './styles.js';
import { readXml, writeXml } from './xml.js';

/** An encoded request body. */
export interface WireBody {
  bytes: Uint8Array;
  /** The media type with its parameters, such as `boundary`; undefined for the operation's own media type. */
  contentType: string | undefined;
}

/** The boundary of multipart bodies; no generated text contains it. */
const BOUNDARY = 'latchkey-contract-4f6c1d0b9a';

const bytesOf = (text: string) => new TextEncoder().encode(text);

export function encodeBody({
  operation: { body },
  body: value,
}: Pick<Draft, 'operation' | 'body'>): WireBody | undefined {
  return value === undefined ? undefined : encodeValue(body, value);
}

/** Encodes a value as a body of this kind, or as JSON if the kind cannot express it. */
export function encodeValue(body: RequestBody | undefined, value: Json): WireBody {
  const own = (text: string): WireBody => ({ bytes: bytesOf(text), contentType: undefined });
  switch (body?.kind) {
    case 'form':
      return own(isObject(value) ? toForm(value, body) : JSON.stringify(value));
    case 'multipart':
      return {
        bytes: bytesOf(isObject(value) ? toMultipart(value, body) : plain(value)),
        contentType: `multipart/form-data; boundary=${BOUNDARY}`,
      };
    case 'xml':
      return own(writeXml(body, value));
    case 'text':
    case 'binary':
      return own(plain(value));
    default:
      return own(JSON.stringify(value));
  }
}

/** Encodes members as form fields. By default a list repeats its field, and an object is JSON. */
export function toForm(members: JsonObject, body?: RequestBody): string {
  return Object.entries(members)
    .flatMap(([name, value]) => {
      const encoding = body?.encodings[name];
      if (encoding?.style !== undefined) return writeQuery({ ...encoding, name, style: encoding.style }, value);
      return (Array.isArray(value) ? value : [value]).map((item) => `${escape(name)}=${escape(plain(item))}`);
    })
    .join('&');
}

function toMultipart(members: JsonObject, body: RequestBody): string {
  const parts = Object.entries(members).flatMap(([name, value]) => {
    const schema = propertyOf(body, name);
    const isList = Array.isArray(value) && typesOf(flatten(body.document, schema)).includes('array');
    const items = isList ? value : [value];
    const item = isList ? flatten(body.document, flatten(body.document, schema).items) : flatten(body.document, schema);
    return items.map((each) => toPart(name, each, item, body.encodings[name]));
  });
  return `${parts.map((part) => `--${BOUNDARY}\r\n${part}\r\n`).join('')}--${BOUNDARY}--\r\n`;
}

function toPart(name: string, value: Json, schema: Schema, encoding: Encoding | undefined): string {
  const isFile = isBinary(schema);
  const type =
    concreteType(encoding?.contentType) ??
    (typeof value === 'object' && value !== null
      ? 'application/json'
      : isFile
        ? 'application/octet-stream'
        : undefined);
  const quoted = name.replace(/[\r\n"]/g, (sign) => encodeURIComponent(sign));
  const disposition = `Content-Disposition: form-data; name="${quoted}"${isFile ? '; filename="file.bin"' : ''}`;
  return [disposition, ...(type === undefined ? [] : [`Content-Type: ${type}`]), '', plain(value)].join('\r\n');
}

function isBinary({ format, contentMediaType }: Schema): boolean {
  return format === 'binary' || contentMediaType !== undefined;
}

/** The first media type of a list, with a concrete one in place of a range such as `image/*`. */
function concreteType(types: string | undefined): string | undefined {
  const [first = ''] = types?.split(',') ?? [];
  const type = first.trim();
  if (type === '') return undefined;
  if (type === 'image/*') return 'image/png';
  return type.endsWith('/*') ? 'application/octet-stream' : type;
}

function propertyOf({ document, schema }: RequestBody, name: string): SchemaOrBoolean | undefined {
  for (const { properties = {}, additionalProperties } of branches(document, schema)) {
    if (Object.hasOwn(properties, name)) return properties[name];
    if (isObject(additionalProperties)) return additionalProperties;
  }
  return undefined;
}

/** The value of a body; undefined if the body is malformed. Throws `Unclear` if servers may read it differently. */
export function decodeBody(body: RequestBody, text: string, contentType: string): Json | undefined {
  switch (body.kind) {
    case 'json':
      return parseJson(text);
    case 'form':
      return fieldsOf(body, formTexts(text));
    case 'multipart':
      return partsOf(body, text, /boundary="?([^";]+)/i.exec(contentType)?.[1]);
    case 'xml':
      return readXml(body, text);
    case 'text':
      return meaningOf(body.document, body.schema, text);
    case 'binary':
      if (!/octet-stream|\*/.test(body.mediaType))
        throw new Unclear(`bodies of type ${body.mediaType} are not validated`);
      return text;
  }
}

export function parseJson(text: string): Json | undefined {
  if (text.startsWith('\uFEFF')) throw new Unclear('the body begins with a byte order mark');
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** The fields of a query or a form, both raw and decoded. */
export function formTexts(query: string): Map<string, Text[]> {
  const texts = new Map<string, Text[]>();
  for (const part of query === '' ? [] : query.split('&')) {
    const [name = '', raw = ''] = part.split(/=(.*)/s);
    const key = decode(name.replaceAll('+', ' ')) ?? name;
    // Servers differ about malformed percent-encoding. U+FFFE makes the value unclear.
    const text = decode(raw.replaceAll('+', ' ')) ?? '\uFFFE';
    texts.set(key, [...(texts.get(key) ?? []), { raw, text }]);
  }
  return texts;
}

export function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function fieldsOf(body: RequestBody, fields: Map<string, Text[]>): Json {
  const members = [...fields].map(([name, texts]): [string, Json] => {
    const encoding = body.encodings[name];
    const schema = propertyOf(body, name);
    const types = allTypesOf(body.document, schema);
    if (types.has('object')) throw new Unclear('servers expect different encodings of an object in a form');
    if (!types.has('array')) {
      if (texts.length > 1) throw new Unclear(`${name} is repeated`);
      return [name, meaningOf(body.document, schema, texts[0]?.text ?? '')];
    }
    const style = { name, in: 'query', style: encoding?.style ?? 'form', explode: encoding?.explode ?? true } as const;
    const items = flatten(body.document, schema).items;
    return [name, listOf(style, texts).map((text) => meaningOf(body.document, items, text))];
  });
  return Object.fromEntries(members);
}

function listOf(style: Parameters<typeof readStyled>[0], texts: Text[]): string[] {
  try {
    const pieces = readStyled(style, 'list', texts);
    return typeof pieces === 'string' ? [pieces] : pieces.map(String);
  } catch (error) {
    throw error instanceof Ambiguous ? new Unclear(error.message) : error;
  }
}

function partsOf(body: RequestBody, text: string, boundary: string | undefined): Json | undefined {
  if (boundary === undefined || !text.includes(`--${boundary}--`)) return undefined;
  const members = new Map<string, Json>();
  for (const part of `\r\n${text}`.split(`\r\n--${boundary}`).slice(1, -1)) {
    const [head = '', content = ''] = part.split(/\r\n\r\n(.*)/s);
    const name = /name="([^"]*)"/.exec(head)?.[1];
    if (name === undefined) return undefined;
    const schema = propertyOf(body, name);
    const isList = allTypesOf(body.document, schema).has('array');
    const item = isList ? flatten(body.document, schema).items : schema;
    // A part of a string member is a string, whatever its content is.
    const isText = allTypesOf(body.document, item).has('string');
    const saysJson = /content-type: application\/([\w.-]+\+)?json/i.test(head);
    if (isText && saysJson && !/json/i.test(body.encodings[name]?.contentType ?? ''))
      throw new Unclear(`the part ${name} has another media type than its schema`);
    const isJson = !isText && saysJson;
    const value = isJson ? (parseJson(content) ?? content) : meaningOf(body.document, item, content);
    const before = members.get(name);
    if (isList) members.set(name, [...(Array.isArray(before) ? before : []), value]);
    else if (before !== undefined) throw new Unclear(`${name} is repeated`);
    else members.set(name, value);
  }
  return Object.fromEntries(members);
}
