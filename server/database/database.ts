import type { MigrationProgress } from './progress.js';
import type { Queries } from './schema.js';

/** The database of the service, on either engine. */
export interface Database {
  /** Runs queries that change nothing. They see every commit of this and of other processes. */
  read: Queries;
  /**
   * Runs `work` in a transaction and resolves when its commit is on disk. If `work` throws, only its own changes are
   * undone.
   *
   * `work` must await only queries on its `trx` and change only the database: on PostgreSQL it runs again if the server
   * aborted the transaction because of another one. Rejects with `WriteQueueFull` if too many writes wait.
   */
  write<T>(work: (trx: Queries) => Promise<T>): Promise<T>;
  /** Rejects if the database does not answer. */
  ping(): Promise<void>;
  /** Waits for running writes and releases all resources of the engine. */
  close(): Promise<void>;
}

/** Options of opening a database. SQLite uses only `onWait`, `onProgress` and `migrate`. */
export interface OpenOptions {
  /** Is called every few seconds while another process migrates the schema. */
  onWait?: (() => void) | undefined;
  /** Is called at the start of a migration that may take long, and every few seconds from then on. */
  onProgress?: ((progress: MigrationProgress) => void) | undefined;
  /** Whether opening migrates the schema (`start`, the default) or rejects an older one (`never`). */
  migrate?: 'start' | 'never' | undefined;
  /** File with the PostgreSQL password, read at each connect; null to use the password in the URL, if there is one. */
  passwordFile?: string | null | undefined;
  /** Most connections for transactions; two more are for look-ups. */
  connections?: number | undefined;
  /** The PostgreSQL schema that contains the tables. */
  schema?: string | undefined;
}
