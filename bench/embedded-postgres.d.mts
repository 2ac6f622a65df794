// What the tests, which are TypeScript, use of embedded-postgres.mjs.

export interface RunningPostgres {
  /** URL of its database `postgres`, as a superuser. */
  url: string;
  /** Where it keeps its data; its process id is the first line of `postmaster.pid` there. */
  folder: string;
  /** Starts it again, if all its processes have ended. */
  start(): Promise<void>;
  /** Stops it and removes its data. */
  stop(): Promise<void>;
}

export function startPostgres(settings?: Record<string, string>): Promise<RunningPostgres>;
export function databaseAt(url: string, name: string): string;
export function freePort(): Promise<number>;
/** The folder of the package with PostgreSQL's programs, which are in `native/bin`. */
export function postgresFolder(): string;
