import type { ActorKind } from '../database/index.js';
import type { Caller } from './caller.js';

/** Who changes something, and how the request for it came. A function that changes something takes it. */
export interface Actor {
  kind: ActorKind;
  /** Null for a login and a refresh, which take no credential, and outside of requests. */
  caller: Caller | null;
  /** The client's address in its canonical form; null if it is not known, and outside of requests. */
  address: string | null;
  /** What events keep of the address, by `LATCHKEY_AUDIT_IP`. */
  recordedAddress: string | null;
  /** 256 characters at most; null if none was sent, and outside of requests. */
  userAgent: string | null;
  /** As in `X-Request-Id`; null outside of requests. */
  requestId: string | null;
}

/** The sender of a request that was authenticated. */
export interface AuthenticatedActor extends Actor {
  caller: Caller;
}

const WITHOUT_REQUEST = { caller: null, address: null, recordedAddress: null, userAgent: null, requestId: null };

/** Whoever changes the database on the command line. */
export const OPERATOR: Actor = { kind: 'cli', ...WITHOUT_REQUEST };

/** The service, which changes the database by itself, such as at its start; and the local server. */
export const SYSTEM: Actor = { kind: 'system', ...WITHOUT_REQUEST };
