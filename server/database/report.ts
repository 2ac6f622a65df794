/** What a check has found in a database. */
export interface DatabaseReport {
  /** The newest migration that the database has; null if it has none. */
  schema: string | null;
  /** The migrations that the next start will run; empty if the schema is up to date. */
  pending: string[];
  /** The size of the file and its write-ahead log, or of the tables and their indexes, in bytes. */
  bytes: number;
  /** The number of rows in each table. */
  rows: Record<string, number>;
  /** A description of each fault; empty if the database is intact. */
  faults: string[];
  /** What the operator may want to change; empty if there is nothing. */
  warnings: string[];
}

export function emptyReport(): DatabaseReport {
  return { schema: null, pending: [], bytes: 0, rows: {}, faults: [], warnings: [] };
}
