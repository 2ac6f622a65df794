import type { Json } from './document/json.js';
import type { ContractHooks } from './hooks.js';
import type { Laws } from './laws/types.js';
import type { Check, ContractProgress } from './report/types.js';

/** The options of `testContract`: the server, the document, the credentials and the limits of the run. */
export interface ContractOptions {
  /** The server's URL. Its path, if any, precedes every path of the document. `servers` in the document is ignored. */
  url: string;
  /** The OpenAPI 3.0 or 3.1 document: a path, an http(s) URL or the document itself. Latchkey's own by default. */
  spec?: string | URL | object;
  /**
   * The credential of the run, for every security scheme that is not in `credentials`. For HTTP basic it is
   * `user:password`; without a colon it is the password of the user `token`.
   */
  token?: string;
  /** Credentials by the name of their security scheme; all other schemes use `token`. */
  credentials?: Record<string, string>;
  /**
   * The user that logs in through the document's login operation, instead of a `token`. With a login the run can open
   * disposable sessions, and so test operations that end a session.
   */
  login?: { username: string; password: string };
  /**
   * One or more further identities. They can neither see nor change what the run's own identity has created, except
   * through operations in `shared`. An identity with another role may get 403 from operations that its role lacks.
   */
  other?: Identity | Identity[];
  /** The operationIds whose answers and things all identities share, such as a list of countries. */
  shared?: string[];
  /** Rules that the document cannot express. Breaking one is a fault. */
  laws?: Laws;
  /** Milliseconds that an answer may take; a slower answer is a fault. By default only `answerTimeoutMs` limits it. */
  maxResponseMs?: number;
  /** Number of faults after which the run stops; no limit by default. */
  maxFaults?: number;
  /** A tag or an operationId. Only these operations are tested; others are called only to prepare requests. */
  only?: string;
  /**
   * The operationIds that are never called, each with the reason, such as `it sends mail`. By default, the operations with
   * `x-contract-leave-out`, whose value in the document is the reason.
   */
  leaveOut?: Record<string, string>;
  /**
   * Values of parameters and body members, by operationId; `*` means all operations that have the parameter. The inner
   * names are place and name, such as `path.customer_id`, `query.region`, `header.X-Tenant` or `body.address.city`.
   * `from listCustomers` takes the value from the first row of that list, and `from listCustomers at /data/0/id` the
   * value at that JSON pointer of the list's answer. Any other value is sent unchanged.
   */
  values?: Record<string, Record<string, Json>>;
  /** Functions that the run calls, for what neither the document nor these options can express. */
  hooks?: ContractHooks;
  /** The checks that are run; all by default. Checks of the run as a whole are always run. */
  checks?: Check[];
  /** Checks that are not run. */
  excludeChecks?: Check[];
  /** The seed of the random requests, an integer from 0 to 2147483647; random by default. Repeats an earlier run. */
  seed?: number;
  /** Repeats the run with each of these seeds, until a report is not `held`; `seed` is then ignored. */
  seeds?: number[];
  /** Milliseconds that the whole run may take; 60000 by default. The report lists what is not tested by then. */
  timeMs?: number;
  /** Whether `report.held` may be true although not everything could be tested; false by default. */
  allowIncomplete?: boolean;
  /** Number of random requests for each operation; 60 by default. */
  fuzzRuns?: number;
  /** Milliseconds in which the server must answer one request; 10000 by default. */
  answerTimeoutMs?: number;
  /** Headers that are sent with every request, such as the key of a gateway. */
  headers?: Record<string, string>;
  /** Is called before every request. */
  onProgress?: (progress: ContractProgress) => void;
}

/** The credentials of one caller; see the members of `ContractOptions`. */
export type Identity = Pick<ContractOptions, 'token' | 'credentials' | 'login'>;
