// @ts-check
import { randomUUID } from 'node:crypto';
import fastify from 'fastify';
import { answers, bodies, parameters } from './fastify-schemas.mjs';
import { holds } from './rows.mjs';
import { openStore } from './store.mjs';

// Fastify with JSON schemas for requests and answers, over the same store as the floor. Without a database it has one
// route only, for the comparison of starts.
//
//   node bench/servers/fastify.mjs [DATABASE]

/** @typedef {import('./store.mjs').Answer} Answer */

const app = fastify({ genReqId: () => randomUUID(), keepAliveTimeout: 65_000 });

app.get('/healthz', () => ({ status: 'ok' }));

const [, , path] = process.argv;
if (path !== undefined) serve(openStore(path));

console.log(`listening on ${await app.listen({ host: '127.0.0.1', port: 0 })}`);

/** @param {ReturnType<typeof openStore>} store */
function serve(store) {
  app.addHook('onClose', () => store.close());
  process.once('SIGTERM', async () => {
    await app.close();
    process.exit();
  });
  app.decorateRequest('caller', null);
  app.register(
    async (api) => {
      api.get('/auth/me', { ...admits(), schema: { response: { 200: answers.me } } }, (request, reply) =>
        send(reply, 200, store.getMe(callerOf(request))),
      );
      api.get(
        '/access-tokens',
        { ...admits('tokens:read'), schema: { querystring: parameters.page, response: { 200: answers.page } } },
        (request, reply) => {
          const { limit, cursor } = /** @type {{ limit: number, cursor?: string }} */ (request.query);
          return send(reply, 200, store.listTokens(callerOf(request), limit, cursor), 422);
        },
      );
      api.post(
        '/access-tokens',
        { ...admits('tokens:write'), schema: { body: bodies.wish, response: { 201: answers.issued } } },
        (request, reply) => send(reply, 201, store.create(callerOf(request), /** @type {any} */ (request.body))),
      );
      api.post(
        '/access-tokens/verify',
        { ...admits('tokens:verify'), schema: { body: bodies.question, response: { 200: answers.verification } } },
        (request, reply) => send(reply, 200, store.verify(/** @type {{ token: string }} */ (request.body).token)),
      );
      api.get(
        '/access-tokens/:token_id',
        { ...admits('tokens:read'), schema: { params: parameters.token, response: { 200: answers.token } } },
        (request, reply) => send(reply, 200, store.getToken(callerOf(request), idOf(request)), 404),
      );
      api.delete(
        '/access-tokens/:token_id',
        { ...admits('tokens:write'), schema: { params: parameters.token } },
        (request, reply) => send(reply, 204, store.revoke(callerOf(request), idOf(request)), 404),
      );
    },
    { prefix: '/api/v1' },
  );

  /** Options of a route that authenticates its caller before the body is read. @param {string} [scope] */
  function admits(scope) {
    return {
      /** @type {import('fastify').onRequestHookHandler} */
      onRequest(request, reply, done) {
        reply.headers({
          'X-Request-Id': request.id,
          'X-Content-Type-Options': 'nosniff',
          'Cache-Control': 'no-store',
        });
        const caller = store.authenticate(request.headers.authorization);
        if (caller === undefined) {
          reply.code(401).header('WWW-Authenticate', 'Bearer error="invalid_token"');
          reply.send({ detail: 'Authentication is required: send a valid token.', code: 'unauthorized' });
          return;
        }
        if (caller.expiresAt !== null) {
          reply.header('Latchkey-Token-Expires-At', new Date(caller.expiresAt).toISOString());
        }
        if (scope !== undefined && !holds(caller, scope)) {
          reply.code(403).send({ detail: 'Refused.', code: 'insufficient_scope' });
          return;
        }
        /** @type {any} */ (request).caller = caller;
        done();
      },
    };
  }
}

/** @param {import('fastify').FastifyRequest} request @returns {import('./store.mjs').Caller} */
function callerOf(request) {
  return /** @type {any} */ (request).caller;
}

/** @param {import('fastify').FastifyRequest} request */
function idOf(request) {
  return /** @type {{ token_id: string }} */ (request.params).token_id;
}

/**
 * @param {import('fastify').FastifyReply} reply
 * @param {number} status
 * @param {Answer | undefined} answer
 * @param {number} [otherwise] the status without an answer
 */
function send(reply, status, answer, otherwise = 404) {
  if (answer === undefined) return reply.code(otherwise).send({ detail: 'Refused.', code: 'refused' });
  reply.code(status);
  if (answer.headers !== undefined) reply.headers(answer.headers);
  return reply.send(answer.body);
}
