import type { OperationId } from '../contract/operation-id.js';
import type { RunningServer, ServerOptions } from '../options.js';
import type { Connection, TestClient } from './client.js';
import type { Instant, TestClock } from './clock.js';
import type { RecordedDeliveries } from './deliveries.js';
import type { RecordedMails } from './mails.js';
import type { Requests } from './requests.js';
import type { Seed, SeededOwner, SeededUser } from './seed.js';

export type { Connection, TestClient } from './client.js';
export type { ClockState, Instant, TestClock } from './clock.js';
export type { RecordedDeliveries, RecordedDelivery } from './deliveries.js';
export type { RecordedMail, RecordedMails } from './mails.js';
export type { RecordedRequest, Requests, WaitOptions } from './requests.js';
export type {
  Seed,
  SeedExternalUser,
  SeededOwner,
  SeededToken,
  SeededUser,
  SeedInstant,
  SeedService,
  SeedToken,
  SeedUser,
  SeedWebhook,
} from './seed.js';

/** Options that only a local server has. */
export interface TestingOptions {
  /**
   * The data at the start and after each `reset`: a seed, or the path of a JSON or YAML file that contains one. The schema
   * is `latchkey/seed.schema.json`. If the seed has no users, the only user is the first user of the configuration.
   */
  seed?: Seed | string;
  /** Stops the clock at this instant, at the start and after each `reset`. Without it the clock runs. */
  frozenAt?: Instant;
  /** Seed of the random numbers for faults with a `probability`: an integer, 1 by default. A `reset` restarts them. */
  randomSeed?: number;
}

/**
 * Options of a local server for tests. By default it listens on a free port, keeps its database in memory and does not log.
 * `host` must be a loopback address and `database` must be `:memory:`, because everybody who can reach the server controls
 * it. Password hashes are weak, to be fast, and `lastUsedAt` is written at once.
 */
export interface TestingServerOptions extends Omit<ServerOptions, 'testing'> {
  /** Makes this a local server. Pass `{}` for no seed. */
  testing: TestingOptions;
}

/** The data and the clock of a local server at one instant. Other local servers of the process can restore it too. */
export interface Snapshot {
  readonly database: Buffer;
  readonly clock: { readonly now: number; readonly frozen: boolean };
}

/**
 * Names a caller:
 *
 * - the e-mail of a user, who gets a session; it is opened when first needed, and again after it expires or the data are
 *   reset;
 * - a token by its plaintext, or a seeded token by the shorthand in the seed, such as `deploy`;
 * - null for no credential;
 * - undefined for the first user.
 */
export type As = string | null | undefined;

/** A local server for tests: the real service with its data in memory, and controls for data, clock and faults. */
export interface TestingServer extends RunningServer {
  /** The users of the seed in its order, with their passwords and the plaintexts of their tokens. */
  readonly users: readonly SeededUser[];
  /** The services and the external owners of the seed, in its order, with the plaintexts of their tokens. */
  readonly owners: readonly SeededOwner[];
  /** The clock that the service uses for everything, such as expiry, `createdAt` and `Date`. */
  readonly clock: TestClock;
  /** Faults that the test plans, such as a 503 or a lost answer. */
  readonly faults: Faults;
  /** The requests received, oldest first, without their secrets. */
  readonly requests: Requests;
  /** The mails that an ordinary service would have sent, such as before a token expires. */
  readonly mails: RecordedMails;
  /** What was sent to webhooks. */
  readonly webhooks: RecordedDeliveries;
  /** Creates a client that authenticates as `as`. Throws `InvalidArgument` for an unknown user or token. */
  client(as?: As): TestClient;
  /** URL and credential of `as`, to create a client of your own. Throws `InvalidArgument` for an unknown user or token. */
  connection(as?: As): Connection;
  /**
   * Sets data and clock back to the start, and removes faults, recorded requests and mails, log-in failures and sessions. Waits for
   * requests in flight, for a second at most.
   */
  reset(): Promise<void>;
  /** Replaces the seed by `seed`, or by the file at this path, and resets. Rejects with `InvalidArgument` if it is invalid. */
  seed(seed: Seed | string): Promise<readonly SeededUser[]>;
  /** Takes a snapshot of data and clock, for `restore`. */
  snapshot(): Promise<Snapshot>;
  /** Sets data and clock to those of `snapshot`. */
  restore(snapshot: Snapshot): Promise<void>;
}

/**
 * A fault that hits the next matching requests, before authentication and validation, or the next deliveries to a webhook. It needs at least one of `status`,
 * `drop` and `delayMs`; `status` and `drop` exclude each other.
 */
export interface Fault {
  /** The operation that fails, such as `createAccessToken`; any operation by default. */
  operationId?: OperationId;
  /**
   * The URL of the webhook whose deliveries fail, or `*` for all webhooks. Such a fault hits no request. `status` is then the
   * answer, and nothing is sent; with `drop` the connection breaks `before-handler`, or `after-commit`, which is after the
   * receiver has got the delivery. A `delayMs` of 15000 and more is a time-out.
   */
  webhook?: string;
  /** How many requests fail, 1 to 1000000. By default one, or with `probability` any number. */
  times?: number;
  /** Chance of each request to fail, 0 to 1. The random numbers depend on `testing.randomSeed`. */
  probability?: number;
  /**
   * Status of the answer. 429, 500 and 503 have the operation's error body, and 429 and 503 also `Retry-After`. 502 and 504
   * are plain text, as a proxy sends them.
   */
  status?: 429 | 500 | 502 | 503 | 504;
  /** Seconds in `Retry-After`, 0 to 86400; 1 by default. */
  retryAfterSeconds?: number;
  /** Milliseconds to wait before anything else, 0 to 600000. */
  delayMs?: number;
  /**
   * Closes the connection without an answer: `before-handler` before anything is done, `after-commit` after the operation
   * has been executed and stored.
   */
  drop?: 'before-handler' | 'after-commit';
}

/** A planned fault that can still hit requests. */
export interface ActiveFault extends Fault {
  id: string;
  /** How many requests it has hit. */
  hits: number;
  /** How many more it will hit; null for no limit. */
  left: number | null;
}

export interface Faults {
  /**
   * Plans a fault and returns its id. If several faults match a request, the one planned first hits it. Throws
   * `InvalidArgument` for an invalid fault.
   */
  add(fault: Fault): string;
  /** The faults that can still hit requests, in the order in which they were planned. */
  all(): ActiveFault[];
  /** Removes a fault; returns false if there is none with this id. */
  remove(id: string): boolean;
  /** Removes all faults. Requests that are being delayed continue at once. */
  clear(): void;
}
