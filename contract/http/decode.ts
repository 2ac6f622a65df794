import { excluded } from '../document/dependencies.js';
import { isObject, type Json, type JsonObject, memberOf } from '../document/json.js';
import type { Operation, Parameter, RequestBody, Spec } from '../document/model.js';
import { isCursorName, isOnceKeyName } from '../document/names.js';
import { branches, flatten, type Schema, typesOf } from '../document/schema.js';
import type { Judge, Opinion } from '../judge.js';
import { SHORTEST_KEY } from '../keys.js';
import { decode, decodeBody, formTexts, parseJson } from './bodies.js';
import { allTypesOf, meaningOf, meaningsOf, Unclear } from './coerce.js';
import type { WireRequest } from './encode.js';
import { isOpenObject, isSpread } from './spread.js';
import { Ambiguous, readStyled, type Text } from './styles.js';
import { hasTwin, templatePattern } from './template.js';

/**
 * Whether the document allows a request as it is sent. `unclear` means that the server may accept or reject it, such as
 * unknown or repeated parameters, `1e2` for an integer, control characters, or values that only the server can create.
 */
export interface Verdict {
  kind: 'valid' | 'invalid' | 'unclear';
  why: string[];
  /** Unclear parts of an invalid request, for which the server may reject it as well. */
  open?: string[];
}

/** Bytes of a body above which a server may reject it for its size, whatever the schema says. */
const MOST_BYTES = 32_768;

/** Creates a function that validates requests by the bytes that are sent, not by what a case meant to send. */
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
    const broken = spec.broken.get(operation.id);
    if (broken !== undefined) return { kind: 'unclear', why: [broken] };
    const why: string[] = [];
    const unclear: string[] = [];
    if (hasTwin(spec, operation)) unclear.push('another operation has the same address');
    const attempt = (work: () => void) => {
      try {
        work();
      } catch (error) {
        if (!(error instanceof Unclear) && !(error instanceof Ambiguous)) throw error;
        unclear.push(error.message);
      }
    };
    const [rawPath = '', rawQuery = ''] = request.target.slice(prefix.length).split(/\?(.*)/s);
    const path = readPath(operation.path, rawPath);
    if (path === undefined) return { kind: 'unclear', why: ['the path is not that of the operation'] };
    const query = formTexts(rawQuery);
    const cookies = readCookies(request.headers['Cookie']);
    const inQuery = operation.parameters.filter((p) => p.in === 'query');
    const known = new Set(inQuery.filter((p) => !isSpread(spec.requests, p)).map(({ name }) => name));
    for (const schemes of operation.security)
      for (const name of schemes) known.add(spec.schemes.get(name)?.field ?? '');
    for (const parameter of inQuery.filter(isOpenObject))
      for (const { properties = {} } of branches(spec.requests, parameter.schema))
        for (const member of Object.keys(properties)) known.add(member);
    for (const name of new URLSearchParams(operation.path.split('?')[1]).keys()) known.add(name);
    for (const name of query.keys()) {
      const isMember = inQuery.some((p) => p.style === 'deepObject' && name.startsWith(`${p.name}[`));
      if (!isMember && !known.has(name.replace(/\[.*$/, ''))) unclear.push(`the query's ${name} is not documented`);
    }
    why.push(...excluded(operation, query));
    const fits = (pointer: string | undefined, value: Json) =>
      pointer !== undefined && judge.opinion(pointer, value).kind !== 'invalid';
    const judgeAll = (pointer: string | undefined, values: Json[], label: string) => {
      const opinions = values.map((value): Opinion => (pointer === undefined ? FINE : judge.opinion(pointer, value)));
      const best =
        opinions.find(({ kind }) => kind === 'valid') ?? opinions.find(({ kind }) => kind === 'unclear') ?? opinions[0];
      if (best?.kind === 'invalid') why.push(...best.objections.map((objection) => `${label}: ${objection}`));
      if (best?.kind === 'unclear') unclear.push(...best.objections.map((objection) => `${label}: ${objection}`));
    };

    for (const parameter of operation.parameters) {
      attempt(() => {
        const { name, in: place } = parameter;
        const from = { path, query, cookie: cookies, header: readHeaders(request.headers) }[place];
        const values = readParameter(spec.requests, parameter, from);
        if (values === undefined) {
          if (!parameter.required) return;
          const isPerhapsEmpty = isSpread(spec.requests, parameter) && fits(parameter.pointer, {});
          if (isPerhapsEmpty) unclear.push(`${place} parameter ${name} is missing, or has no members`);
          else why.push(`${place} parameter ${name} is missing`);
          return;
        }
        const texts = from.get(place === 'header' ? name.toLowerCase() : name) ?? [];
        // OpenAPI does not say whether cookies are percent-encoded.
        const asIs = place === 'cookie' && texts.some(({ raw, text }) => raw !== text);
        const plain = asIs ? readParameter(spec.requests, parameter, withoutDecoding(cookies)) : undefined;
        judgeAll(parameter.pointer, [...values, ...(plain ?? [])], `${place} parameter ${name}`);
        unclear.push(...values.flatMap(oddities).slice(0, 1));
        if (place === 'header') unclear.push(...headerOddities(name, texts));
        if (asIs) unclear.push('a cookie with percent-encoding, which OpenAPI does not define');
        if (fedByLinks.has(`${operation.id} ${name}`) || isCursorName(name)) {
          if (isOpaque(flatten(spec.requests, parameter.schema)))
            unclear.push(`only the server can create a valid ${name}`);
        }
      });
    }
    attempt(() => {
      const read = readBody(operation, request, why);
      if (read === undefined) return;
      const { body, value } = read;
      // OpenAPI describes the mapping of XML too loosely to call an XML body invalid.
      if (body.kind === 'xml' && body.pointer && judge.opinion(body.pointer, value).kind !== 'valid')
        throw new Unclear('XML that does not fit the schema');
      judgeAll(body.pointer, [value], 'body');
      unclear.push(...oddities(value));
    });
    if ((request.body?.length ?? 0) > MOST_BYTES) unclear.push('the body is larger than many servers accept');
    if (why.length > 0) return { kind: 'invalid', why, open: unclear };
    return unclear.length > 0 ? { kind: 'unclear', why: unclear } : { kind: 'valid', why: [] };
  };
}

