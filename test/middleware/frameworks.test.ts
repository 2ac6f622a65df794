import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { fastify } from 'fastify';
import Koa from 'koa';
import { describe, expect, onTestFinished, test } from 'vitest';
import { authenticated, expressAuth } from '../../client/middleware/adapters/express.js';
import {
  authenticated as authenticatedByFastify,
  type FastifyAuthOptions,
  fastifyAuth,
} from '../../client/middleware/adapters/fastify.js';
import { koaAuth } from '../../client/middleware/adapters/koa.js';
import type { Verifier } from '../../client/middleware/index.js';
import { latchkeyPerFile } from '../../testing/vitest.js';
import { send } from '../support/http.js';
import { createSetting, SERVICE } from './setting.js';

// What is each framework's own way, beside the table that holds for all of them.

const service = latchkeyPerFile(SERVICE);

async function serve(listener: RequestListener): Promise<{ url: string }> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}` };
}

describe('the origin behind a proxy is the one that the framework believes', () => {
  const APPS: Record<string, (verifier: Verifier, trusting: boolean) => Promise<{ url: string }>> = {
    Express(verifier, trusting) {
      const app = express();
      app.set('trust proxy', trusting);
      app.use(expressAuth(verifier));
      app.use((_, response) => {
        response.send('done');
      });
      return serve((request, response) => void app(request, response));
    },
    Koa(verifier, trusting) {
      const app = new Koa({ proxy: trusting });
      app.use(koaAuth(verifier)).use((ctx) => {
        ctx.body = 'done';
      });
      const listener = app.callback();
      return serve((request, response) => void listener(request, response));
    },
    async Fastify(verifier, trusting) {
      const app = fastify({ trustProxy: trusting });
      onTestFinished(() => app.close());
      await app.register(fastifyAuth, { verifier });
      app.post('/', () => 'done');
      return { url: await app.listen({ host: '127.0.0.1', port: 0 }) };
    },
  };

  test.each(Object.entries(APPS))('%s', async (_, start) => {
    const { verifier, plaintext } = createSetting(service);
    const headers = {
      Cookie: `vai_token=${plaintext('good')}`,
      Origin: 'https://api.example',
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-Host': 'api.example',
    };
    expect((await send(await start(verifier, true), 'POST /', { headers })).text).toBe('done');
    expect((await send(await start(verifier, false), 'POST /', { headers })).status).toBe(403);
  });
});

test('Koa shows a refusal to what stands before the adapter', async () => {
  const { verifier } = createSetting(service);
  const app = new Koa();
  const seen: number[] = [];
  app.use(async (ctx, next) => {
    ctx.set('Access-Control-Allow-Origin', '*');
    await next();
    seen.push(ctx.status);
  });
  app.use(koaAuth(verifier));
  const listener = app.callback();
  const answer = await send(await serve((request, response) => void listener(request, response)), 'GET /');
  expect(answer.headers['access-control-allow-origin']).toBe('*');
  expect(seen).toEqual([401]);
});

describe('Fastify', () => {
  async function start(verifier: Verifier, options: Partial<FastifyAuthOptions> = {}) {
    const app = fastify();
    onTestFinished(() => app.close());
    app.get('/outside', ({ auth }) => ({ auth: auth ?? null }));
    await app.register(async (scope) => {
      await scope.register(fastifyAuth, { verifier, ...options });
      scope.get('/inside', ({ auth }) => auth?.token.name);
      await scope.register((nested, _, done) => {
        nested.get('/nested', ({ auth }) => auth?.token.name);
        done();
      });
    });
    return { url: await app.listen({ host: '127.0.0.1', port: 0 }) };
  }

  test('guards the scope that the plugin is registered in, and those within', async () => {
    const { verifier, plaintext } = createSetting(service);
    const app = await start(verifier);
    expect(await send(app, 'GET /outside')).toMatchObject({ status: 200 });
    for (const path of ['/inside', '/nested'] as const) {
      expect(await send(app, `GET ${path}`)).toMatchObject({ status: 401 });
      expect(await send(app, `GET ${path}`, { token: plaintext('good') })).toMatchObject({ status: 200, text: 'good' });
    }
  });

  test('takes the scopes of the plugin for all routes that say nothing else', async () => {
    const { verifier, plaintext } = createSetting(service);
    const app = await start(verifier, { scopes: ['invoices:read'] });
    expect(await send(app, 'GET /nested', { token: plaintext('other') })).toMatchObject({ status: 403 });
    expect(await send(app, 'GET /nested', { token: plaintext('good') })).toMatchObject({ status: 200 });
  });

  test('guards what there is no route for as well', async () => {
    const { verifier, plaintext } = createSetting(service);
    const app = fastify();
    onTestFinished(() => app.close());
    await app.register(fastifyAuth, { verifier });
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    expect(await send({ url }, 'GET /nowhere')).toMatchObject({ status: 401 });
    expect(await send({ url }, 'GET /nowhere', { token: plaintext('good') })).toMatchObject({ status: 404 });
  });

  test('takes what cannot be meant for a mistake at the start', async () => {
    const { verifier } = createSetting(service);
    const app = fastify();
    await app.register(fastifyAuth, { verifier });
    expect(() => app.get('/', { config: { auth: { scopes: ['a b'] } } }, () => 'never')).toThrow(TypeError);
    for (const options of [{ scopes: ['a b'] }, { scope: ['a'] }]) {
      await expect(fastify().register(fastifyAuth, { verifier, ...options })).rejects.toThrow(TypeError);
    }
  });

  test('answers requests that are injected', async () => {
    const { verifier, plaintext } = createSetting(service);
    const app = fastify();
    await app.register(fastifyAuth, { verifier });
    app.get('/', ({ auth }) => auth?.owner.email);
    expect((await app.inject('/')).statusCode).toBe(401);
    const headers = { authorization: `Bearer ${plaintext('good')}` };
    expect((await app.inject({ url: '/', headers })).body).toBe('ada@example.org');
  });
});

describe('a handler that is behind a guard by its type', () => {
  const HANDLED: Record<string, (verifier: Verifier, called: string[]) => Promise<{ url: string }>> = {
    Express(verifier, called) {
      const app = express();
      const handler = authenticated(({ auth }, response) => {
        called.push(auth.token.name);
        response.send(auth.owner.email);
      });
      app.get('/guarded', expressAuth(verifier), handler);
      app.get('/bare', handler);
      app.get('/optional', expressAuth(verifier, { optional: true }), handler);
      app.set('env', 'test');
      return serve((request, response) => void app(request, response));
    },
    async Fastify(verifier, called) {
      const app = fastify();
      onTestFinished(() => app.close());
      const handler = authenticatedByFastify(({ auth }) => {
        called.push(auth.token.name);
        return auth.owner.email;
      });
      await app.register(fastifyAuth, { verifier });
      app.get('/guarded', handler);
      app.get('/bare', { config: { auth: false } }, handler);
      app.get('/optional', { config: { auth: { optional: true } } }, handler);
      return { url: await app.listen({ host: '127.0.0.1', port: 0 }) };
    },
  };

  test.each(Object.entries(HANDLED))('is called with auth or not at all: %s', async (_, start) => {
    const { verifier, plaintext } = createSetting(service);
    const called: string[] = [];
    const api = await start(verifier, called);
    expect(await send(api, 'GET /guarded', { token: plaintext('good') })).toMatchObject({
      status: 200,
      text: 'ada@example.org',
    });
    expect(await send(api, 'GET /guarded')).toMatchObject({ status: 401 });
    expect(await send(api, 'GET /bare', { token: plaintext('good') })).toMatchObject({ status: 500 });
    expect(await send(api, 'GET /optional')).toMatchObject({ status: 500 });
    expect(called).toEqual(['good']);
  });
});
