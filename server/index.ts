import { createApp } from './app.js';
import type { Now } from './clock.js';
import { type Config, completeConfig } from './config.js';
import { createConnections } from './connections.js';
import { createContract } from './contract.js';
import { type Database, openDatabase } from './database/index.js';
import type { Deps } from './deps.js';
import { createHandlers } from './handlers/index.js';
import type { ServiceState } from './handlers/service.js';
import { createLog, type Log } from './log.js';
import { createLastUsed } from './tokens/last-used.js';
import { createLoginThrottle } from './users/login-throttle.js';
import { createPasswords, generatePassword } from './users/passwords.js';
import { addFirstUser } from './users/users.js';

export { type Config, isEmail, readConfig } from './config.js';
export { DatabaseRefusal } from './database/index.js';
export { InvalidArgument } from './invalid-argument.js';
export { openUsers, type Users } from './users/admin.js';
export { generatePassword } from './users/passwords.js';

export interface ServerOptions extends Partial<Config> {
  /** The clock, in milliseconds since 1970; `Date.now` by default. */
  now?: Now;
  /** Where the log goes; standard error by default. */
  log?: Log;
  /** Another way to the store than the file at `database`. */
  openDatabase?: (path: string) => Promise<Database>;
}

export interface RunningServer {
  /** Where the server listens, such as `http://127.0.0.1:8080`. */
  url: string;
  /** The user that was created because the database had none; null where it had. */
  firstUser: { email: string; password: string; generated: boolean } | null;
  /** Stops accepting, answers what is in flight (9 seconds at most), brings the database file up to date, closes it. */
  close(): Promise<void>;
}

/**
 * Starts the service and resolves when it answers.
 *
 * Rejects with `InvalidArgument` for an option out of bounds, with `DatabaseRefusal` where the database cannot be
 * served, and with the system's error (`EADDRINUSE`, `EACCES`, ...) where it cannot listen.
 */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const { now = Date.now, log: givenLog, openDatabase: open = openDatabase, ...given } = options;
  const config = completeConfig(given);
  const log = givenLog ?? createLog(config.logLevel);

  const db = await open(config.database);
  const deps: Deps = {
    db,
    now,
    config,
    log,
    lastUsed: createLastUsed(db, log),
    passwords: createPasswords(),
    loginThrottle: createLoginThrottle(now),
  };
  const state: ServiceState = { phase: 'starting' };
  const contract = await createContract(deps, createHandlers(state));
  const connections = createConnections(createApp(contract, log, state).callback(), log);
  try {
    const url = await connections.listen(config);
    // After listening: a server that cannot listen would take the password that was generated with it.
    const firstUser = await ensureFirstUser(deps);
    state.phase = 'ready';

    let closing: Promise<void> | undefined;
    async function close(): Promise<void> {
      state.phase = 'draining';
      await connections.drain();
      await deps.lastUsed.flush();
      await db.close();
    }
    return { url, firstUser, close: () => (closing ??= close()) };
  } catch (error) {
    connections.destroy();
    await db.close();
    throw error;
  }
}

async function ensureFirstUser(deps: Deps): Promise<RunningServer['firstUser']> {
  const { adminEmail: email, adminPassword } = deps.config;
  const password = adminPassword ?? generatePassword();
  const added = await addFirstUser(deps, { email, fullName: '', isAdmin: true, password });
  return added ? { email, password, generated: adminPassword === null } : null;
}
