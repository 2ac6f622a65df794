import type { ActorKind } from '../database/index.js';
import type { Caller } from './caller.js';

/** Who makes a change, and the request that asked for it. Each function that makes a change takes an actor. */
export interface Actor {
  kind: ActorKind;
  /** Null for a login and a refresh, which take no credential, and outside of requests. */
  caller: Caller | null;
  /** The client's address in its canonical form; null if it is not known, and outside of requests. */
  address: string | null;
  /** What events store of the address, by the setting `LATCHKEY_AUDIT_IP`: the address, its network, or null. */
  recordedAddress: string | null;
  /** The `User-Agent`, cut to 256 characters; null if none was sent, and outside of requests. */
  userAgent: string | null;
  /** The value of `X-Request-Id`; null outside of requests. */
  requestId: string | null;
}

/** The sender of a request that was authenticated. */
export interface AuthenticatedActor extends Actor {
  caller: Caller;
}

const WITHOUT_REQUEST = { caller: null, address: null, recordedAddress: null, userAgent: null, requestId: null };

/** The operator, who changes the database on the command line. */
export const OPERATOR: Actor = { kind: 'cli', ...WITHOUT_REQUEST };

/** The service, which changes the database by itself, such as at its start; and the local server. */
export const SYSTEM: Actor = { kind: 'system', ...WITHOUT_REQUEST };