const FINE: Opinion = { kind: 'valid', objections: [] };

function isOpaque(schema: Schema): boolean {
  return typesOf(schema).includes('string') && schema.format === undefined && schema.enum === undefined;
}

type Texts = Map<string, Text[]>;

function readPath(template: string, path: string): Texts | undefined {
  const { pattern, names } = templatePattern(template);
  const segments = pattern.exec(path);
  if (segments === null) return undefined;
  const texts: Texts = new Map();
  for (const [index, name] of names.entries()) {
    const raw = segments[index + 1] ?? '';
    const text = decode(raw);
    // A proxy may resolve a slash or a dot segment, which changes the path.
    if (text === undefined || /^\.{1,2}$|[/\\]/.test(text)) return undefined;
    texts.set(name, [{ raw, text }]);
  }
  return texts;
}

function readCookies(header = ''): Texts {
  const parts = header === '' ? [] : header.split('; ');
  return new Map(
    parts.map((part) => {
      const raw = part.replace(/^[^=]*=/, '');
      return [part.replace(/=.*/s, ''), [{ raw, text: decode(raw) ?? '\uFFFE' }]];
    }),
  );
}

function withoutDecoding(texts: Texts): Texts {
  return new Map([...texts].map(([name, list]) => [name, list.map(({ raw }) => ({ raw, text: raw }))]));
}

function readHeaders(headers: Record<string, string>): Texts {
  // White space around a header value is not part of it (RFC 9110, section 5.5).
  const trim = (value: string) => value.replace(/^[ \t]+|[ \t]+$/g, '');
  return new Map(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), [{ raw: trim(value), text: trim(value) }]]),
  );
}

function headerOddities(name: string, [first]: Text[]): string[] {
  const text = first?.text ?? '';
  if (/[^\t\x20-\x7E]/.test(text)) return ['a header with characters outside ASCII, which servers decode differently'];
  return isOnceKeyName(name) && text.length < SHORTEST_KEY
    ? [`a ${name} so short that another client may have sent it`]
    : [];
}

/** The values that a parameter can have; undefined if it is absent. */
function readParameter(document: JsonObject, parameter: Parameter, from: Texts): Json[] | undefined {
  const { name, in: place, schema, kind } = parameter;
  const texts = from.get(place === 'header' ? name.toLowerCase() : name);
  const types = allTypesOf(document, schema);
  if (kind === 'styled' && types.has('object')) {
    const value = readObject(document, parameter, from);
    if (value !== undefined || types.size === 1) return value === undefined ? undefined : [value];
  }
  if (texts === undefined) return undefined;
  if (kind !== 'styled' && texts.length > 1) throw new Unclear(`${name} is repeated`);
  if (kind === 'json') return [parseJson(texts[0]?.text ?? '') ?? texts[0]?.text ?? ''];
  if (kind === 'styled' && types.has('array')) {
    if (place === 'cookie') throw new Unclear('OpenAPI does not define lists in cookies');
    const pieces = readStyled(parameter, 'list', texts);
    const { items } = flatten(document, schema);
    const list = (typeof pieces === 'string' ? [pieces] : pieces.map(String)).map((text) =>
      meaningOf(document, items, text),
    );
    return types.size === 1 || texts.length > 1
      ? [list]
      : [list, ...meaningsOf(document, schema, texts[0]?.text ?? '')];
  }
  const text = kind === 'styled' ? readStyled(parameter, 'plain', texts) : (texts[0]?.text ?? '');
  return meaningsOf(document, schema, typeof text === 'string' ? text : '');
}

