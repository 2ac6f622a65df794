import type { Config } from './config/config.js';
import type { Log } from './log/log.js';
import type { Now } from './timers.js';

// These types are public. They name no type of another package, so that a consumer needs no further package.

export interface ServerOptions extends Partial<Config> {
  /** The clock, in milliseconds since 1970; `Date.now` by default. */
  now?: Now;
  /** The log, such as a pino logger; by default JSON lines on standard error. */
  log?: Log;
  /** Makes this a local server for tests; see `TestingServerOptions`. */
  testing?: undefined;
}

export interface RunningServer extends AsyncDisposable {
  /** The server's URL, such as `http://127.0.0.1:8080`. */
  url: string;
  /** The user that was created because the database had none; null if it had users. */
  firstUser: { email: string; password: string; generated: boolean } | null;
  /**
   * Stops accepting, answers the requests in flight (for 9 seconds at most), writes SQLite's log back into the file and
   * closes the database. `await using` calls this too.
   */
  close(): Promise<void>;
}
