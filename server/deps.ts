import type { Config } from './config/config.js';
import type { Database, Queries } from './database/index.js';
import type { Stream } from './http/stream.js';
import type { GitHubKeys } from './leaks/github/keys.js';
import type { Log } from './log/log.js';
import type { MailText } from './mail/texts.js';
import type { Now } from './timers.js';
import type { Actor } from './tokens/actor.js';
import type { Caller } from './tokens/caller.js';

/** What the functions of the domain and the handlers need. It is their first parameter. */
export interface Deps {
  db: Database;
  now: Now;
  config: Readonly<Config>;
  log: Log;
  lastUsed: LastUsed;
  passwords: Passwords;
  loginThrottle: LoginThrottle;
  events: Events;
  feed: Feed;
  leaks: Leaks;
  notices: Notices;
  mails: Mails;
  /** GitHub's public keys; null if the operator has not set where they are. */
  gitHubKeys: GitHubKeys | null;
  keyring: Keyring;
  webhooks: Webhooks;
}

/** Notices tokens that expire. */
export interface Notices {
  /** Begins at this instant, if this is the first start on the database. What was due before is not noticed. */
  begin(): Promise<void>;
  /** Notices what is due, and resolves with true, unless a process has done so within the last minute. */
  sweep(): Promise<boolean>;
  /** Notices what is due, without waiting for its minute. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

/** Sends mails, where the operator has set a mail server. */
export interface Mails {
  /** Lets a mail to this person wait, in the transaction of what it tells of. */
  queue(trx: Queries, at: number, ownerId: number, mail: MailText): Promise<void>;
  /** Tells that mails may wait. */
  wake(): void;
  /** Sends what waits. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

/** Acts on reported leaks. */
export interface Leaks {
  /** Tells that a report was stored, which is then acted on within a second. */
  wake(): void;
  /** Acts at once on the reports that this process stored. Rejects with a storage fault. */
  settle(): Promise<void>;
  /** Waits for the action under way. */
  close(): Promise<void>;
}

/** Encrypts secrets that the service has to read again, with a key that is not in the database. */
export interface Keyring {
  /** Rejects with `InvalidArgument` if the database has secrets, and this service has not their key. */
  check(): Promise<void>;
  /** Resolves with the present key; makes one if there is none yet. Rejects with `secret_key_missing`. */
  sealer(): Promise<Sealer>;
  /** Decrypts what a sealer encrypted for the same context; undefined if this service has not the key. */
  unseal(sealed: Uint8Array, context: Uint8Array): string | undefined;
}

/** One key of a keyring. */
export interface Sealer {
  /** Locks the key until `trx` ends. Resolves with false if it was replaced, and must not be used any more. */
  lock(trx: Queries): Promise<boolean>;
  /** Encrypts `text` for `context`, which says what it belongs to. */
  seal(text: string, context: Uint8Array): Uint8Array;
}

/** Sends events to webhooks. */
export interface Webhooks {
  /** Rejects with `url_not_allowed` if the service must not send to this URL. */
  checkUrl(url: string): Promise<void>;
  /** Tells that there may be something to send. */
  wake(): void;
  /** Tells that a webhook was created or enabled, or that the one with `edited` may have another URL now, and wakes. */
  added(edited?: number): void;
  /** Sends all that is due, and resolves when nothing is. For the local server for tests. */
  settle(): Promise<void>;
  /** Waits a moment for the requests under way, and stops. What was not answered is sent again at the next start. */
  close(): Promise<void>;
}

/** What happens to events besides the changes that write them: they are linked, counted, and deleted when they are old. */
export interface Events {
  /** Tells that a change may have written an event, which is then linked soon. */
  wake(): void;
  /**
   * Calls `listener` each time after this process has linked events, which any process may have written. With `watch`, also
   * calls it soon after another process has, until the returned function is called. It may be called for no reason.
   */
  onLinked(listener: () => void, options?: { watch?: boolean }): () => void;
  /** Counts a failed login. An event each minute says how many there were from each address. */
  loginFailed(actor: Actor): void;
  /** Does what is left to do for the last time. It never rejects, because no request depends on it. */
  close(): Promise<void>;
}

/** Streams events to callers as they happen. */
export interface Feed {
  /**
   * Begins a stream of the events that follow the event `after`, or of those that are linked from now on. An auditor gets all
   * events of the organization, anybody else those of their own tokens.
   *
   * Rejects with `events_gone` if events after `after` are missing, with `too_many_requests` if the caller's owner has as many
   * streams as allowed, and with `overloaded` or `service_unavailable` if the process has, or stops. The stream counts until it
   * has run to its end, so it must be run.
   */
  follow(caller: Caller, wish: { after: number | undefined; isAuditor: boolean }): Promise<Stream>;
  /** How many streams are open. */
  count(): number;
  /** Ends all streams. */
  close(): void;
}

/** Records when tokens are used, so that `lastUsedAt` is right within a minute without a write for each request. */
export interface LastUsed {
  /** Records a use at the instant `at`. `stored` is the instant in the token's row. Both are milliseconds since 1970. */
  note(used: UsedSecret, stored: number | null, at: number): void;
  /** Writes the recorded uses. It never rejects, because no request depends on it. */
  flush(): Promise<void>;
  /** Writes the recorded uses for the last time. */
  close(): Promise<void>;
}

export interface UsedSecret {
  tokenId: number;
  digest: { readonly start: Uint8Array };
}

export interface Passwords {
  /** Resolves with the password's Argon2id hash as a PHC string. Throws `InvalidArgument` outside 8 to 1024 characters. */
  hash(password: string): Promise<string>;
  /**
   * Resolves with true when `stored` is a hash of `password`. With `undefined`, for an unknown user, it takes the same time
   * and resolves with false. It calls `attempt` when the attempt's turn comes and when the outcome is known. Rejects with
   * whatever `attempt` throws, and with `overloaded` when too many attempts wait.
   */
  verify(stored: string | undefined, password: string, attempt: LoginAttempt): Promise<boolean>;
}

/**
 * Slows down guessing of passwords. It counts failures for each pair of address and user, and for each address alone, so
 * that failures from other addresses lock no user out. All processes on one database count together.
 */
export interface LoginThrottle {
  /**
   * Rejects with `too_many_requests` and `Retry-After` while this process knows that this address has failed too often.
   * Clients whose address is not known count as one.
   */
  attempt(user: string, address: string | null): Promise<LoginAttempt>;
}

/** After `begin`, an attempt ends with `fail` or with `succeed`. Each rejects with a storage fault if it cannot be counted. */
export interface LoginAttempt {
  /**
   * Waits until the attempt may check the password. Rejects with `too_many_requests` when attempts that arrived earlier have
   * failed meanwhile.
   */
  begin(): Promise<void>;
  fail(): Promise<void>;
  succeed(): Promise<void>;
}
