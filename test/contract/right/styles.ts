import { createServer, type Server } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import type { SmallReply, SmallRequest } from '../planted/small.js';
import {
  createNotes,
  documentOf,
  isRefusal,
  NOTE,
  type Note,
  numberIn,
  object,
  readNote,
  type Style,
  TOKENS,
  text,
} from './notes.js';

// The API of notes as servers in other languages answer by their defaults.

export interface StyleOfAnswers extends Style {
  /** The body of a refusal, by its status; with a field where it is about one. */
  tell(status: number, message: string, field?: string): unknown;
  /** A page of rows. */
  page(rows: Note[], asked: { total: number; page: number; size: number; path: string }): unknown;
  wrap?(note: Note): unknown;
  /** What the contract tests warn of, and rightly. */
  warnings?: string[];
  /** The word before the token. */
  word?: string;
  /** The status of what the document does not have; 405 with Allow by default. */
  undeclared?: 404 | 405;
  /** What OPTIONS gets; as any other method that is not there by default. */
  options?: (allow: string) => SmallReply;
  /** What HEAD gets; what GET does by default. */
  head?: 404 | 405;
  /** Whether Allow has the methods of one route alone, or is absent. */
  allow?: 'first' | 'none';
  /** What the path gets with, or without, a slash at its end; 404 by default. */
  slash?: 'redirect' | 'same';
  headers?: (allow: string) => Record<string, string>;
  problemHeader?: string;
}

/** RFC 9110, section 9.1: every general-purpose server must support it. */
const HEAD = 'HEAD is not served where GET is';
const list = { type: 'array', items: NOTE };
const integer = { type: 'integer' };
const address = { type: ['string', 'null'], format: 'uri-reference' };
const texts = { type: 'array', items: text };
const TITLES: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  404: 'Not Found',
  405: 'Method Not Allowed',
};

function next(
  path: string,
  page: number,
  size: number,
  total: number,
): { next: string | null; previous: string | null } {
  const at = (number: number) => `http://notes.example.org${path}?page=${String(number)}&page_size=${String(size)}`;
  return { next: page * size < total ? at(page + 1) : null, previous: page > 1 ? at(page - 1) : null };
}

