import type { MiddlewareHandler } from 'hono';
import type { Auth, GuardOptions, Verifier } from '../index.js';

type Variables<A> = { Variables: { auth: A } };

interface HonoAuth {
  (verifier: Verifier, options?: GuardOptions & { optional?: false | undefined }): MiddlewareHandler<Variables<Auth>>;
  (verifier: Verifier, options: GuardOptions): MiddlewareHandler<Variables<Auth | undefined>>;
}

/** Creates a middleware of Hono 4. It sets the variable `auth` and calls the next handler, or answers 401, 403 or 503. */
export const honoAuth = ((verifier: Verifier, options: GuardOptions = {}) => {
  const guard = verifier.guard(options);
  const middleware: MiddlewareHandler<Variables<Auth | undefined>> = async (c, next) => {
    const decision = await guard({
      method: c.req.method,
      header: (name) => c.req.header(name),
      origin: () => new URL(c.req.url).origin,
      source: c,
    });
    if (!decision.passed) {
      const { status, headers, body } = decision.answer;
      return c.body(body, status, { ...headers });
    }
    c.set('auth', decision.auth);
    await next();
    return undefined;
  };
  return middleware;
}) as HonoAuth;
