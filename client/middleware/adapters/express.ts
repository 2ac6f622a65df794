import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { Auth, GuardOptions, Verifier } from '../index.js';
import { sendAnswer, toGuarded } from './incoming.js';

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- where Express has its requests' own members declared
  namespace Express {
    interface Request {
      /** Who sent the request, once `expressAuth` has let it pass; undefined where it may be anonymous, and is. */
      auth?: Auth | undefined;
    }
  }
}

/**
 * A middleware of Express 5 that answers 401, 403 or 503, or puts `auth` on the request and goes on. The origin of the
 * server is the one that the setting `trust proxy` makes of the request.
 */
export function expressAuth(verifier: Verifier, options: GuardOptions = {}): RequestHandler {
  const guard = verifier.guard(options);
  return async (request, response, next) => {
    const decision = await guard(toGuarded(request, request, () => `${request.protocol}://${request.host}`));
    if (!decision.passed) {
      sendAnswer(response, decision.answer);
      return;
    }
    request.auth = decision.auth;
    next();
  };
}

/**
 * A handler behind `expressAuth`, of its own route or of a router before it, to whose type `auth` is certain. Where nothing
 * has authenticated the request it passes a `TypeError` on, and the handler is not called.
 */
export function authenticated<P, ResBody, ReqBody, ReqQuery, Locals extends Record<string, unknown>>(
  handler: (
    request: Request<P, ResBody, ReqBody, ReqQuery, Locals> & { auth: Auth },
    response: Response<ResBody, Locals>,
    next: NextFunction,
  ) => unknown,
): RequestHandler<P, ResBody, ReqBody, ReqQuery, Locals> {
  return async (request, response, next) => {
    if (request.auth === undefined) throw new TypeError('no guard has authenticated this request');
    await handler(request as typeof request & { auth: Auth }, response, next);
  };
}
