// Types for the tests, of the part of embedded-postgres.mjs that they use.

export interface RunningPostgres {
  /** URL of its database `postgres`, as a superuser. */
  url: string;
  /** The folder of its data. The first line of `postmaster.pid` there is its process id. */
  folder: string;
  /** Starts it again. All its processes must have ended. */
  start(): Promise<void>;
  /** Stops it and removes its data. */
  stop(): Promise<void>;
}

export function startPostgres(settings?: Record<string, string>): Promise<RunningPostgres>;
export function databaseAt(url: string, name: string): string;
export function freePort(): Promise<number>;
/** The folder of the package with PostgreSQL's programs, which are in `native/bin`. */
export function postgresFolder(): string;
