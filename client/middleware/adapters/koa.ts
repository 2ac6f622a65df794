import type { Middleware } from 'koa';
import type { Auth, GuardOptions, Verifier } from '../index.js';
import { toGuarded } from './incoming.js';

/**
 * A middleware of Koa 3 that answers 401, 403 or 503, or puts `auth` on `ctx.state` and goes on. The origin of the server
 * is the one that `app.proxy` makes of the request.
 */
export function koaAuth(
  verifier: Verifier,
  options?: GuardOptions & { optional?: false | undefined },
): Middleware<{ auth: Auth }>;
export function koaAuth(verifier: Verifier, options: GuardOptions): Middleware<{ auth: Auth | undefined }>;
export function koaAuth(verifier: Verifier, options: GuardOptions = {}): Middleware<{ auth: Auth | undefined }> {
  const guard = verifier.guard(options);
  return async (ctx, next) => {
    // `ctx.origin` is what the client says of itself.
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
