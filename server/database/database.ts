import type { MigrationProgress } from './progress.js';
import type { Queries } from './schema.js';

/** The one way to the store, whatever the engine. */
export interface Database {
  /** For queries that change nothing: sees every commit, of this process and of others. */
  read: Queries;
  /**
   * Runs `work` in a transaction and resolves when its commit is on disk. What throws undoes its own changes alone.
   *
   * `work` must await nothing but queries on the `trx` that it gets, and change nothing but the database: on PostgreSQL it
   * runs again where the server ended the transaction for another's sake. Rejects with `WriteQueueFull` where too many wait.
   */
  write<T>(work: (trx: Queries) => Promise<T>): Promise<T>;
  /** Rejects where the database does not answer. */
  ping(): Promise<void>;
  /** Waits for the writes under way and gives back all that the engine holds. */
  close(): Promise<void>;
}

/** How a database is opened. A file needs the first two alone. */
export interface OpenOptions {
  /** Is told every few seconds while another process brings the schema up to date. */
  onWait?: (() => void) | undefined;
  /** Is told at the start of a migration that may take long, and every few seconds from then on. */
  onProgress?: ((progress: MigrationProgress) => void) | undefined;
  /** File with the password, read at each connect; null for the one in the URL, or none. */
  passwordFile?: string | null | undefined;
  /** Most connections for transactions; look-ups have two of their own. */
  connections?: number | undefined;
  /** The PostgreSQL schema that has the tables. */
  schema?: string | undefined;
}
