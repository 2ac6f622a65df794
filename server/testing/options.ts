import type { OperationId } from '../contract/operation-id.js';
import type { RunningServer, ServerOptions } from '../options.js';
import type { Connection, TestClient } from './client.js';
import type { Instant, TestClock } from './clock.js';
import type { Requests } from './requests.js';
import type { Seed, SeededUser } from './seed.js';

export type { Connection, TestClient } from './client.js';
export type { ClockState, Instant, TestClock } from './clock.js';
export type { RecordedRequest, Requests, WaitOptions } from './requests.js';
export type { Seed, SeededToken, SeededUser, SeedInstant, SeedToken, SeedUser } from './seed.js';

/** What a testing server starts with. */
export interface TestingOptions {
  /**
   * What is in the database at the start and after each `reset`: the seed itself, or the path of a JSON or YAML file. Its
   * form is `latchkey/seed.schema.json`. Without users, the one user is the configuration's first user.
   */
  seed?: Seed | string;
  /** The instant at which the clock stands still at the start and after each `reset`; without it the clock runs. */
  frozenAt?: Instant;
  /** What the chances of faults with a `probability` are drawn from, an integer; 1 by default, anew at each `reset`. */
  randomSeed?: number;
}

/**
 * The options of a local server for tests. Unlike a service it listens on a free port, keeps its database in memory and
 * is silent; `host` must be a loopback address and `database` must stay `:memory:`, since everybody who reaches the
 * server controls it. Passwords are hashed quickly rather than well, and `lastUsedAt` is written at once.
 */
export interface TestingServerOptions extends Omit<ServerOptions, 'testing'> {
  /** Makes this a testing server; `{}` for one without a seed. */
  testing: TestingOptions;
}

/** All the data and the clock of a moment; another testing server of the same process can be set to it, too. */
export interface Snapshot {
  readonly database: Buffer;
  readonly clock: { readonly now: number; readonly frozen: boolean };
}

/**
 * A caller: a user by e-mail, with a session that is opened when it is first needed and again when its time is over or
 * the data are reset; a seeded token by its plaintext or the shorthand that it was made of; null for nobody. Undefined is
 * the first user.
 */
export type As = string | null | undefined;

/** A local server for tests: the real service in memory, and what a test needs to set the scene. */
export interface TestingServer extends RunningServer {
  /** The users of the seed with their passwords and the plaintexts of their tokens, in its order. */
  readonly users: readonly SeededUser[];
  /** The service's clock: whatever it decides, records or says of the time, it does by this one. */
  readonly clock: TestClock;
  /** What goes wrong, on purpose. */
  readonly faults: Faults;
  /** The requests received, oldest first, without their secrets. */
  readonly requests: Requests;
  /** A client that sends the credential of `as`. Throws `InvalidArgument` where there is no such user or token. */
  client(as?: As): TestClient;
  /** What a client that sends the credential of `as` is made from. Throws `InvalidArgument` as `client` does. */
  connection(as?: As): Connection;
  /**
   * Sets data and clock back to the start, and forgets faults, requests, log-in failures and sessions of `client`. Waits
   * for requests in flight, a second at most.
   */
  reset(): Promise<void>;
  /** Makes `seed`, or the file at this path, what `reset` goes back to, and resets. Rejects with `InvalidArgument`. */
  seed(seed: Seed | string): Promise<readonly SeededUser[]>;
  /** Keeps data and clock as they are now. */
  snapshot(): Promise<Snapshot>;
  /** Sets data and clock to those of `snapshot`. */
  restore(snapshot: Snapshot): Promise<void>;
}

/**
 * What goes wrong with the next requests for an operation. Of `status` and `drop` there is one at most, and with
 * neither `delayMs`. A fault comes before authentication and validation, as one of the network does.
 */
export interface Fault {
  /** The operation that fails, such as `createAccessToken`; any operation where there is none. */
  operationId?: OperationId;
  /** How many requests fail, 1 to 1000000. By default one, or with `probability` any number. */
  times?: number;
  /** The chance of each request to fail, 0 to 1, drawn from `testing.randomSeed`. */
  probability?: number;
  /**
   * The status to answer with: 429, 500 and 503 as the operation states errors, 429 and 503 with `Retry-After`; 502 and
   * 504 as a proxy does, in plain text.
   */
  status?: 429 | 500 | 502 | 503 | 504;
  /** Seconds in `Retry-After`, 0 to 86400; 1 by default. */
  retryAfterSeconds?: number;
  /** Milliseconds before anything else happens, 0 to 600000. */
  delayMs?: number;
  /**
   * Ends the connection without an answer: `before-handler`, and nothing was done; or `after-commit`, and what was asked
   * for is done and on record.
   */
  drop?: 'before-handler' | 'after-commit';
}

export interface ActiveFault extends Fault {
  id: string;
  /** How many requests it has hit. */
  hits: number;
  /** How many it will hit still; null for any number. */
  left: number | null;
}

export interface Faults {
  /** Plans a fault; the first planned of those that fit a request hits it. Throws `InvalidArgument`. Gives its id. */
  add(fault: Fault): string;
  /** Those that can still hit, in the order in which they were planned. */
  all(): ActiveFault[];
  /** Calls a fault off; false where there is none of this id. */
  remove(id: string): boolean;
  /** Calls all faults off; requests that are being delayed go on at once. */
  clear(): void;
}
