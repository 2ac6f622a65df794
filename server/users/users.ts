import { InvalidArgument } from '../config/invalid-argument.js';
import {
  hexOf,
  isUniqueViolation,
  lockOrganization,
  lockOwnerFoundBy,
  type Queries,
  runPrepared,
} from '../database/index.js';
import type { Deps } from '../deps.js';
import { ServiceError } from '../errors.js';
import { newUuid, toUuid } from '../uuid.js';

export interface User {
  id: number;
  email: string;
  fullName: string;
  isAdmin: boolean;
  createdAt: number;
  disabledAt: number | null;
  organization: Organization;
}

export interface Organization {
  uuid: string;
  name: string;
  slug: string;
}

export interface NewUser {
  email: string;
  fullName: string;
  isAdmin: boolean;
  password: string;
}

type UserDeps = Pick<Deps, 'db' | 'now' | 'passwords'>;

/** The spelling by which a user is stored, found and throttled: trimmed, in NFC and lower case. */
export function canonicalEmail(email: string): string {
  return email.trim().normalize('NFC').toLowerCase();
}

/** Adds a user. Rejects with `InvalidArgument` if the e-mail is taken, or name or password are out of bounds. */
export async function addUser(deps: UserDeps, wish: NewUser): Promise<User> {
  if (wish.fullName.length > 255 || /[\p{Cc}\p{Cs}]/u.test(wish.fullName)) {
    throw new InvalidArgument('a name must have at most 255 characters, and no control characters');
  }
  const passwordHash = await deps.passwords.hash(wish.password);
  try {
    return await deps.db.write((trx) => insertUser(deps, trx, wish, passwordHash));
  } catch (error) {
    if (isUniqueViolation(error)) throw new InvalidArgument(`a user ${canonicalEmail(wish.email)} already exists`);
    throw error;
  }
}

/** Adds the user if the database has none, and returns whether it did. */
export async function addFirstUser(deps: UserDeps, wish: NewUser): Promise<boolean> {
  if (await hasUsers(deps.db.read)) return false;
  const passwordHash = await deps.passwords.hash(wish.password);
  return await deps.db.write(async (trx) => {
    // The first of several starts inserts the organization, and the others wait for its commit.
    await theOrganization(trx, deps.now());
    await lockOrganization(trx);
    // Checked again in the transaction, because several processes may start on one new database.
    if (await hasUsers(trx)) return false;
    await insertUser(deps, trx, wish, passwordHash);
    return true;
  });
}

export async function listUsers({ db }: Pick<Deps, 'db'>): Promise<User[]> {
  const rows = await selectUsers(db.read).orderBy('user.email').execute();
  return rows.map(toUser);
}

const userById = (queries: Queries, { id }: { id: number }) => selectUsers(queries).where('user.id', '=', id);

/** Returns the user with this id, which must exist: users are disabled, never deleted. */
export async function getUser({ db }: Pick<Deps, 'db'>, id: number): Promise<User> {
  const [row] = await runPrepared(db.read, userById, { id });
  if (row === undefined) throw new TypeError(`there is no user ${String(id)}`);
  return toUser(row);
}

/** Reads the user with this id, which must exist, in the caller's transaction. */
export async function readUser(trx: Queries, id: number): Promise<User> {
  return toUser(await selectUsers(trx).where('user.id', '=', id).executeTakeFirstOrThrow());
}

/** Reads a user again after the password was verified; undefined if the password has changed since. */
export async function findUserToLogIn(
  queries: Queries,
  earlier: { user: User; passwordHash: string },
): Promise<User | undefined> {
  const row = await selectUsers(queries)
    .where('user.id', '=', earlier.user.id)
    .where('user.password_hash', '=', earlier.passwordHash)
    .executeTakeFirst();
  return row && toUser(row);
}

/** Returns the user and the hash of their password; undefined if there is no such user. */
export async function findUserForLogin(
  { db }: Pick<Deps, 'db'>,
  who: { email: string } | { id: number },
): Promise<{ user: User; passwordHash: string } | undefined> {
  const users = selectUsers(db.read).select('user.password_hash');
  const row = await ('id' in who
    ? users.where('user.id', '=', who.id)
    : users.where('user.email', '=', canonicalEmail(who.email))
  ).executeTakeFirst();
  return row && { user: toUser(row), passwordHash: row.password_hash };
}

/**
 * Disables the user, whose tokens are rejected from then on. Sessions are revoked; personal access tokens become valid again
 * when the user is enabled. Rejects with `InvalidArgument` if no user has this e-mail, and, without `force`, with
 * `last_admin` if no enabled administrator would be left.
 */
export async function disableUser({ db, now }: UserDeps, email: string, { force = false } = {}): Promise<void> {
  await db.write(async (trx) => {
    await lockOrganization(trx);
    await lockUser(trx, email);
    const hadAdmin = await hasAdmin(trx);
    const id = await updateUser(trx, email, { disabled_at: now() });
    if (!force && hadAdmin && !(await hasAdmin(trx))) throw new ServiceError('last_admin');
    await revokeOf(trx, id, now(), ['session']);
  });
}

