import type { ServiceError } from './errors.js';
import type { Operation } from './operations.js';

/** What the log will say of a request, gathered on its way through. */
export interface Trace {
  requestId: string;
  operation?: Operation;
  callerId?: number;
  error?: ServiceError;
}
