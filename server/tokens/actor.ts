import type { Caller } from './caller.js';

/** Who changes something, and how the request for it came. A function that changes something takes it. */
export interface Actor {
  /** Null for a login and a refresh, which take no credential, and outside of requests. */
  caller: Caller | null;
  /** The client's address in its canonical form; null if it is not known, and outside of requests. */
  address: string | null;
  /** 256 characters at most; null if none was sent, and outside of requests. */
  userAgent: string | null;
  /** As in `X-Request-Id`; null outside of requests. */
  requestId: string | null;
}

/** The sender of a request that was authenticated. */
export interface AuthenticatedActor extends Actor {
  caller: Caller;
}

/** Whoever changes the database without a request: the command line, a start, and the local server. */
export const OPERATOR: Actor = { caller: null, address: null, userAgent: null, requestId: null };
