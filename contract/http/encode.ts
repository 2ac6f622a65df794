import type { Json } from '../document/json.js';
import type { Parameter, SecurityScheme } from '../document/model.js';
import { encodeBody } from './bodies.js';
import type { Credential, Draft } from './draft.js';
import { escape, plain, writePath, writeQuery, writeSimple } from './styles.js';
import { writeTemplate } from './template.js';

/** An encoded request, exactly as it is sent. */
export interface WireRequest {
  method: string;
  /** Path and query, percent-encoded. */
  target: string;
  headers: Record<string, string>;
  body: Uint8Array | undefined;
}

/**
 * Encodes a draft. `base` is the server's URL; its path precedes the operation's path. For a request that is only
 * shown, `show` replaces each credential.
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
  const segments = new Map<string, string>();
  for (const parameter of operation.parameters) {
    const value = draft[parameter.in][parameter.name];
    if (value === undefined) continue;
    const { name, kind } = parameter;
    if (parameter.in === 'path')
      segments.set(
        name,
        pathSegment(kind === 'styled' ? writePath(parameter, value) : escape(unstyled(parameter, value))),
      );
    else if (parameter.in === 'query') query.push(...encodeQuery(parameter, value));
    else {
      const text = kind === 'styled' ? writeSimple(parameter, value) : unstyled(parameter, value);
      if (parameter.in === 'header') headers[name] = headerValue(text);
      else cookies.push(`${name}=${escape(text)}`);
    }
  }
  if (draft.credential) addCredential(draft.credential, schemes, { headers, cookies, query }, show);
  if (draft.rawQuery !== undefined) query.push(draft.rawQuery);

  const made = draft.rawBody === undefined ? encodeBody(draft) : undefined;
  const body = draft.rawBody ?? made?.bytes;
  const contentType =
    draft.contentType === undefined ? (made?.contentType ?? operation.body?.mediaType) : draft.contentType;
  if (body !== undefined && contentType !== null) headers['Content-Type'] = concrete(contentType ?? 'application/json');
  if (cookies.length > 0) {
    headers['Cookie'] = cookies.join('; ');
    // Browsers send Origin with changes; many servers reject a cookie without it.
    headers['Origin'] = base.origin;
  }
  Object.assign(headers, draft.headers);
  const prefix = base.pathname.replace(/\/$/, '');
  const [path = '', fixed] = writeTemplate(operation.path, segments).split(/\?(.*)/s);
  const all = [...(fixed === undefined ? [] : [fixed]), ...query];
  const target = `${prefix}${draft.rawPath ?? path}${all.length > 0 ? `?${all.join('&')}` : ''}`;
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
    // A token has no user name. Servers that accept a token as the password ignore the user name.
    if (scheme?.kind === 'basic')
      request.headers['Authorization'] =
        `Basic ${Buffer.from(token.includes(':') ? shown : `token:${shown}`).toString('base64')}`;
    if (scheme?.kind === 'header') request.headers[scheme.field] = shown;
    if (scheme?.kind === 'query') request.query.push(`${encodeURIComponent(scheme.field)}=${escaped}`);
    if (scheme?.kind === 'cookie') request.cookies.push(`${scheme.field}=${escaped}`);
  }
}

function encodeQuery(parameter: Parameter, value: Json): string[] {
  if (parameter.kind === 'styled') return writeQuery(parameter, value);
  return [`${escape(parameter.name)}=${escape(unstyled(parameter, value))}`];
}

/** Encodes the value of a parameter that has `content` instead of `schema`. */
function unstyled({ kind }: Parameter, value: Json): string {
  return kind === 'json' ? JSON.stringify(value) : plain(value);
}

/** Encodes `.` and `..`, which clients and proxies would resolve. */
function pathSegment(segment: string): string {
  return /^\.{1,2}$/.test(segment) ? segment.replaceAll('.', '%2E') : segment;
}

/** Replaces characters that Node rejects in a header: no server can ever receive them. */
function headerValue(value: string): string {
  return value.replace(/[^\t\x20-\x7E\x80-\xFF]/g, '?');
}
