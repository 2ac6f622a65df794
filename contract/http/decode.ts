import type { Judge } from '../judge.js';
import { SHORTEST_KEY } from '../keys.js';
import { isObject, type Json, type JsonObject, memberOf } from '../spec/json.js';
import type { Operation, Parameter, RequestBody, Spec } from '../spec/model.js';
import { isCursorName, isOnceKeyName } from '../spec/names.js';
import { flatten, type Schema, typesOf } from '../spec/schema.js';
import type { WireRequest } from './encode.js';

/**
 * What the spec has to say about a request as it stands on the wire. `unclear` is what it leaves to the server: unknown
 * and repeated parameters, `1e2` for an integer, control characters, values that only the server can make.
 */
export interface Verdict {
  kind: 'valid' | 'invalid' | 'unclear';
  why: string[];
}

class Unclear extends Error {}

/** Bodies beyond this may be refused for their size alone, which no schema tells. */
const MOST_BYTES = 32_768;

/** Judges requests by what is on the wire, never by what a case meant to send. */
export function createRequestJudge(spec: Spec, judge: Judge, base: URL) {
  const prefix = base.pathname.replace(/\/$/, '');
  const fedByLinks = new Set(
    spec.operations.flatMap(({ answers }) =>
      answers.flatMap(({ links }) =>
        links.flatMap((link) => Object.keys(link.parameters).map((name) => `${link.operationId} ${name}`)),
      ),
    ),
  );

  return function judgeRequest(operation: Operation, request: WireRequest): Verdict {
    const why: string[] = [];
    const unclear: string[] = [];
    const attempt = (work: () => void) => {
      try {
        work();
      } catch (error) {
        if (!(error instanceof Unclear)) throw error;
        unclear.push(error.message);
      }
    };
    const [rawPath = '', rawQuery = ''] = request.target.slice(prefix.length).split(/\?(.*)/s);
    const path = readPath(operation.path, rawPath);
    if (path === undefined) return { kind: 'unclear', why: ['the path is not that of the operation'] };
    const query = readQuery(rawQuery);
    const cookies = readCookies(request.headers['Cookie']);
    const known = new Set(operation.parameters.filter((p) => p.in === 'query').map(({ name }) => name));
    for (const schemes of operation.security)
      for (const name of schemes) known.add(spec.schemes.get(name)?.field ?? '');
    for (const name of query.keys()) {
      if (!known.has(name.replace(/\[.*$/, '')) && !takesAnyName(operation))
        unclear.push(`the query's ${name} is not documented`);
    }

    for (const parameter of operation.parameters) {
      attempt(() => {
        const texts = { path, query, cookie: cookies, header: readHeaders(request.headers) }[parameter.in].get(
          parameter.in === 'header' ? parameter.name.toLowerCase() : parameter.name,
        );
        if (texts === undefined) {
          if (parameter.required) why.push(`${parameter.in} parameter ${parameter.name} is missing`);
          return;
        }
        const value = readParameter(spec.requests, parameter, texts);
        const objections = parameter.pointer ? judge.objections('request', parameter.pointer, value) : [];
        why.push(...objections.map((objection) => `${parameter.in} parameter ${parameter.name}: ${objection}`));
        unclear.push(...oddities(value));
        if (parameter.in === 'header') unclear.push(...headerOddities(parameter.name, texts));
        if (fedByLinks.has(`${operation.id} ${parameter.name}`) || isCursorName(parameter.name)) {
          if (isOpaque(flatten(spec.requests, parameter.schema)))
            unclear.push(`only the server makes a ${parameter.name}`);
        }
      });
    }
    attempt(() => {
      const value = readBody(spec.requests, operation.body, request, why);
      if (value === undefined) return;
      if (operation.body?.pointer !== undefined) {
        const objections = judge.objections('request', operation.body.pointer, value);
        why.push(...objections.map((objection) => `body: ${objection}`));
      }
      unclear.push(...oddities(value));
    });
    if ((request.body?.length ?? 0) > MOST_BYTES) unclear.push('the body is larger than many servers take');
    if (why.length > 0) return { kind: 'invalid', why };
    return unclear.length > 0 ? { kind: 'unclear', why: unclear } : { kind: 'valid', why: [] };
  };
}

function takesAnyName({ parameters }: Operation): boolean {
  return parameters.some(
    ({ in: place, style, explode, schema }) =>
      place === 'query' && style === 'form' && explode && schema.type === 'object',
  );
}

function isOpaque(schema: Schema): boolean {
  return typesOf(schema).includes('string') && schema.format === undefined && schema.enum === undefined;
}

type Texts = Map<string, string[]>;

function readPath(template: string, path: string): Texts | undefined {
  const names: string[] = [];
  const pattern = template.replace(/\{([^}]+)\}|[.*+?^$()|[\]\\]/g, (part, name: string | undefined) => {
    if (name === undefined) return `\\${part}`;
    names.push(name);
    return '([^/]+)';
  });
  const segments = new RegExp(`^${pattern}$`).exec(path);
  if (segments === null) return undefined;
  const texts: Texts = new Map();
  for (const [index, name] of names.entries()) {
    const text = decode(segments[index + 1] ?? '');
    // A slash or a dot segment may be resolved on the way: then another path is asked for.
    if (text === undefined || /^\.{1,2}$|[/\\]/.test(text)) return undefined;
    texts.set(name, [text]);
  }
  return texts;
}

