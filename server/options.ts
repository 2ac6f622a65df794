import type { Config } from './config/config.js';
import type { Log } from './log/log.js';
import type { Now } from './timers.js';

// Everything here is public: it names no type of another package, so that a consumer needs none.

export interface ServerOptions extends Partial<Config> {
  /** The clock, in milliseconds since 1970; `Date.now` by default. */
  now?: Now;
  /** Where the log goes; standard error by default. */
  log?: Log;
  /** For tests alone, see `TestingServerOptions`; without it nothing of that is there. */
  testing?: undefined;
}

export interface RunningServer extends AsyncDisposable {
  /** Where the server listens, such as `http://127.0.0.1:8080`. */
  url: string;
  /** The user that was created because the database had none; null where it had. */
  firstUser: { email: string; password: string; generated: boolean } | null;
  /**
   * Stops accepting, answers what is in flight (9 seconds at most), brings the database file up to date and closes it.
   * `await using` does the same.
   */
  close(): Promise<void>;
}
