import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Auth, GuardOptions, Verifier } from '../index.js';
import { sendAnswer, toGuarded } from './incoming.js';

/** A request with `auth`, the token and owner it was authenticated with. */
export type AuthenticatedRequest<A extends Auth | undefined = Auth> = IncomingMessage & { auth: A };

type Listener<A extends Auth | undefined> = (request: AuthenticatedRequest<A>, response: ServerResponse) => unknown;
type GuardedListener = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/**
 * Wraps a listener of `node:http` or `node:https`. It sets `request.auth` and calls the listener, or answers 401, 403 or
 * 503. The returned function settles as the listener does.
 */
export function nodeAuth(
  verifier: Verifier,
  options: GuardOptions & { optional?: false | undefined },
  listener: Listener<Auth>,
): GuardedListener;
export function nodeAuth(
  verifier: Verifier,
  options: GuardOptions,
  listener: Listener<Auth | undefined>,
): GuardedListener;
export function nodeAuth(verifier: Verifier, options: GuardOptions, listener: Listener<Auth>): GuardedListener {
  const guard = verifier.guard(options);
  return async (request, response) => {
    const decision = await guard(toGuarded(request, request, () => originOf(request)));
    if (!decision.passed) sendAnswer(response, decision.answer);
    else await listener(Object.assign(request, { auth: decision.auth as Auth }), response);
  };
}

function originOf({ socket, headers }: IncomingMessage): string | undefined {
  const scheme = (socket as Partial<TLSSocket>).encrypted === true ? 'https' : 'http';
  return headers.host === undefined ? undefined : `${scheme}://${headers.host}`;
}