export const STYLES: Record<string, StyleOfAnswers> = {
  'Django REST framework': {
    path: '/notes/',
    paging: 'page',
    list: object({ count: integer, next: address, previous: address, results: list }),
    bad: 400,
    unread: [415],
    problem: object({ detail: text }),
    badProblem: { type: 'object', additionalProperties: { anyOf: [text, texts] } },
    scheme: { type: 'apiKey', in: 'header', name: 'Authorization' },
    word: 'Token',
    tell: (status, message, field) =>
      status === 400 && field !== 'body' ? { [field ?? 'non_field_errors']: [message] } : { detail: message },
    page: (rows, { total, page, size, path }) => ({ count: total, ...next(path, page, size, total), results: rows }),
    slash: 'redirect',
    options: (allow) => ({
      status: 200,
      body: { name: 'Note', renders: ['application/json'] },
      headers: { Allow: allow },
    }),
    headers: (allow) => ({ Allow: allow, Vary: 'Accept, Cookie', 'X-Frame-Options': 'DENY' }),
  },
  FastAPI: {
    paging: 'offset',
    list: list,
    ids: 'uuid',
    bad: 422,
    problem: object({ detail: text }),
    badProblem: object({ detail: { type: 'array', items: object({ loc: { type: 'array' }, msg: text, type: text }) } }),
    tell: (status, msg, field) => ({
      detail: status === 422 ? [{ type: 'invalid', loc: ['body', field], msg, input: null }] : msg,
    }),
    page: (rows) => rows,
    slash: 'redirect',
    head: 405,
    allow: 'first',
    warnings: [HEAD, 'Allow lacks POST', 'Allow lacks DELETE and lacks PATCH'],
  },
  Rails: {
    paging: 'none',
    list: list,
    bad: 422,
    unread: [400],
    problem: object({ error: text }),
    badProblem: object({ errors: { type: 'object', additionalProperties: texts } }),
    located: true,
    tell: (status, message, field) =>
      status === 422 ? { errors: { [field ?? 'base']: [message] } } : { error: message },
    page: (rows) => rows,
    undeclared: 404,
    slash: 'same',
    headers: () => ({
      'Cache-Control': 'max-age=0, private, must-revalidate',
      'X-Request-Id': 'c0ffee',
      'Content-Type': 'application/json; charset=utf-8',
    }),
  },
  Spring: {
    paging: 'zero',
    list: object({
      content: list,
      totalElements: integer,
      totalPages: integer,
      number: integer,
      size: integer,
      last: { type: 'boolean' },
    }),
    edit: 'put',
    bad: 400,
    unread: [415],
    problem: object({ type: text, title: text, status: integer, detail: text, instance: text }),
    problemType: 'application/problem+json',
    problemHeader: 'application/problem+json',
    located: true,
    tell: (status, detail) => ({
      type: 'about:blank',
      title: TITLES[status] ?? 'Error',
      status,
      detail,
      instance: '/notes',
    }),
    page: (content, { total, page, size }) => ({
      ...{
        content,
        totalElements: total,
        totalPages: Math.ceil(total / size),
        number: page,
        size,
        last: (page + 1) * size >= total,
      },
    }),
    options: (allow) => ({ status: 200, headers: { Allow: allow } }),
  },
  Laravel: {
    paging: 'page',
    list: object({
      data: list,
      meta: object({ current_page: integer, per_page: integer, total: integer }),
      links: object({ next: address, prev: address }),
    }),
    one: object({ data: NOTE }),
    bad: 422,
    problem: object({ message: text }),
    badProblem: object({ message: text, errors: { type: 'object', additionalProperties: texts } }),
    tell: (status, message, field) =>
      status === 422 ? { message, errors: { [field ?? 'body']: [message] } } : { message },
    page(data, { total, page, size, path }) {
      const { next: onward, previous } = next(path, page, size, total);
      return { data, meta: { current_page: page, per_page: size, total }, links: { next: onward, prev: previous } };
    },
    wrap: (data) => ({ data }),
    options: (allow) => ({ status: 200, headers: { Allow: allow } }),
  },
  'net/http of Go': {
    paging: 'offset',
    list: object({ notes: list }),
    edit: 'put',
    bad: 400,
    unread: [415],
    problem: text,
    problemType: 'text/plain',
    tell: (_, message) => `${message}\n`,
    page: (notes) => ({ notes }),
    problemHeader: 'text/plain; charset=utf-8',
  },
  Phoenix: {
    paging: 'none',
    list: object({ data: list }),
    one: object({ data: NOTE }),
    ids: 'uuid',
    bad: 422,
    unread: [400, 415],
    problem: object({ errors: { type: 'object' } }),
    tell: (status, message, field) => ({
      errors: status === 422 ? { [field ?? 'base']: [message] } : { detail: message },
    }),
    page: (data) => ({ data }),
    wrap: (data) => ({ data }),
    undeclared: 404,
    slash: 'same',
  },
  'ASP.NET Core': {
    paging: 'offset',
    list: object({ items: list, totalCount: integer }),
    edit: 'put',
    bad: 400,
    unread: [415],
    problem: object({ type: text, title: text, status: integer, errors: { type: 'object' } }, ['title', 'status']),
    problemType: 'application/problem+json',
    problemHeader: 'application/problem+json; charset=utf-8',
    located: true,
    tell: (status, message, field) => ({
      title: message,
      status,
      ...(field !== undefined && { errors: { [field]: [message] } }),
    }),
    page: (items, { total }) => ({ items, totalCount: total }),
    head: 405,
    warnings: [HEAD],
    slash: 'same',
  },
  Actix: {
    paging: 'zero',
    list: object({ items: list, total: integer }),
    bad: 400,
    problem: object({ error: text }),
    tell: (_, error) => ({ error }),
    page: (items, { total }) => ({ items, total }),
    allow: 'none',
    warnings: ['405 comes without Allow', '405 comes without Allow'],
  },
};

/** A server in one style. */
export function serverIn(style: StyleOfAnswers): Server {
  const answer = inStyle(style);
  return createServer((request, response) => {
    void readText(request).then((body) => {
      const [path = '', query = ''] = (request.url ?? '').split(/\?(.*)/s);
      const { method = '', headers } = request;
      const asked = { method, path, query: new URLSearchParams(query), rawQuery: query, body, headers };
      const reply = answer({ ...asked, type: headers['content-type'] ?? '' });
      const type = reply.body === undefined ? {} : { 'Content-Type': 'application/json' };
      response.writeHead(reply.status, { ...type, ...reply.headers });
      response.end(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body));
    });
  });
}