/** Whether there is an enabled administrator. */
export async function hasAdmin(queries: Queries): Promise<boolean> {
  const admin = await queries
    .selectFrom('users')
    .select('id')
    .where('is_admin', '=', 1)
    .where('disabled_at', 'is', null)
    .limit(1)
    .executeTakeFirst();
  return admin !== undefined;
}

/** Enables the user. Rejects with `InvalidArgument` if no user has this e-mail. */
export async function enableUser({ db }: UserDeps, email: string): Promise<void> {
  await db.write(async (trx) => {
    await lockUser(trx, email);
    await updateUser(trx, email, { disabled_at: null });
  });
}

/**
 * Sets a new password and revokes the user's sessions; with `revokeTokens` their personal access tokens too. Rejects with
 * `InvalidArgument` if no user has this e-mail or the password has not 8 to 1024 characters.
 */
export async function setPassword(
  { db, now, passwords }: UserDeps,
  email: string,
  password: string,
  { revokeTokens = false } = {},
): Promise<void> {
  const passwordHash = await passwords.hash(password);
  await db.write(async (trx) => {
    await lockUser(trx, email);
    const id = await updateUser(trx, email, { password_hash: passwordHash });
    await revokeOf(trx, id, now(), revokeTokens ? ['session', 'pat'] : ['session']);
  });
}

export function selectUsers(queries: Queries) {
  return queries
    .selectFrom('users as user')
    .innerJoin('organizations as organization', 'organization.id', 'user.organization_id')
    .select([
      'user.id',
      'user.email',
      'user.full_name',
      'user.is_admin',
      'user.created_at',
      'user.disabled_at',
      hexOf('organization.uuid').as('organization_uuid'),
      'organization.name as organization_name',
      'organization.slug as organization_slug',
    ]);
}

type UserRow = Awaited<ReturnType<ReturnType<typeof selectUsers>['executeTakeFirstOrThrow']>>;

export function toUser(row: UserRow): User {
  return {
    id: row.id,
    email: row.email,
    fullName: row.full_name,
    isAdmin: row.is_admin === 1,
    createdAt: row.created_at,
    disabledAt: row.disabled_at,
    organization: {
      uuid: toUuid(row.organization_uuid),
      name: row.organization_name,
      slug: row.organization_slug,
    },
  };
}

async function hasUsers(queries: Queries): Promise<boolean> {
  return (await queries.selectFrom('users').select('id').limit(1).executeTakeFirst()) !== undefined;
}

/** Inserts a user in the caller's transaction. */
export async function insertUser({ now }: UserDeps, trx: Queries, wish: NewUser, passwordHash: string): Promise<User> {
  const { id } = await trx
    .insertInto('users')
    .values({
      organization_id: await theOrganization(trx, now()),
      email: canonicalEmail(wish.email),
      full_name: wish.fullName,
      password_hash: passwordHash,
      is_admin: wish.isAdmin ? 1 : 0,
      created_at: now(),
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return await readUser(trx, id);
}

/** Returns the id of the one organization, and inserts it with the first user. */
async function theOrganization(trx: Queries, at: number): Promise<number> {
  const existing = await trx.selectFrom('organizations').select('id').orderBy('id').limit(1).executeTakeFirst();
  if (existing !== undefined) return existing.id;
  await trx
    .insertInto('organizations')
    .values({ uuid: newUuid(at), name: 'Latchkey', slug: 'latchkey', created_at: at })
    .onConflict((conflict) => conflict.column('slug').doNothing())
    .execute();
  const { id } = await trx.selectFrom('organizations').select('id').orderBy('id').limit(1).executeTakeFirstOrThrow();
  return id;
}

const userByEmail = (trx: Queries, { email }: { email: string }) =>
  trx.selectFrom('users').select('id as owner_id').where('email', '=', email);

function lockUser(trx: Queries, email: string): Promise<void> {
  return lockOwnerFoundBy(trx, userByEmail, { email: canonicalEmail(email) });
}

async function updateUser(
  trx: Queries,
  email: string,
  change: { disabled_at: number | null } | { password_hash: string },
): Promise<number> {
  const row = await trx
    .updateTable('users')
    .set(change)
    .where('email', '=', canonicalEmail(email))
    .returning('id')
    .executeTakeFirst();
  if (row === undefined) throw new InvalidArgument(`there is no user ${canonicalEmail(email)}`);
  return row.id;
}

/** Revokes the owner's tokens of these types, except the one with the id `except`, in the caller's transaction. */
export async function revokeOf(
  trx: Queries,
  ownerId: number,
  at: number,
  types: ('session' | 'pat')[],
  { except }: { except?: number } = {},
): Promise<void> {
  await trx
    .updateTable('access_tokens')
    .set({ revoked_at: at })
    .where('owner_id', '=', ownerId)
    .where('type', 'in', types)
    .where('revoked_at', 'is', null)
    .$if(except !== undefined, (query) => query.where('id', '!=', except ?? 0))
    .execute();
}
