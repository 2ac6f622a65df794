import type { AtCommit } from './at-commit.js';
import type { MigrationProgress } from './progress.js';
import type { Queries } from './schema.js';
import type { Watch } from './watch.js';

/** The database of the service, on either engine. */
export interface Database {
  /** Runs queries that change nothing. These queries see every commit of this process and of other processes. */
  read: Queries;
  /**
   * Calls `work`. On SQLite, the queries on `read` that begin before `work` returns take half of the time, because they share
   * one snapshot. The snapshot is not older than the call. Throws only what `work` throws: if the database is closed or
   * broken, each query rejects.
   */
  readTogether(work: () => void): void;
  /**
   * Runs `work` in a transaction and resolves with the result of `work` when the commit is on disk, or earlier if `work` calls
   * `syncLater`. If `work` throws, undoes the changes of `work` and rejects with the thrown error.
   *
   * `work` must await only queries on its `trx`, and must change only the database: on PostgreSQL `work` runs again if
   * the server aborted the transaction because of another transaction. Rejects with `WriteQueueFull` if too many writes
   * wait. With a `turn`, waits for other writes of this process as the turn says.
   */
  write<T>(work: (trx: Queries) => Promise<T>, turn?: Turn): Promise<T>;
  /** Whether the events of a write have their places in the chain when `write` resolves. */
  linksAtOnce: boolean;
  watch: Watch;
  /** Rejects if the database does not answer. */
  ping(): Promise<void>;
  /**
   * Resolves with the clock of the database server, in milliseconds since 1970; with null on SQLite, which has the clock of
   * this machine. Rejects if the database does not answer.
   */
  clock(): Promise<number | null>;
  /** Waits until all writes have ended, and closes the database. */
  close(): Promise<void>;
}

/** How a write waits for others on PostgreSQL. On SQLite all writes wait for each other, and share commits. */
export interface Turn {
  /** The id of a user whom the write locks. Writes of this process with the same id wait for each other. */
  owner: number;
  /** Whether the write can be in one transaction with others: it locks that user, and nothing else that exists already. */
  sharesCommit: boolean;
}

/** Options of opening a database. SQLite uses only `onWait`, `onProgress` and `migrate`. */
export interface OpenOptions {
  /** Called every few seconds while another process migrates the schema. */
  onWait?: (() => void) | undefined;
  /** Called at the start of a migration that may take long, and then every few seconds until its end. */
  onProgress?: ((progress: MigrationProgress) => void) | undefined;
  /** Called with a sentence if a setting of the server endangers what is stored. */
  onWarning?: ((warning: string) => void) | undefined;
  /** Whether opening migrates the schema (`start`, the default) or rejects an older one (`never`). */
  migrate?: 'start' | 'never' | undefined;
  /** The file with the PostgreSQL password, read for each connection; null to use the URL's password, if it has one. */
  passwordFile?: string | null | undefined;
  /** The most connections to PostgreSQL for transactions. Look-ups use two further connections. */
  connections?: number | undefined;
  /** The PostgreSQL schema that contains the tables. */
  schema?: string | undefined;
}

/** Options of opening the database of a service. */
export interface ServiceOptions extends OpenOptions {
  /** Writes the events of a transaction at its end; only on SQLite. By default each event is written at once, without a place. */
  atCommit?: AtCommit | undefined;
}