/** The value of an object parameter in its style; undefined if it is absent. */
function readObject(document: JsonObject, parameter: Parameter, from: Texts): Json | undefined {
  const { name, in: place, style, explode, schema } = parameter;
  const properties = Object.assign(
    {},
    ...branches(document, schema).map((branch) => branch.properties ?? {}),
  ) as Record<string, Schema>;
  const { additionalProperties } = branches(document, schema)[0] ?? {};
  const toObject = (pairs: [string, string][]): Json => {
    if (new Set(pairs.map(([key]) => key)).size < pairs.length) throw new Unclear(`a member of ${name} is repeated`);
    return Object.fromEntries(
      pairs.map(([key, text]) => {
        const member = Object.hasOwn(properties, key) ? properties[key] : additionalProperties;
        const types = allTypesOf(document, member);
        if (types.has('object') || types.has('array'))
          throw new Unclear(`${name} is nested, which no style can express`);
        return [key, meaningOf(document, member, text)];
      }),
    );
  };
  if (place === 'query' && (style === 'deepObject' || explode)) {
    const pairs: [string, string][] = [];
    for (const [key, texts] of from) {
      const [, member] = style === 'deepObject' ? (/^([^[]*)\[([^\]]*)\]$/.exec(key)?.slice(1) ?? []) : ['', key];
      if (member === undefined || (style === 'deepObject' && !key.startsWith(`${name}[`))) continue;
      if (style !== 'deepObject' && !Object.hasOwn(properties, member)) continue;
      for (const { text } of texts) pairs.push([member, text]);
    }
    return pairs.length === 0 ? undefined : toObject(pairs);
  }
  const texts = from.get(place === 'header' ? name.toLowerCase() : name);
  if (texts === undefined) return undefined;
  if (place === 'cookie') throw new Unclear('OpenAPI does not define objects in cookies');
  const pieces = readStyled(parameter, 'object', texts);
  return typeof pieces === 'string'
    ? undefined
    : toObject(pieces.filter((piece): piece is [string, string] => Array.isArray(piece)));
}

function readBody(
  { body: first, bodies }: Operation,
  { headers, body: bytes }: WireRequest,
  why: string[],
): { body: RequestBody; value: Json } | undefined {
  if (first === undefined) {
    if (bytes !== undefined) throw new Unclear('no body is documented');
    return undefined;
  }
  if (bytes === undefined || bytes.length === 0) {
    const isEmptyText =
      bytes !== undefined && headers['Content-Type'] !== undefined && /text|binary|form/.test(first.kind);
    if (first.required && isEmptyText) throw new Unclear('a server may take an empty body for a missing one');
    if (first.required) why.push('the body is missing');
    // Fastify refuses it, Express reads it as no body.
    else if (headers['Content-Type'] !== undefined) throw new Unclear('an empty body has a media type');
    return undefined;
  }
  const { 'Content-Type': contentType, 'Content-Encoding': encoding } = headers;
  if (encoding !== undefined) throw new Unclear('no content encoding is documented');
  if (contentType === undefined) throw new Unclear('without a media type the server may guess');
  const [type = '', parameters] = contentType.toLowerCase().split(/;(.*)/s);
  const body =
    bodies.find(({ mediaType }) => mediaType.toLowerCase() === contentType.toLowerCase()) ??
    bodies.find(({ mediaType }) => mediaTypeFits(type, mediaType));
  if (body === undefined) {
    why.push(`the media type ${type} is not documented`);
    return undefined;
  }
  const isOwn = contentType.toLowerCase() === body.mediaType.toLowerCase() || body.kind === 'multipart';
  if (parameters !== undefined && !isOwn) throw new Unclear('the media type has parameters');
  if (body.mediaType.includes('*') && body.kind !== 'json') throw new Unclear(`${body.mediaType} may be anything`);
  const value = decodeBody(body, utf8(bytes), contentType);
  if (value === undefined) why.push(`the body is not ${body.kind === 'json' ? 'JSON' : body.mediaType}`);
  return value === undefined ? undefined : { body, value };
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

// Control characters, lone surrogates, noncharacters: a schema allows them, but many databases cannot store them.
// biome-ignore lint/suspicious/noControlCharactersInRegex: matches them on purpose
const ODD = /[\u0000-\u001F\u007F-\u009F\uFFFD-\uFFFF]/u;

/** What in a value the document allows but a sensible server may reject. */
function oddities(value: Json): string[] {
  if (typeof value === 'string') {
    if (ODD.test(value) || /\p{Surrogate}/u.test(value)) return ['text with control characters or lone surrogates'];
    return value !== '' && value.trim() === '' ? ['text that is only white space'] : [];
  }
  if (typeof value === 'number') {
    return Math.abs(value) > Number.MAX_SAFE_INTEGER ? ['a number above 2^53, which many servers round'] : [];
  }
  if (Array.isArray(value)) return value.flatMap(oddities).slice(0, 1);
  if (!isObject(value)) return [];
  if (memberOf(value, '__proto__') !== undefined) return ['a member named __proto__'];
  return Object.values(value).flatMap(oddities).slice(0, 1);
}
