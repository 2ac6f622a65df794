import type { Middleware } from 'koa';
import type { Auth, GuardOptions, Verifier } from '../index.js';
import { toGuarded } from './incoming.js';

/**
 * Creates a middleware of Koa 3. It sets `ctx.state.auth` and calls the next middleware, or answers 401, 403 or 503.
 * Koa's setting `app.proxy` decides which origin the server takes for its own.
 */
export function koaAuth(
  verifier: Verifier,
  options?: GuardOptions & { optional?: false | undefined },
): Middleware<{ auth: Auth }>;
export function koaAuth(verifier: Verifier, options: GuardOptions): Middleware<{ auth: Auth | undefined }>;
export function koaAuth(verifier: Verifier, options: GuardOptions = {}): Middleware<{ auth: Auth | undefined }> {
  const guard = verifier.guard(options);
  return async (ctx, next) => {
    // Not `ctx.origin`: that is the header `Origin`, which the client sends.
    const decision = await guard(toGuarded(ctx.req, ctx, () => `${ctx.protocol}://${ctx.host}`));
    if (decision.passed) {
      ctx.state.auth = decision.auth;
      await next();
      return;
    }
    const { status, headers, body } = decision.answer;
    ctx.status = status;
    ctx.set(headers);
    ctx.body = body;
  };
}
