import type { FastifyInstance, FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import type { Auth, Guard, GuardOptions, Verifier } from '../index.js';
import { toGuarded } from './incoming.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sent the request, once `fastifyAuth` has let it pass; undefined where it may be anonymous, and is. */
    auth: Auth | undefined;
  }
  interface FastifyContextConfig {
    /** What this route takes, instead of what its scope does; false for a route that anyone may use. */
    auth?: GuardOptions | false | undefined;
  }
}

export interface FastifyAuthOptions extends GuardOptions {
  verifier: Verifier;
}

type RouteAuth = GuardOptions | false | undefined;

function protect(app: FastifyInstance, { verifier, ...route }: FastifyAuthOptions): void {
  const usual = verifier.guard(route);
  const guards = new WeakMap<GuardOptions, Guard>();

  /** Null for a route that anyone may use. */
  function guardOf(own: RouteAuth): Guard | null {
    if (own === undefined) return usual;
    if (own === false) return null;
    const guard = guards.get(own) ?? verifier.guard(own);
    guards.set(own, guard);
    return guard;
  }

  if (!app.hasRequestDecorator('auth')) app.decorateRequest('auth', undefined);
  // What cannot be meant fails at the start, not at the first request.
  app.addHook('onRoute', ({ config }) => void guardOf(config?.auth));
  app.addHook('onRequest', async (request, reply) => {
    const guard = guardOf(request.routeOptions.config.auth);
    if (guard === null) return;
    const decision = await guard(toGuarded(request.raw, request, () => originOf(request)));
    if (decision.passed) {
      request.auth = decision.auth;
      return;
    }
    const { status, headers, body } = decision.answer;
    return reply.code(status).headers(headers).send(body);
  });
}

function originOf({ protocol, host }: FastifyRequest): string {
  return `${protocol}://${host}`;
}

const plugin: FastifyPluginCallback<FastifyAuthOptions> = (app, options, done) => {
  try {
    protect(app, options);
    done();
  } catch (error) {
    // Thrown, it would end the process.
    done(error as Error);
  }
};

/**
 * A plugin of Fastify 5 that guards every route of the scope it is registered in, and of those within: it answers 401, 403
 * or 503 before a body is read, or puts `auth` on the request. Scopes that all routes take are options of the plugin, what
 * one route takes is its `config.auth`. The origin of the server is the one that `trustProxy` makes of the request.
 */
export const fastifyAuth: FastifyPluginCallback<FastifyAuthOptions> = Object.assign(plugin, {
  // What `fastify-plugin` sets: the hook belongs to the scope that the plugin is registered in, not to one of its own.
  [Symbol.for('skip-override')]: true,
  [Symbol.for('plugin-meta')]: { name: '@latchkey/client/fastify', fastify: '5.x' },
});

/**
 * A handler of a route that `fastifyAuth` guards, to whose type `auth` is certain. Where nothing has authenticated the
 * request it throws a `TypeError`, which Fastify answers with 500, and the handler is not called.
 */
export function authenticated<Req extends FastifyRequest, Rep extends FastifyReply, Result>(
  handler: (request: Req & { auth: Auth }, reply: Rep) => Result,
): (request: Req, reply: Rep) => Result {
  return (request, reply) => {
    if (request.auth === undefined) throw new TypeError('no guard has authenticated this request');
    return handler(request as Req & { auth: Auth }, reply);
  };
}
