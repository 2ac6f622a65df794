import type { OutgoingHttpHeader } from 'node:http';
import type { Operation } from '../contract/operations.js';
import type { ServiceError } from '../errors.js';

/** What is known of a request so far, for its answer and for its line in the log. */
export interface Trace {
  requestId: string;
  /** The headers of the answer so far, as a list of names and values in turn. */
  head: OutgoingHttpHeader[];
  operation?: Operation;
  callerId?: number;
  error?: ServiceError;
  /** Whether the answer is a stream, which the client may end at any time. */
  isStream?: boolean;
}