function inStyle(style: StyleOfAnswers): (request: SmallRequest) => SmallReply {
  const { path: collection = '/notes', paging, edit = 'patch', bad, unread = [], word = 'Bearer', ids } = style;
  const notes = createNotes(ids);
  const wrap = style.wrap ?? ((note: Note) => note);
  const refuse = (status: number, message: string, field?: string): SmallReply => ({
    status,
    body: style.tell(status, message, field),
    headers: {
      ...(style.problemHeader !== undefined && { 'Content-Type': style.problemHeader }),
      ...(status === 401 && { 'WWW-Authenticate': word }),
    },
  });

  function read({ body, type }: SmallRequest): { value: unknown } | SmallReply {
    if (!/^application\/json\b/i.test(type))
      return refuse(unread.includes(415) ? 415 : (unread[0] ?? bad), 'send JSON', 'body');
    try {
      return { value: JSON.parse(body) as unknown };
    } catch {
      return refuse(unread.includes(400) ? 400 : bad, 'this is no JSON', 'body');
    }
  }

  function listed({ query }: SmallRequest, owner: string): SmallReply {
    const number = (name: string, assumed: number, least: number, most: number) =>
      numberIn(query.get(name), assumed, least, most);
    const [sizeName, pageName] = {
      offset: ['limit', 'offset'],
      page: ['page_size', 'page'],
      zero: ['size', 'page'],
      cursor: [],
      none: [],
    }[paging];
    const size = sizeName === undefined ? Infinity : number(sizeName, 20, 1, 50);
    const first = paging === 'page' ? 1 : 0;
    const page = pageName === undefined ? 0 : number(pageName, first, first, 10_000);
    if (size === undefined) return refuse(bad, `${sizeName ?? ''} is not valid`, sizeName);
    if (page === undefined) return refuse(bad, `${pageName ?? ''} is not valid`, pageName);
    const pinned = query.get('pinned');
    if (pinned !== null && !/^(true|false)$/.test(pinned)) return refuse(bad, 'pinned is not valid', 'pinned');
    const rows = notes.of(owner).filter((note) => pinned === null || String(note.pinned) === pinned);
    const start = paging === 'offset' ? page : paging === 'none' ? 0 : (page - first) * size;
    if (paging === 'page' && page > 1 && start >= rows.length && collection.endsWith('/'))
      return refuse(404, 'Invalid page.');
    return {
      status: 200,
      body: style.page(rows.slice(start, start + size), { total: rows.length, page, size, path: collection }),
    };
  }

  function serve(request: SmallRequest, text: string | undefined, owner: string): SmallReply {
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const known = text === undefined ? undefined : noteOf(text, owner);
    if (known !== undefined && 'status' in known) return known;
    if (method === 'GET') return known ? { status: 200, body: wrap(known) } : listed(request, owner);
    if (method === 'DELETE' && known) {
      notes.remove(known);
      return { status: 204 };
    }
    const body = read(request);
    if ('status' in body) return body;
    const wish = readNote(body.value, !known || edit === 'put');
    if (isRefusal(wish)) return refuse(bad, `${wish.field} ${wish.message}`, wish.field);
    if (known) {
      if (edit === 'put') Object.assign(known, { text: null, tags: [], pinned: false, priority: 3 });
      return { status: 200, body: wrap(Object.assign(known, wish)) };
    }
    const note = notes.add(owner, wish);
    const Location = `${collection.replace(/\/$/, '')}/${String(note.id)}${collection.endsWith('/') ? '/' : ''}`;
    return { status: 201, body: wrap(note), ...(style.located && { headers: { Location } }) };
  }

  function noteOf(text: string, owner: string): Note | SmallReply {
    const isId =
      ids === 'uuid'
        ? /^[\da-f]{8}-([\da-f]{4}-){3}[\da-f]{12}$/i.test(text)
        : /^\d{1,10}$/.test(text) && Number(text) > 0 && Number(text) < 2 ** 31;
    if (!isId) return refuse(bad, 'id is not valid', 'id');
    return notes.find(owner, text) ?? refuse(404, 'there is no such note');
  }

  function answer(request: SmallRequest): SmallReply {
    const { method, path } = request;
    const [, base, text, slash] = /^(\/notes)(?:\/([^/]+))?(\/?)$/.exec(path) ?? [];
    if (base === undefined) return { ...refuse(404, 'there is no such page') };
    if ((slash === '/') !== collection.endsWith('/')) {
      const other = slash === '/' ? path.slice(0, -1) : `${path}/`;
      if (style.slash === 'redirect')
        return { status: /^(GET|HEAD)$/.test(method) ? 301 : 307, headers: { Location: other } };
      if (style.slash !== 'same') return refuse(404, 'there is no such page');
    }
    const declared = text === undefined ? ['GET', 'POST'] : ['GET', edit.toUpperCase(), 'DELETE'];
    const more = [...(style.head === undefined ? ['HEAD'] : []), ...(style.options ? ['OPTIONS'] : [])];
    const allow = [...declared, ...more].join(', ');
    const reply = (): SmallReply => {
      if (method === 'OPTIONS' && style.options) return style.options(allow);
      if (method === 'HEAD' && style.head !== undefined) return refuse(style.head, 'no');
      if (![...declared, ...more].includes(method)) {
        if (style.undeclared === 404) return refuse(404, 'there is no such page');
        const no = refuse(405, `Method "${method}" not allowed.`);
        const Allow = style.allow === 'first' ? 'GET' : allow;
        return { ...no, headers: { ...no.headers, ...(style.allow !== 'none' && { Allow }) } };
      }
      const [, token = ''] = new RegExp(`^${word} +(\\S+)$`, 'i').exec(request.headers.authorization ?? '') ?? [];
      const owner = Object.hasOwn(TOKENS, token) ? TOKENS[token] : undefined;
      return owner === undefined ? refuse(401, 'who is this?') : serve(request, text, owner);
    };
    const { headers, ...rest } = reply();
    return { ...rest, headers: { ...(rest.body !== undefined && style.headers?.(allow)), ...headers } };
  }

  return (request) => answer(request);
}

export const documentIn = (style: StyleOfAnswers) => documentOf(style);
