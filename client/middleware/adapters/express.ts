import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { Auth, GuardOptions, Verifier } from '../index.js';
import { sendAnswer, toGuarded } from './incoming.js';

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- Express declares its requests' members in this namespace
  namespace Express {
    interface Request {
      /** Token and owner of the authenticated request, set by `expressAuth`; undefined for an anonymous request. */
      auth?: Auth | undefined;
    }
  }
}

/**
 * Creates a middleware of Express 5. It sets `request.auth` and calls the next handler, or answers 401, 403 or 503.
 * Express's setting `trust proxy` decides which origin the server takes for its own.
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
 * Types `request.auth` as always set, for a handler behind `expressAuth` on the route or on its router. If the request is
 * not authenticated, the handler is not called, and Express gets a `TypeError`.
 */
export function authenticated<P, ResBody, ReqBody, ReqQuery, Locals extends Record<string, unknown>>(
  handler: (
    request: Request<P, ResBody, ReqBody, ReqQuery, Locals> & { auth: Auth },
    response: Response<ResBody, Locals>,
    next: NextFunction,
  ) => unknown,
): RequestHandler<P, ResBody, ReqBody, ReqQuery, Locals> {
  return async (request, response, next) => {
    if (request.auth === undefined)
      throw new TypeError('this request is not authenticated: put expressAuth before the route');
    await handler(request as typeof request & { auth: Auth }, response, next);
  };
}
