import { type Config, openOptions } from './config/config.js';
import { InvalidArgument } from './config/invalid-argument.js';
import { IN_MEMORY, openDatabase } from './database/index.js';
import type { RunningServer, ServerOptions } from './options.js';
import { start } from './start.js';
import type { TestingServer, TestingServerOptions } from './testing/options.js';
import type { RunningWorkers } from './workers/primary.js';

export { type Config, readConfig } from './config/config.js';
export { InvalidArgument } from './config/invalid-argument.js';
export { isEmail } from './config/values.js';
export type { UserKind } from './database/index.js';
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
export { verifyAuditLog } from './events/audit.js';
export type { Anchor, ChainReport } from './events/verify.js';
export type { RunningServer, ServerOptions } from './options.js';
export { type KeyRotation, rotateSecretKey } from './sealing/rotate-key.js';
export type * from './testing/options.js';
export { type OffboardOptions, type OpenUsersOptions, openUsers, type Users } from './users/admin.js';
export type { Offboarded } from './users/offboarding.js';
export { generatePassword } from './users/passwords.js';

/**
 * Starts the service and resolves when it answers. With `testing` it starts a local server for integration tests: the
 * service in memory, with a seed, a clock, faults and a record of requests.
 *
 * Rejects with `InvalidArgument` for an option out of bounds or an invalid seed, with `UnusableDatabase` if the database
 * cannot be used, with `PackageMissing` if the package that hashes the first user's password is missing, and with the
 * system's error, such as `EADDRINUSE` or `EACCES`, if it cannot listen.
 */
export function startServer(options: TestingServerOptions): Promise<TestingServer>;
export function startServer(options?: ServerOptions): Promise<RunningServer>;
export async function startServer(options: ServerOptions | TestingServerOptions = {}): Promise<RunningServer> {
  if ((options.workers ?? 1) > 1) {
    throw new InvalidArgument(
      options.testing === undefined
        ? 'option workers must be 1: startServer runs in one process, and latchkey serve starts several'
        : 'option workers must be 1 with testing, because a local server runs in one process',
    );
  }
  if (options.testing === undefined) return await start(options);
  // Imported here, so that an ordinary service does not load the code for tests.
  const { startTesting } = await import('./testing/index.js');
  return await startTesting(options);
}

/** Migrates the schema of `config.database`. Rejects with `UnusableDatabase` if the database cannot be used. */
export async function migrateDatabase(config: Readonly<Config>): Promise<void> {
  const db = await openDatabase(config.database, { ...openOptions(config), migrate: 'start' });
  await db.close();
}

/**
 * Starts `config.workers` processes that share the port and the database, and resolves when all answer. This process only
 * supervises them. Call it only from a command, because it uses the process's children and standard error. `tellFirstUser`
 * is called with the user that was created because the database had none.
 *
 * Rejects with `InvalidArgument` for a database in memory, and with the error of the first process that cannot start.
 */
export async function startWorkers(
  config: Readonly<Config>,
  tellFirstUser: (firstUser: NonNullable<RunningServer['firstUser']>) => void,
): Promise<RunningWorkers> {
  if (config.database === IN_MEMORY) {
    throw new InvalidArgument(
      'LATCHKEY_WORKERS must be 1 with LATCHKEY_DATABASE :memory:, because other processes cannot use that database',
    );
  }
  const { startPrimary } = await import('./workers/primary.js');
  return await startPrimary(config, tellFirstUser);
}
