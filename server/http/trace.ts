import type { Operation } from '../contract/operations.js';
import type { ServiceError } from '../errors.js';

/** A request on its way through: what its answer and its line in the log will say of it. */
export interface Trace {
  requestId: string;
  /** The headers of its answer so far, names and values in turn. */
  head: string[];
  operation?: Operation;
  callerId?: number;
  error?: ServiceError;
}
