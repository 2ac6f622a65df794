import { type Config, openOptions } from './config/config.js';
import { InvalidArgument } from './config/invalid-argument.js';
import { IN_MEMORY, openDatabase } from './database/index.js';
import type { RunningServer, ServerOptions } from './options.js';
import { start } from './start.js';
import type { TestingServer, TestingServerOptions } from './testing/options.js';
import type { RunningWorkers } from './workers/primary.js';

export { type Config, isEmail, readConfig } from './config/config.js';
export { InvalidArgument } from './config/invalid-argument.js';
export {
  backUpDatabase,
  type CopyProgress,
  checkDatabase,
  copyDatabase,
  type DatabaseContent,
  type DatabaseReport,
  type Restoration,
  restoreDatabase,
  UnusableDatabase,
} from './database/index.js';
export type { RunningServer, ServerOptions } from './options.js';
export type * from './testing/options.js';
export { type OpenUsersOptions, openUsers, type Users } from './users/admin.js';
export { generatePassword } from './users/passwords.js';

/**
 * Starts the service and resolves when it answers. With `testing` it is the local server of an integration test: the
 * same service in memory, with a seed, a clock, faults and a record of requests.
 *
 * Rejects with `InvalidArgument` for an option out of bounds or a seed that does not fit, with `UnusableDatabase` where
 * the database cannot be served, with `PackageMissing` where the first user's password cannot be hashed, and with the
 * system's error (`EADDRINUSE`, `EACCES`, ...) where it cannot listen.
 */
export function startServer(options: TestingServerOptions): Promise<TestingServer>;
export function startServer(options?: ServerOptions): Promise<RunningServer>;
export async function startServer(options: ServerOptions | TestingServerOptions = {}): Promise<RunningServer> {
  if ((options.workers ?? 1) > 1) {
    throw new InvalidArgument(
      options.testing === undefined
        ? 'option workers must be 1: the command starts several, and startServer is one process'
        : 'option workers must be 1 with testing, which is in the memory of one process',
    );
  }
  if (options.testing === undefined) return await start(options);
  // Only here: a service that is not for tests does not even load the code.
  const { startTesting } = await import('./testing/index.js');
  return await startTesting(options);
}

/** Brings the schema of `config.database` up to date. Rejects with `UnusableDatabase` if the database cannot be used. */
export async function migrateDatabase(config: Readonly<Config>): Promise<void> {
  const db = await openDatabase(config.database, { ...openOptions(config), migrate: 'start' });
  await db.close();
}

/**
 * Starts `config.workers` processes, which share the port and the database file, and resolves when all answer; this
 * process only looks after them. For a command, since it takes the process's children and standard error for its own.
 * `tellFirstUser` hears of the user that was created because the database had none.
 *
 * Rejects with `InvalidArgument` for a database in memory, and with what the first of them cannot start for.
 */
export async function startWorkers(
  config: Readonly<Config>,
  tellFirstUser: (firstUser: NonNullable<RunningServer['firstUser']>) => void,
): Promise<RunningWorkers> {
  if (config.database === IN_MEMORY) {
    throw new InvalidArgument(
      'LATCHKEY_WORKERS must be 1 with LATCHKEY_DATABASE :memory:, which one process has for itself',
    );
  }
  const { startPrimary } = await import('./workers/primary.js');
  return await startPrimary(config, tellFirstUser);
}
