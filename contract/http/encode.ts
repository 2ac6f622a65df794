import { isObject, type Json, type JsonObject } from '../spec/json.js';
import type { Parameter, SecurityScheme } from '../spec/model.js';
import type { Credential, Draft } from './draft.js';

/** A request exactly as it is sent. */
export interface WireRequest {
  method: string;
  /** Path and query, percent-encoded. */
  target: string;
  headers: Record<string, string>;
  body: Uint8Array | undefined;
}

/**
 * Puts a draft on the wire. `base` is the server's address; its path stands before that of the operation. `show` gives what
 * stands for a credential in a request that is only shown.
 */
export function encode(
  draft: Draft,
  base: URL,
  schemes: Map<string, SecurityScheme>,
  show?: (credential: string) => string,
): WireRequest {
  const { operation } = draft;
  const headers: Record<string, string> = { Accept: '*/*' };
  const cookies: string[] = [];
  const query: string[] = [];
  let path = operation.path;
  for (const parameter of operation.parameters) {
    const value = draft[parameter.in][parameter.name];
    if (value === undefined) continue;
    const plain = simple(value, parameter);
    if (parameter.in === 'path') path = path.replace(`{${parameter.name}}`, encodePathSegment(plain));
    else if (parameter.in === 'query') query.push(...encodeQuery(parameter, value));
    else if (parameter.in === 'header') headers[parameter.name] = headerValue(plain);
    else cookies.push(`${parameter.name}=${encodeURIComponent(plain)}`);
  }
  if (draft.credential) addCredential(draft.credential, schemes, { headers, cookies, query }, show);
  if (draft.rawQuery !== undefined) query.push(draft.rawQuery);

  const body = draft.rawBody ?? encodeBody(draft);
  const contentType = draft.contentType === undefined ? operation.body?.mediaType : draft.contentType;
  if (body !== undefined && contentType !== null) headers['Content-Type'] = concrete(contentType ?? 'application/json');
  if (cookies.length > 0) {
    headers['Cookie'] = cookies.join('; ');
    // A page of the service itself says so when it changes something; without it a cookie proves little.
    headers['Origin'] = base.origin;
  }
  Object.assign(headers, draft.headers);
  const prefix = base.pathname.replace(/\/$/, '');
  const target = `${prefix}${draft.rawPath ?? path}${query.length > 0 ? `?${query.join('&')}` : ''}`;
  return { method: draft.method ?? operation.method, target, headers, body };
}

function concrete(mediaType: string): string {
  return mediaType.includes('*') ? 'application/json' : mediaType;
}

function addCredential(
  { with: credential, schemes: wanted }: { with: Credential; schemes: string[] },
  schemes: Map<string, SecurityScheme>,
  request: { headers: Record<string, string>; cookies: string[]; query: string[] },
  show = (text: string) => text,
): void {
  for (const name of wanted) {
    const scheme = schemes.get(name);
    const token = credential.perScheme[name] ?? credential.token;
    const shown = show(token);
    const escaped = shown === token ? encodeURIComponent(token) : shown;
    if (scheme?.kind === 'bearer') request.headers['Authorization'] = `Bearer ${shown}`;
    // A token for all schemes has no user name; where services take one as a password, any user name does.
    if (scheme?.kind === 'basic')
      request.headers['Authorization'] =
        `Basic ${Buffer.from(token.includes(':') ? shown : `token:${shown}`).toString('base64')}`;
    if (scheme?.kind === 'header') request.headers[scheme.field] = shown;
    if (scheme?.kind === 'query') request.query.push(`${encodeURIComponent(scheme.field)}=${escaped}`);
    if (scheme?.kind === 'cookie') request.cookies.push(`${scheme.field}=${escaped}`);
  }
}

function encodeQuery({ name, style, explode, json }: Parameter, value: Json): string[] {
  const key = escape(name);
  if (json) return [`${key}=${escape(JSON.stringify(value))}`];
  if (Array.isArray(value)) {
    if (explode) return value.map((item) => `${key}=${escape(text(item))}`);
    const separator = style === 'spaceDelimited' ? '%20' : style === 'pipeDelimited' ? '%7C' : ',';
    return [`${key}=${value.map((item) => escape(text(item))).join(separator)}`];
  }
  if (isObject(value)) {
    const members = Object.entries(value);
    if (style === 'deepObject')
      return members.map(([member, item]) => `${key}[${escape(member)}]=${escape(text(item))}`);
    if (explode) return members.map(([member, item]) => `${escape(member)}=${escape(text(item))}`);
    return [`${key}=${members.map(([member, item]) => `${escape(member)},${escape(text(item))}`).join(',')}`];
  }
  return [`${key}=${escape(text(value))}`];
}

function simple(value: Json, { json, explode }: Parameter): string {
  if (json) return JSON.stringify(value);
  if (Array.isArray(value)) return value.map(text).join(',');
  if (!isObject(value)) return text(value);
  return Object.entries(value)
    .map(([name, member]) => `${name}${explode ? '=' : ','}${text(member)}`)
    .join(',');
}

/** A value as a parameter states it; JSON for what no style has a form for. */
function text(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A lone surrogate has no UTF-8; what replaces it is what any client would send. */
function escape(part: string): string {
  return encodeURIComponent(Buffer.from(part).toString());
}

/** `.` and `..` would be taken for steps by what stands between here and the server. */
function encodePathSegment(segment: string): string {
  return /^\.{1,2}$/.test(segment) ? segment.replaceAll('.', '%2E') : escape(segment);
}

/** Node refuses what a header cannot carry; such values never reach a server, so they are not worth a case. */
function headerValue(value: string): string {
  return value.replace(/[^\t\x20-\x7E\x80-\xFF]/g, '?');
}

/** Members as the fields of a form, a list as its field several times. */
export function toForm(members: JsonObject): string {
  return Object.entries(members)
    .flatMap(([name, member]) =>
      (Array.isArray(member) ? member : [member]).map((item) => `${escape(name)}=${escape(text(item))}`),
    )
    .join('&');
}

function encodeBody({ operation: { body }, body: value }: Draft): Uint8Array | undefined {
  if (value === undefined) return undefined;
  if (body?.kind === 'form' && isObject(value)) return Buffer.from(toForm(value));
  if (body?.kind === 'text' && typeof value === 'string') return Buffer.from(value);
  return Buffer.from(JSON.stringify(value));
}
