import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import express, { type NextFunction, type Request, type Response } from 'express';
import { fastify } from 'fastify';
import { Hono } from 'hono';
import Koa, { type Context } from 'koa';
import { onTestFinished } from 'vitest';
import { expressAuth } from '../../client/middleware/adapters/express.js';
import { fastifyAuth } from '../../client/middleware/adapters/fastify.js';
import { honoAuth } from '../../client/middleware/adapters/hono.js';
import { koaAuth } from '../../client/middleware/adapters/koa.js';
import { nodeAuth } from '../../client/middleware/adapters/node.js';
import type { Auth, Verifier } from '../../client/middleware/index.js';

// One API on each framework, with the same routes:
//   /open       takes nobody's credential
//   /private    shows `auth` and the digest of the body that it was sent
//   /invoices   takes the scope invoices:read
//   /optional   shows `auth`, or null for nobody
//   /fails      throws, which the framework's own error handler answers with 418
//   /echo       sends its body back as it comes

export const SCOPES = ['invoices:read'];
const FAILURE = new Error('of the handler');

export type StartApp = (verifier: Verifier) => Promise<{ url: string }>;

export const APPS: Record<string, StartApp> = {
  'node:http': startNode,
  Express: startExpress,
  Koa: startKoa,
  Fastify: startFastify,
  Hono: startHono,
};

async function startNode(verifier: Verifier): Promise<{ url: string }> {
  const routes: Record<string, (request: IncomingMessage, response: ServerResponse) => unknown> = {
    '/open': (_, response) => response.end('open'),
    '/private': nodeAuth(verifier, {}, async (request, response) => {
      response.end(JSON.stringify(shown(request.auth, await digestOf(request))));
    }),
    '/invoices': nodeAuth(verifier, { scopes: SCOPES }, ({ auth }, response) => {
      response.end(JSON.stringify(shown(auth)));
    }),
    '/optional': nodeAuth(verifier, { optional: true }, ({ auth }, response) => {
      response.end(JSON.stringify(shown(auth)));
    }),
    '/fails': nodeAuth(verifier, {}, () => {
      throw FAILURE;
    }),
    '/echo': nodeAuth(verifier, {}, (request, response) => request.pipe(response)),
  };
  return await serve(async (request, response) => {
    try {
      await routes[request.url?.split('?')[0] ?? '']?.(request, response);
    } catch (error) {
      response.statusCode = 418;
      response.end((error as Error).message);
    }
  });
}

async function startExpress(verifier: Verifier): Promise<{ url: string }> {
  const app = express();
  app.all('/open', (_, response) => void response.send('open'));
  app.all('/private', expressAuth(verifier), async (request, response) => {
    response.json(shown(request.auth, await digestOf(request)));
  });
  app.all('/invoices', expressAuth(verifier, { scopes: SCOPES }), ({ auth }, response) => {
    response.json(shown(auth));
  });
  app.all('/optional', expressAuth(verifier, { optional: true }), ({ auth }, response) => {
    response.json(shown(auth));
  });
  app.all('/fails', expressAuth(verifier), () => {
    throw FAILURE;
  });
  app.all('/echo', expressAuth(verifier), (request, response) => {
    request.pipe(response);
  });
  app.use((error: Error, _: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) next(error);
    else response.status(418).send(error.message);
  });
  return await serve(app);
}

async function startKoa(verifier: Verifier): Promise<{ url: string }> {
  const app = new Koa();
  app.use(async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      ctx.status = 418;
      ctx.body = (error as Error).message;
    }
  });
  const route = <State extends object>(path: string, guard: Koa.Middleware<State>, answer: Koa.Middleware<State>) => {
    app.use(async (ctx, next) => {
      if (ctx.path !== path) {
        await next();
        return;
      }
      const inRoute = ctx as unknown as Koa.ParameterizedContext<State>;
      await guard(inRoute, async () => {
        await answer(inRoute, next);
      });
    });
  };
  const shows = async (ctx: Context & { state: { auth?: Auth | undefined } }) => {
    ctx.body = shown(ctx.state.auth, await digestOf(ctx.req));
  };
  app.use(async (ctx, next) => {
    if (ctx.path === '/open') ctx.body = 'open';
    else await next();
  });
  route('/private', koaAuth(verifier), shows);
  route('/invoices', koaAuth(verifier, { scopes: SCOPES }), shows);
  route('/optional', koaAuth(verifier, { optional: true }), shows);
  route('/fails', koaAuth(verifier), () => {
    throw FAILURE;
  });
  route('/echo', koaAuth(verifier), (ctx) => {
    ctx.body = ctx.req;
  });
  return await serve(app.callback());
}

async function startFastify(verifier: Verifier): Promise<{ url: string }> {
  const app = fastify();
  app.setErrorHandler((error: Error, _request, reply) => reply.code(418).send(error.message));
  // Bodies are the routes' own business.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => {
    done(null);
  });
  await app.register(fastifyAuth, { verifier });
  app.all('/open', { config: { auth: false } }, () => 'open');
  app.all('/private', async ({ auth, raw }) => shown(auth, await digestOf(raw)));
  app.all('/invoices', { config: { auth: { scopes: SCOPES } } }, ({ auth }) => shown(auth));
  app.all('/optional', { config: { auth: { optional: true } } }, ({ auth }) => shown(auth));
  app.all('/fails', () => {
    throw FAILURE;
  });
  app.all('/echo', ({ raw }, reply) => reply.send(raw));
  onTestFinished(() => app.close());
  return { url: await app.listen({ host: '127.0.0.1', port: 0 }) };
}

async function startHono(verifier: Verifier): Promise<{ url: string }> {
  const app = new Hono();
  app.onError((error, c) => c.text(error.message, 418));
  app.all('/open', (c) => c.text('open'));
  app.all('/private', honoAuth(verifier), async (c) => {
    const body = Buffer.from(await c.req.arrayBuffer());
    return c.json(shown(c.get('auth'), createHash('sha256').update(body).digest('hex')));
  });
  app.all('/invoices', honoAuth(verifier, { scopes: SCOPES }), (c) => c.json(shown(c.get('auth'))));
  app.all('/optional', honoAuth(verifier, { optional: true }), (c) => c.json(shown(c.get('auth'))));
  app.all('/fails', honoAuth(verifier), () => {
    throw FAILURE;
  });
  app.all('/echo', honoAuth(verifier), (c) => new Response(c.req.raw.body));
  return await serve(getRequestListener(app.fetch));
}

export interface Shown {
  auth: Auth | null;
  digest?: string;
}

function shown(auth: Auth | undefined, digest?: string): Shown {
  return { auth: auth ?? null, ...(digest !== undefined && { digest }) };
}

async function digestOf(stream: IncomingMessage): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of stream) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

async function serve(listener: (...parts: Parameters<RequestListener>) => unknown): Promise<{ url: string }> {
  const server = createServer((...parts) => void listener(...parts));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}` };
}
