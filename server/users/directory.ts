import { isUniqueViolation, lockOrganization, lockOwners, type Queries } from '../database/index.js';
import type { Deps } from '../deps.js';
import { ServiceError } from '../errors.js';
import type { Caller } from '../tokens/caller.js';
import { requireValidCaller } from '../tokens/caller-state.js';
import { toCursor } from '../tokens/cursor.js';
import { type Conditions, checkUntagged } from '../tokens/entity-tag.js';
import { contains } from '../tokens/filter.js';
import { positionOf } from '../tokens/list.js';
import { ADMINISTER } from '../tokens/scopes.js';
import { generatePassword } from './passwords.js';
import { hasAdmin, insertUser, type NewUser, revokeOf, selectUsers, toUser, type User } from './users.js';

// What administrators do with users over the API, by the user's id.

export interface UserPageWish {
  /** Text that the e-mail or name contains, in any letter case. */
  q: string | undefined;
  limit: number;
  cursor: string | undefined;
}

/** Returns the page of users, ordered by id, that follows `cursor`. Rejects with `invalid_input` for a bad cursor. */
export async function listUserPage(
  { db, now }: Deps,
  { q, limit, cursor }: UserPageWish,
): Promise<{ users: User[]; nextCursor: string | null }> {
  const belongsTo = JSON.stringify(['users', q]);
  const after = cursor === undefined ? undefined : positionOf(cursor, belongsTo);
  const rows = await selectUsers(db.read)
    .$if(q !== undefined, (query) =>
      query.where(({ or }) => or([contains('user.email', q ?? ''), contains('user.full_name', q ?? '')])),
    )
    .$if(after !== undefined, (query) => query.where('user.id', '>', after?.id ?? 0))
    .orderBy('user.id')
    .limit(limit + 1)
    .execute();
  const users = rows.slice(0, limit).map(toUser);
  const last = rows.length > limit ? users.at(-1) : undefined;
  return { users, nextCursor: last ? toCursor({ key: last.id, id: last.id, asOf: now() }, belongsTo) : null };
}

/** Returns the user with this id, also a disabled one. Rejects with `not_found`. */
export async function findUser({ db }: Deps, id: number): Promise<User> {
  return await readUser(db.read, id);
}

/** Adds a user. Without a `password`, generates one and returns it. Rejects with `email_taken`. */
export async function createUser(
  deps: Deps,
  caller: Caller,
  { password: wished, ...wish }: Omit<NewUser, 'password'> & { password: string | undefined },
): Promise<{ user: User; password: string | null }> {
  const password = wished ?? generatePassword();
  const passwordHash = await deps.passwords.hash(password);
  try {
    const user = await deps.db.write(async (trx) => {
      await lockOwners(trx, caller.ownerId);
      await requireValidCaller(trx, caller, deps.now(), [ADMINISTER]);
      return await insertUser(deps, trx, { ...wish, password }, passwordHash);
    });
    return { user, password: wished === undefined ? password : null };
  } catch (error) {
    if (isUniqueViolation(error)) throw new ServiceError('email_taken');
    throw error;
  }
}

/** The members to change; undefined ones stay as they are. */
export interface UserEdit {
  fullName?: string | undefined;
  isAdmin?: boolean | undefined;
  disabled?: boolean | undefined;
  password?: string | undefined;
  revokeTokens?: boolean | undefined;
}

/**
 * Edits the user. Disabling the user or changing the password revokes their sessions; `revokeTokens` revokes their personal
 * access tokens too. Rejects with `not_found`, `precondition_failed`, and with `last_admin` if no enabled administrator
 * would be left.
 */
export async function editUser(
  deps: Deps,
  caller: Caller,
  id: number,
  edit: UserEdit,
  conditions: Conditions,
): Promise<User> {
  const { fullName, isAdmin, disabled, password, revokeTokens = false } = edit;
  const passwordHash = password === undefined ? undefined : await deps.passwords.hash(password);
  return await deps.db.write(async (trx) => {
    await lockOrganization(trx);
    await lockOwners(trx, caller.ownerId, id);
    const at = deps.now();
    await requireValidCaller(trx, caller, at, [ADMINISTER]);
    const user = await readUser(trx, id);
    checkUntagged(conditions);
    await trx
      .updateTable('users')
      .set({
        full_name: fullName ?? user.fullName,
        is_admin: (isAdmin ?? user.isAdmin) ? 1 : 0,
        // A user who is already disabled keeps the instant.
        disabled_at: (disabled ?? user.disabledAt !== null) ? (user.disabledAt ?? at) : null,
        ...(passwordHash !== undefined && { password_hash: passwordHash }),
      })
      .where('id', '=', id)
      .execute();
    if (!(await hasAdmin(trx))) throw new ServiceError('last_admin');
    if (disabled === true || password !== undefined) await revokeOf(trx, id, at, ['session']);
    if (revokeTokens) await revokeOf(trx, id, at, ['session', 'pat']);
    return await readUser(trx, id);
  });
}

async function readUser(queries: Queries, id: number): Promise<User> {
  const row = await selectUsers(queries).where('user.id', '=', id).executeTakeFirst();
  if (row === undefined) throw new ServiceError('not_found', { detail: 'No such user.' });
  return toUser(row);
}
