import { createServer, type Server } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { getRequestListener } from '@hono/node-server';
import KoaRouter from '@koa/router';
import express, { type NextFunction, type Request, type Response } from 'express';
import { fastify } from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';
import {
  createNotes,
  documentOf,
  isRefusal,
  members,
  NOTE,
  type Note,
  numberIn,
  object,
  readNote,
  TOKENS,
  text,
} from './notes.js';

// The API of notes on real frameworks, which answer everything else by their defaults.

export interface Right {
  document: ReturnType<typeof documentOf>;
  server: Server;
  /** What the contract tests warn of, and rightly. */
  warnings?: string[] | undefined;
  /** What stands before a token, where that is not Bearer. */
  word?: string | undefined;
  /** Ends what is not of the server itself. */
  close?(): Promise<void>;
}

const ownerOf = (authorization: string | undefined) => {
  const [, token = ''] = /^bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
  return Object.hasOwn(TOKENS, token) ? TOKENS[token] : undefined;
};
const isId = (given: unknown): given is string =>
  typeof given === 'string' && /^\d{1,10}$/.test(given) && Number(given) >= 1 && Number(given) <= 2_147_483_647;
const UUID = /^[\da-f]{8}-([\da-f]{4}-){3}[\da-f]{12}$/i;
const rowsOf = (notes: Note[], pinned: unknown) =>
  pinned === undefined ? notes : notes.filter((note) => String(note.pinned) === pinned);
const isFlag = (given: unknown) => given === undefined || given === 'true' || given === 'false';

export function onExpress(): Right {
  const document = documentOf({
    paging: 'offset',
    list: object({ notes: { type: 'array', items: NOTE }, total: { type: 'integer' } }),
    bad: 400,
    unread: [413, 415],
    located: true,
    problem: object({ error: object({ message: text, field: text }, ['message']) }),
  });
  const store = createNotes();
  const app = express();
  const refuse = (response: Response, status: number, message: string, field?: string) =>
    response.status(status).json({ error: { message, field } });
  const param = ({ params: { id } }: Request) => String(id);
  app.use('/notes', (request, response, next) => {
    const owner = ownerOf(request.get('Authorization'));
    if (owner !== undefined) response.locals['owner'] = owner;
    // Its own answer to OPTIONS needs no credential.
    if (owner !== undefined || request.method === 'OPTIONS') next();
    else refuse(response.set('WWW-Authenticate', 'Bearer'), 401, 'who is this?');
  });
  // Else its parser takes no body for {}.
  const verify = (_: unknown, __: unknown, { length }: Buffer) => {
    if (length === 0) throw Object.assign(new Error('a body is required'), { status: 400 });
  };
  app.use(express.json({ verify }));
  app.param('id', (_, response, next, id) => {
    if (isId(id)) next();
    else refuse(response, 400, 'id is not valid', 'id');
  });
  const found = (request: Request, response: Response) => {
    const note = store.find(String(response.locals['owner']), param(request));
    if (note === undefined) refuse(response, 404, 'there is no such note');
    return note;
  };
  app.get('/notes', ({ query }, response) => {
    const [limit, offset] = [numberIn(one(query['limit']), 20, 1, 50), numberIn(one(query['offset']), 0, 0, 10_000)];
    if (limit === undefined) return refuse(response, 400, 'limit is not valid', 'limit');
    if (offset === undefined) return refuse(response, 400, 'offset is not valid', 'offset');
    if (!isFlag(query['pinned'])) return refuse(response, 400, 'pinned is not valid', 'pinned');
    const rows = rowsOf(store.of(String(response.locals['owner'])), query['pinned']);
    return response.json({ notes: rows.slice(offset, offset + limit), total: rows.length });
  });
  app.post('/notes', (request, response) => {
    if (request.is('json') === false) return refuse(response, 415, 'send JSON');
    const wish = readNote(request.body, true);
    if (isRefusal(wish)) return refuse(response, 400, `${wish.field} ${wish.message}`, wish.field);
    const note = store.add(String(response.locals['owner']), wish);
    return response
      .status(201)
      .location(`/notes/${String(note.id)}`)
      .json(note);
  });
  app.get('/notes/:id', (request, response) => {
    const note = found(request, response);
    if (note) response.json(note);
  });
  app.patch('/notes/:id', (request, response) => {
    if (request.is('json') === false) return refuse(response, 415, 'send JSON');
    const note = found(request, response);
    if (note === undefined) return;
    const wish = readNote(request.body, false);
    if (isRefusal(wish)) return refuse(response, 400, `${wish.field} ${wish.message}`, wish.field);
    return response.json(Object.assign(note, wish));
  });
  app.delete('/notes/:id', (request, response) => {
    const note = found(request, response);
    if (note === undefined) return;
    store.remove(note);
    response.status(204).end();
  });
  app.use((error: { status?: number; message: string }, _: Request, response: Response, next: NextFunction) => {
    if (error.status === undefined || error.status >= 500) next(error);
    else refuse(response, error.status === 413 ? 413 : 400, error.message);
  });
  return { document, server: createServer(app) };
}

