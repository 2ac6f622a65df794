import { existsSync } from 'node:fs';
import { type Config, defaultConfig, openOptions } from '../config/config.js';
import { InvalidArgument } from '../config/invalid-argument.js';
import { isPostgresUrl } from '../config/postgres-url.js';
import { type Database, IN_MEMORY, openDatabase } from '../database/index.js';
import type { Passwords } from '../deps.js';
import { dateNow } from '../timers.js';
import { OPERATOR } from '../tokens/actor.js';
import { offboardUser } from './offboard.js';
import type { Offboarded } from './offboarding.js';
import { createPasswords } from './passwords.js';
import { findReferred } from './reference.js';
import { addService } from './services.js';
import { type User } from './user.js';
import { addUser, disableUser, enableUser, listUsers, type NewUser, setPassword } from './users.js';

/** Manages the users of a database file. A service may be running on it. */
export interface Users {
  /** Rejects with `InvalidArgument` if the e-mail is taken or the password has not 8 to 1024 characters. */
  add(newUser: NewUser): Promise<void>;
  /** Returns all people, ordered by e-mail, and then all services, ordered by name. */
  list(): Promise<User[]>;
  /**
   * The user is found by the e-mail of a person, the name of a service, or the id. Rejects with `InvalidArgument` unless it is
   * exactly one. Without `force`, rejects with an error whose `code` is `last_admin` if the user is the last enabled
   * administrator.
   */
  disable(user: string, options?: { force?: boolean }): Promise<void>;
  /** Finds the user as `disable` does. Rejects with an error whose `code` is `offboarding_under_way`. */
  enable(user: string): Promise<void>;
  /** Rejects with `InvalidArgument` if no user has this e-mail or the password has not 8 to 1024 characters. */
  setPassword(email: string, password: string, options?: { revokeTokens?: boolean }): Promise<void>;
  /**
   * Adds a service and returns its id. `managers` are people, by e-mail or id. `scopes` are the most that its tokens can have;
   * null for no limit.
   */
  addService(service: { name: string; managers: readonly string[]; scopes: readonly string[] | null }): Promise<number>;
  /**
   * Disables a user, ends the sessions, and revokes the personal access tokens or gives them to the user `to`. Both are found by
   * the id, the e-mail of a person, or the name of a service. Rejects with an error whose `code` is one of the API's, such as
   * `scopes_above_ceiling`, or, without `force`, `last_admin`.
   */
  offboard(user: string, options: OffboardOptions): Promise<Offboarded>;
  close(): Promise<void>;
}

/** How a user is offboarded. */
export interface OffboardOptions {
  /** Who gets the tokens; null to revoke them. */
  to: string | null;
  /** Whether tokens lose the scopes that the new owner may not have. */
  cutScopes?: boolean;
  dryRun?: boolean;
  force?: boolean;
}

/** Options of `openUsers`. The defaults are those of `defaultConfig`. */
export interface OpenUsersOptions
  extends Partial<
    Pick<Config, 'databasePasswordFile' | 'databaseConnections' | 'databaseSchema' | 'migrate' | 'maxTokensPerOwner'>
  > {
  /** Whether to create a missing file. */
  create?: boolean;
}

/**
 * Opens the database (the path of a file, or a PostgreSQL URL) to manage its users. Rejects with `UnusableDatabase` if the
 * database cannot be used, and with `InvalidArgument` for a database in memory, and for a missing file unless `create` is
 * set.
 */
export async function openUsers(
  database: string,
  { create = false, ...options }: OpenUsersOptions = {},
): Promise<Users> {
  if (database === IN_MEMORY)
    throw new InvalidArgument('users are managed in a lasting database, and not in one in memory');
  if (!create && !isPostgresUrl(database) && !existsSync(database)) {
    throw new InvalidArgument(`there is no database ${database}`);
  }
  const config = { ...defaultConfig, ...options };
  return manageUsers(await openDatabase(database, openOptions(config)), createPasswords(), config);
}

/** Manages the users of an open database, which `close` closes. */
export function manageUsers(
  db: Database,
  passwords: Passwords,
  config: Pick<Config, 'maxTokensPerOwner'> = defaultConfig,
): Users {
  const deps = { db, now: dateNow, passwords };
  return {
    add: async (newUser) => {
      await addUser(deps, OPERATOR, newUser);
    },
    list: () => listUsers(deps),
    disable: async (user, options) => {
      await disableUser(deps, OPERATOR, await findReferred(db.read, user), options);
    },
    enable: async (user) => {
      await enableUser(deps, OPERATOR, await findReferred(db.read, user));
    },
    setPassword: (email, password, options) => setPassword(deps, OPERATOR, email, password, options),
    addService: (service) => addService(deps, OPERATOR, service),
    offboard: async (user, { to, cutScopes = false, dryRun = false, force = false }) => {
      const owner = await findReferred(db.read, user);
      const toId = to === null ? null : (await findReferred(db.read, to)).ownerId;
      return await offboardUser({ ...deps, config }, OPERATOR, owner, { toId, cutScopes, dryRun, force });
    },
    close: () => db.close(),
  };
}