function readQuery(query: string): Texts {
  const texts: Texts = new Map();
  for (const part of query === '' ? [] : query.split('&')) {
    const [name = '', value = ''] = part.split(/=(.*)/s);
    const key = decode(name.replaceAll('+', ' ')) ?? name;
    const values = texts.get(key) ?? [];
    values.push(decode(value.replaceAll('+', ' ')) ?? '\uFFFE');
    texts.set(key, values);
  }
  return texts;
}

function readCookies(header = ''): Texts {
  const parts = header === '' ? [] : header.split('; ');
  return new Map(parts.map((part) => [part.replace(/=.*/s, ''), [decode(part.replace(/^[^=]*=/, '')) ?? '\uFFFE']]));
}

function readHeaders(headers: Record<string, string>): Texts {
  // White space around a value is none of it (RFC 9110, section 5.5).
  const trim = (value: string) => value.replace(/^[ \t]+|[ \t]+$/g, '');
  return new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), [trim(value)]]));
}

function headerOddities(name: string, [text = '']: string[]): string[] {
  if (/[^\t\x20-\x7E]/.test(text)) return ['a header beyond ASCII, which is read in several ways'];
  return isOnceKeyName(name) && text.length < SHORTEST_KEY ? [`a ${name} that others may have sent`] : [];
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function readParameter(document: JsonObject, parameter: Parameter, texts: string[]): Json {
  const schema = flatten(document, parameter.schema);
  const [first = ''] = texts;
  if (parameter.json) return parseJson(first) ?? first;
  const types = typesOf(schema);
  if (types.includes('array')) {
    const separator = parameter.style === 'spaceDelimited' ? ' ' : parameter.style === 'pipeDelimited' ? '|' : ',';
    const items = parameter.in === 'query' && parameter.explode ? texts : first.split(separator);
    if (!parameter.explode && items.length !== first.split(/[ ,|]/).length)
      throw new Unclear('the separator is ambiguous');
    return items.map((item) => coerce(flatten(document, schema.items), item));
  }
  if (types.includes('object')) throw new Unclear(`${parameter.name} is an object in a parameter`);
  if (texts.length > 1) throw new Unclear(`${parameter.name} is repeated`);
  return coerce(schema, first);
}

/** What a text means under a schema; the text itself where it means nothing, for the judge to refuse. */
function coerce(schema: Schema, text: string): Json {
  const types = typesOf(schema);
  if (types.length === 0 || types.includes('string')) return text;
  if (types.includes('null') && (text === '' || text === 'null')) throw new Unclear('null has no form in a parameter');
  const numeric = types.includes('integer') || types.includes('number');
  if (numeric && /^-?(0|[1-9]\d*)$/.test(text)) return Number(text);
  if (types.includes('number') && /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return Number(text);
  if (numeric && /^\s*[+-]?[\d_.,]+([eE][+-]?\d+)?\s*$|^\s*0[xob]/.test(text) && !/^-?\d+\.\d*[1-9]$/.test(text)) {
    throw new Unclear(`whether ${text} is a number is left open`);
  }
  if (types.includes('boolean')) {
    if (text === 'true' || text === 'false') return text === 'true';
    if (/^(true|false|yes|no|on|off|[01tfyn])$/i.test(text))
      throw new Unclear(`whether ${text} is a boolean is left open`);
  }
  return text;
}

function readBody(
  document: JsonObject,
  body: RequestBody | undefined,
  { headers, body: bytes }: WireRequest,
  why: string[],
): Json | undefined {
  if (body === undefined) {
    if (bytes !== undefined) throw new Unclear('no body is documented');
    return undefined;
  }
  if (bytes === undefined || bytes.length === 0) {
    if (body.required) why.push('the body is missing');
    return undefined;
  }
  const { 'Content-Type': contentType, 'Content-Encoding': encoding } = headers;
  if (encoding !== undefined) throw new Unclear('no content encoding is documented');
  if (contentType === undefined) throw new Unclear('without a media type the server may guess');
  const [type = '', parameters] = contentType.toLowerCase().split(/;(.*)/s);
  const fits = body.mediaTypes.find((mediaType) => mediaTypeFits(type, mediaType));
  if (fits === undefined) {
    why.push(`the media type ${type} is not documented`);
    return undefined;
  }
  if (parameters !== undefined && !body.mediaTypes.includes(contentType))
    throw new Unclear('the media type has parameters');
  if (fits !== body.mediaType || body.kind === 'other') throw new Unclear(`${fits} is not judged`);
  const text = utf8(bytes);
  if (body.kind === 'text') return text;
  if (body.kind === 'form') return readForm(flatten(document, body.schema), document, text);
  const value = parseJson(text);
  if (value === undefined) why.push('the body is not JSON');
  return value;
}

function readForm(schema: Schema, document: JsonObject, text: string): Json {
  const { properties = {}, additionalProperties } = schema;
  const fields = [...readQuery(text)].map(([name, texts]): [string, Json] => {
    const property = flatten(document, Object.hasOwn(properties, name) ? properties[name] : additionalProperties);
    const isList = typesOf(property).includes('array');
    if (!isList && texts.length > 1) throw new Unclear(`${name} is repeated`);
    if (typesOf(property).includes('object')) throw new Unclear('an object has no form in a form');
    if (isList) return [name, texts.map((item) => coerce(flatten(document, property.items), item))];
    return [name, coerce(property, texts[0] ?? '')];
  });
  return Object.fromEntries(fields);
}

/** Whether a media type is the documented one or in its range. */
export function mediaTypeFits(type: string, documented: string): boolean {
  const [wanted = ''] = documented.toLowerCase().split(';', 1);
  const [given = ''] = type.toLowerCase().split(';', 1);
  if (wanted.trim() === '*/*') return true;
  return wanted.trim().endsWith('/*') ? given.startsWith(wanted.trim().slice(0, -1)) : given.trim() === wanted.trim();
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Unclear('the body is not UTF-8');
  }
}

function parseJson(text: string): Json | undefined {
  if (text.startsWith('\uFEFF')) throw new Unclear('the body begins with a byte order mark');
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

// Control characters, lone surrogates, noncharacters: text that a schema lets pass and many a store does not keep.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are the point
const ODD = /[\u0000-\u001F\u007F-\u009F\uFFFD-\uFFFF]/u;

/** What a value has in it that the spec allows and a sensible server may refuse. */
function oddities(value: Json): string[] {
  if (typeof value === 'string') {
    if (ODD.test(value) || /\p{Surrogate}/u.test(value)) return ['text with control characters or lone surrogates'];
    return value !== '' && value.trim() === '' ? ['text of nothing but white space'] : [];
  }
  if (typeof value === 'number') {
    return Math.abs(value) > Number.MAX_SAFE_INTEGER ? ['a number that many readers do not keep exactly'] : [];
  }
  if (Array.isArray(value)) return value.flatMap(oddities).slice(0, 1);
  if (!isObject(value)) return [];
  if (memberOf(value, '__proto__') !== undefined) return ['a member named __proto__'];
  return Object.values(value).flatMap(oddities).slice(0, 1);
}