/** A repeated parameter is a list, which fits no number. */
function one(given: unknown): string | undefined {
  return given === undefined || typeof given === 'string' ? given : 'several';
}

export async function onFastify(): Promise<Right> {
  const failed = object({ statusCode: { type: 'integer' }, error: text, message: text, code: text }, [
    'statusCode',
    'message',
  ]);
  const document = documentOf({
    paging: 'cursor',
    ids: 'uuid',
    list: object({ items: { type: 'array', items: NOTE }, nextCursor: { type: ['string', 'null'] } }),
    bad: 400,
    unread: [413, 415],
    problem: failed,
  });
  const store = createNotes('uuid');
  // Fastify would else make texts of numbers, and drop what it does not know.
  const app = fastify({ ajv: { customOptions: { coerceTypes: false, removeAdditional: false } } });
  const fault = (statusCode: number, message: string) => Object.assign(new Error(message), { statusCode });
  app.addHook('onRequest', async (request, reply) => {
    // What it does not serve is 404, whoever asks.
    if (request.is404 || ownerOf(request.headers.authorization) !== undefined) return;
    reply.header('WWW-Authenticate', 'Bearer');
    throw fault(401, 'who is this?');
  });
  const owner = (request: { headers: { authorization?: string | undefined } }) =>
    ownerOf(request.headers.authorization) ?? '';
  const find = (request: { headers: { authorization?: string | undefined }; params: unknown }) => {
    const { id } = request.params as { id: string };
    const note = store.find(owner(request), id);
    if (note === undefined) throw fault(404, 'there is no such note');
    return note;
  };
  const params = object({ id: { type: 'string', pattern: UUID.source.replaceAll('a-f', 'a-fA-F') } });
  const { title, text: long, tags, pinned, priority } = members;
  const NewNote = { type: 'object', required: ['title'], properties: { title, text: long, tags, pinned, priority } };
  const properties = Object.fromEntries(
    Object.entries(NewNote.properties).map(([name, { ...schema }]) => {
      delete (schema as { default?: unknown }).default;
      return [name, schema];
    }),
  );
  app.get('/notes', (request) => {
    const query = request.query as Record<string, string | undefined>;
    const limit = numberIn(one(query['limit']), 20, 1, 50);
    const start = query['cursor'] === undefined ? 0 : /^n(\d{1,6})$/.exec(one(query['cursor']) ?? '')?.[1];
    if (limit === undefined || start === undefined || !isFlag(query['pinned']))
      throw fault(
        400,
        `querystring/${limit === undefined ? 'limit' : start === undefined ? 'cursor' : 'pinned'} is not valid`,
      );
    const rows = rowsOf(store.of(owner(request)), query['pinned']);
    const end = Number(start) + limit;
    return { items: rows.slice(Number(start), end), nextCursor: end < rows.length ? `n${String(end)}` : null };
  });
  app.post('/notes', { schema: { body: NewNote } }, (request, reply) =>
    reply.code(201).send(store.add(owner(request), known(request.body))),
  );
  app.get('/notes/:id', { schema: { params } }, find);
  app.patch('/notes/:id', { schema: { params, body: { type: 'object', properties } } }, (request) =>
    Object.assign(find(request), known(request.body)),
  );
  app.delete('/notes/:id', { schema: { params } }, (request, reply) => {
    store.remove(find(request));
    return reply.code(204).send();
  });
  await app.ready();
  return { document, server: app.server, close: async () => app.close() };
}

function known(body: unknown): Partial<Note> {
  return Object.fromEntries(Object.entries(body as object).filter(([name]) => Object.hasOwn(members, name)));
}

