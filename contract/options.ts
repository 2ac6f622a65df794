import type { Json } from './document/json.js';
import type { ContractHooks } from './hooks.js';
import type { Laws } from './laws/types.js';
import type { Check, ContractProgress } from './report/types.js';

/** What `testContract` runs against, with what, and for how long. */
export interface ContractOptions {
  /** The server's address; a path in it stands before every path of the spec. `servers` in the spec counts for nothing. */
  url: string;
  /** The OpenAPI 3.0 or 3.1 document: a path, an http(s) address or the document itself. Latchkey's own by default. */
  spec?: string | URL | object;
  /**
   * The credential of the run, for every security scheme that is not in `credentials`. For HTTP basic it is
   * `user:password`; without a colon it is the password of the user `token`.
   */
  token?: string;
  /** Credentials by the name of their security scheme, where they differ. */
  credentials?: Record<string, string>;
  /**
   * Logs in through the spec's login operation instead of taking a `token`. This also gives the run throw-away sessions,
   * with which it can test operations that end the session.
   */
  login?: { username: string; password: string };
  /**
   * A second identity, or several: what the run's own has made, these can neither see nor change, unless an operation
   * is in `shared`. One whose role is another is refused by what it may not do.
   */
  other?: Identity | Identity[];
  /** The operationIds whose things and answers all identities share, such as a list of countries. */
  shared?: string[];
  /** What the document cannot say; what breaks it is a fault. */
  laws?: Laws;
  /** Milliseconds that an answer may take; a slower one is a fault. Unbounded, but for `answerTimeoutMs`, by default. */
  maxResponseMs?: number;
  /** Begins no new case once so many faults are found; unbounded by default. */
  maxFaults?: number;
  /** Runs the operations with this tag or operationId alone. Others are still called where these need them. */
  only?: string;
  /** The operationIds that are never called, with the reason, such as `it sends mail`. */
  leaveOut?: Record<string, string>;
  /**
   * Values by operationId, or `*` for all operations that have the parameter; by place and name, such as
   * `path.customer_id`, `query.region`, `header.X-Tenant` or `body.address.city`. `from listCustomers` is what the first
   * row of that list has, and `from listCustomers at /data/0/id` what its answer has there; others are sent as they are.
   */
  values?: Record<string, Record<string, Json>>;
  /** Called in the run, for what neither the document nor these options can say. */
  hooks?: ContractHooks;
  /** The checks that count; all by default. What is about the run as a whole counts always. */
  checks?: Check[];
  /** Checks that do not count. */
  excludeChecks?: Check[];
  /** Replays a run; random by default. */
  seed?: number;
  /** Repeats the run with each of these seeds, until one breaks the contract; `seed` is not looked at. */
  seeds?: number[];
  /** Milliseconds that the whole run may take; 60 seconds by default. What is not tested by then is in the report. */
  timeMs?: number;
  /** Lets `report.held` be true where not everything could be tested; false by default. */
  allowIncomplete?: boolean;
  /** Random requests per operation; 60 by default. */
  fuzzRuns?: number;
  /** Milliseconds in which the server has to answer one request; 10 seconds by default. */
  answerTimeoutMs?: number;
  /** Sent with every request, such as the header of a gateway. */
  headers?: Record<string, string>;
  /** Told before every request. */
  onProgress?: (progress: ContractProgress) => void;
}

/** Who asks: what `token`, `credentials` and `login` are for the run's own identity. */
export type Identity = Pick<ContractOptions, 'token' | 'credentials' | 'login'>;
