import type { FastifyInstance, FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import type { Auth, Guard, GuardOptions, Verifier } from '../index.js';
import { toGuarded } from './incoming.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Token and owner of the authenticated request, set by `fastifyAuth`; undefined for an anonymous request. */
    auth: Auth | undefined;
  }
  interface FastifyContextConfig {
    /** Options of this route, instead of those given to `fastifyAuth`; false for a route without authentication. */
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

  /** Null for a route without authentication. */
  function guardOf(own: RouteAuth): Guard | null {
    if (own === undefined) return usual;
    if (own === false) return null;
    const guard = guards.get(own) ?? verifier.guard(own);
    guards.set(own, guard);
    return guard;
  }

  if (!app.hasRequestDecorator('auth')) app.decorateRequest('auth', undefined);
  // Invalid options must fail at the start, not at the first request.
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
    // A thrown error would end the process.
    done(error as Error);
  }
};

/**
 * A plugin of Fastify 5 that authenticates every route of the Fastify scope it is registered in, and of scopes inside it.
 * It sets `request.auth`, or answers 401, 403 or 503 before the body is read. The plugin's options apply to all routes; a
 * route's `config.auth` replaces them. Fastify's option `trustProxy` decides which origin the server takes for its own.
 */
export const fastifyAuth: FastifyPluginCallback<FastifyAuthOptions> = Object.assign(plugin, {
  // The package `fastify-plugin` sets these too: the hook then applies to the scope that registers the plugin.
  [Symbol.for('skip-override')]: true,
  [Symbol.for('plugin-meta')]: { name: '@latchkey/client/fastify', fastify: '5.x' },
});

/**
 * Types `request.auth` as always set, for the handler of a route that `fastifyAuth` authenticates. If the request is not
 * authenticated, the handler is not called, and a `TypeError` is thrown, which Fastify answers with 500.
 */
export function authenticated<Req extends FastifyRequest, Rep extends FastifyReply, Result>(
  handler: (request: Req & { auth: Auth }, reply: Rep) => Result,
): (request: Req, reply: Rep) => Result {
  return (request, reply) => {
    if (request.auth === undefined)
      throw new TypeError('this request is not authenticated: register fastifyAuth before the route');
    return handler(request as Req & { auth: Auth }, reply);
  };
}
