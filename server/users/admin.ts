import { existsSync } from 'node:fs';
import { InvalidArgument } from '../config/invalid-argument.js';
import { IN_MEMORY, openDatabase } from '../database/index.js';
import { dateNow } from '../timers.js';
import { createPasswords } from './passwords.js';
import { addUser, disableUser, enableUser, listUsers, type NewUser, setPassword, type User } from './users.js';

/** The users of a database, without a service running on it (one may run all the same). */
export interface Users {
  /** Throws `InvalidArgument` where the e-mail is taken or the password is outside 8 to 1024 characters. */
  add(wish: NewUser): Promise<void>;
  /** By e-mail, in its order. */
  list(): Promise<User[]>;
  /**
   * Rejects with `InvalidArgument` where the e-mail is nobody's; so do the others. Rejects with an error whose `code` is
   * `last_admin` where nobody would be left to administer users, unless it is `force`d.
   */
  disable(email: string, options?: { force?: boolean }): Promise<void>;
  enable(email: string): Promise<void>;
  setPassword(email: string, password: string, options?: { revokeTokens?: boolean }): Promise<void>;
  close(): Promise<void>;
}

/**
 * Rejects with `DatabaseRefusal` where the database at `path` cannot be served, and with `InvalidArgument` for one in
 * memory, which would end with this call, and for a path without a file unless `create` is set.
 */
export async function openUsers(path: string, { create = false } = {}): Promise<Users> {
  if (path === IN_MEMORY) throw new InvalidArgument('users are managed in a database file, not in memory');
  if (!create && !existsSync(path)) throw new InvalidArgument(`there is no database ${path}`);
  const db = await openDatabase(path);
  const deps = { db, now: dateNow, passwords: createPasswords() };
  return {
    add: async (wish) => {
      await addUser(deps, wish);
    },
    list: () => listUsers(deps),
    disable: (email, options) => disableUser(deps, email, options),
    enable: (email) => enableUser(deps, email),
    setPassword: (email, password, options) => setPassword(deps, email, password, options),
    close: () => db.close(),
  };
}
