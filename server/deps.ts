import type { Now } from './clock.js';
import type { Config } from './config.js';
import type { Database } from './database/index.js';
import type { Log } from './log.js';
import type { LastUsed } from './tokens/last-used.js';
import type { LoginThrottle } from './users/login-throttle.js';
import type { Passwords } from './users/passwords.js';

/** What domain and handlers work with: passed first, everywhere. */
export interface Deps {
  db: Database;
  now: Now;
  config: Readonly<Config>;
  log: Log;
  lastUsed: LastUsed;
  passwords: Passwords;
  loginThrottle: LoginThrottle;
}