export function onHono(): Right {
  const document = documentOf({
    paging: 'none',
    list: { type: 'array', items: NOTE },
    one: object({ data: NOTE }),
    bad: 422,
    unread: [400],
    problem: object({ message: text }),
  });
  const store = createNotes();
  const app = new Hono<{ Variables: { owner: string } }>();
  app.use('/notes/*', async (c, next) => {
    const owner = ownerOf(c.req.header('Authorization'));
    if (owner === undefined) return c.json({ message: 'Unauthorized' }, 401, { 'WWW-Authenticate': 'Bearer' });
    c.set('owner', owner);
    await next();
    return undefined;
  });
  app.use('/notes/:id', async (c, next) => {
    if (!isId(c.req.param('id'))) return c.json({ message: 'id is not valid' }, 422);
    await next();
    return undefined;
  });
  const missing = { message: 'there is no such note' };
  app.get('/notes', (c) => {
    const { pinned } = c.req.query();
    if (!isFlag(pinned)) return c.json({ message: 'pinned is not valid' }, 422);
    return c.json(rowsOf(store.of(c.get('owner')), pinned));
  });
  app.post('/notes', async (c) => {
    const body: unknown = await c.req.json().catch(() => undefined);
    if (body === undefined) return c.json({ message: 'this is no JSON' }, 400);
    if (!/^application\/json/i.test(c.req.header('Content-Type') ?? '')) return c.json({ message: 'send JSON' }, 400);
    const wish = readNote(body, true);
    if (isRefusal(wish)) return c.json({ message: `${wish.field} ${wish.message}` }, 422);
    return c.json({ data: store.add(c.get('owner'), wish) }, 201);
  });
  app.get('/notes/:id', (c) => {
    const note = store.find(c.get('owner'), c.req.param('id'));
    return note === undefined ? c.json(missing, 404) : c.json({ data: note });
  });
  app.patch('/notes/:id', async (c) => {
    const body: unknown = await c.req.json().catch(() => undefined);
    if (body === undefined) return c.json({ message: 'this is no JSON' }, 400);
    if (!/^application\/json/i.test(c.req.header('Content-Type') ?? '')) return c.json({ message: 'send JSON' }, 400);
    const note = store.find(c.get('owner'), c.req.param('id'));
    if (note === undefined) return c.json(missing, 404);
    const wish = readNote(body, false);
    if (isRefusal(wish)) return c.json({ message: `${wish.field} ${wish.message}` }, 422);
    return c.json({ data: Object.assign(note, wish) });
  });
  app.delete('/notes/:id', (c) => {
    const note = store.find(c.get('owner'), c.req.param('id'));
    if (note === undefined) return c.json(missing, 404);
    store.remove(note);
    return c.body(null, 204);
  });
  return {
    document,
    server: createServer((request, response) => void getRequestListener(app.fetch)(request, response)),
  };
}

export function onKoa(): Right {
  const document = documentOf({
    paging: 'page',
    list: object({
      page: { type: 'integer' },
      total_items: { type: 'integer' },
      items: { type: 'array', items: NOTE },
    }),
    edit: 'put',
    bad: 400,
    unread: [415],
    problem: object({ errors: { type: 'array', items: object({ title: text }) } }),
  });
  const store = createNotes();
  const app = new Koa();
  const router = new KoaRouter();
  const refuse = (ctx: Koa.Context, status: number, title: string): undefined => {
    ctx.status = status;
    ctx.body = { errors: [{ title }] };
    return undefined;
  };
  const owner = (ctx: Koa.Context) => String(ctx.state['owner']);
  const read = async (ctx: Koa.Context): Promise<Partial<Note> | undefined> => {
    if (!ctx.is('json')) {
      refuse(ctx, 415, 'send JSON');
      return;
    }
    try {
      const wish = readNote(JSON.parse((await buffer(ctx.req)).toString()), true);
      if (!isRefusal(wish)) return wish;
      refuse(ctx, 400, `${wish.field} ${wish.message}`);
    } catch {
      refuse(ctx, 400, 'this is no JSON');
    }
    return undefined;
  };
  const find = (ctx: Koa.Context): Note | undefined => {
    const { id } = ctx['params'] as { id: string };
    if (!isId(id)) {
      refuse(ctx, 400, 'id is not valid');
      return;
    }
    const note = store.find(owner(ctx), id);
    if (note === undefined) refuse(ctx, 404, 'there is no such note');
    return note;
  };
  router.get('/notes', (ctx) => {
    const { page: asked, page_size: size, pinned } = ctx.query;
    const [page, most] = [numberIn(one(asked), 1, 1, 10_000), numberIn(one(size), 20, 1, 50)];
    if (page === undefined) {
      refuse(ctx, 400, 'page is not valid');
      return;
    }
    if (most === undefined) {
      refuse(ctx, 400, 'page_size is not valid');
      return;
    }
    if (!isFlag(pinned)) {
      refuse(ctx, 400, 'pinned is not valid');
      return;
    }
    const rows = rowsOf(store.of(owner(ctx)), pinned);
    ctx.body = { page, total_items: rows.length, items: rows.slice((page - 1) * most, page * most) };
  });
  router.post('/notes', async (ctx) => {
    const wish = await read(ctx);
    if (wish === undefined) return;
    ctx.status = 201;
    ctx.body = store.add(owner(ctx), wish);
  });
  router.get('/notes/:id', (ctx) => {
    const note = find(ctx);
    if (note) ctx.body = note;
  });
  router.put('/notes/:id', async (ctx) => {
    const note = find(ctx);
    const wish = note && (await read(ctx));
    if (note === undefined || wish === undefined) return;
    ctx.body = Object.assign(note, { text: null, tags: [], pinned: false, priority: 3 }, wish);
  });
  router.delete('/notes/:id', (ctx) => {
    const note = find(ctx);
    if (note === undefined) return;
    store.remove(note);
    ctx.status = 204;
  });
  app.use(async (ctx, next) => {
    ctx.state['owner'] = ownerOf(ctx.get('Authorization'));
    if (ctx.state['owner'] === undefined) {
      ctx.set('WWW-Authenticate', 'Bearer');
      refuse(ctx, 401, 'who is this?');
    } else await next();
  });
  app.use(router.routes()).use(router.allowedMethods());
  app.silent = true;
  return { document, server: createServer((request, response) => void app.callback()(request, response)) };
}
