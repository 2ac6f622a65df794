import { InvalidArgument } from '../config/invalid-argument.js';
import {
  isSession,
  isUniqueViolation,
  lockOrganization,
  lockOwners,
  type Queries,
  runPrepared,
  searchColumn,
} from '../database/index.js';
import type { Deps } from '../deps.js';
import { ServiceError } from '../errors.js';
import { recordNewPassword, recordNewUser, recordUser } from '../events/users.js';
import type { Actor } from '../tokens/actor.js';
import type { OwnerKey } from '../tokens/caller.js';
import type { Revocation } from '../tokens/revocation.js';
import { revokeSelected } from '../tokens/revoke-selected.js';
import { newUuid } from '../uuid.js';
import { requireNotLeaving } from './offboarding-state.js';
import { getUserOf, readUser, selectUsers, toUser, type User } from './user.js';

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
export async function addUser(deps: UserDeps, actor: Actor, newUser: NewUser): Promise<User> {
  if (newUser.fullName.length > 255 || /[\p{Cc}\p{Cs}]/u.test(newUser.fullName)) {
    throw new InvalidArgument('a name must have at most 255 characters, and no control characters');
  }
  const passwordHash = await deps.passwords.hash(newUser.password);
  try {
    return await deps.db.write(async (trx) =>
      insertUser(deps, trx, actor, await theOrganization(trx, deps.now()), newUser, passwordHash),
    );
  } catch (error) {
    if (isUniqueViolation(error)) throw new InvalidArgument(`a user ${canonicalEmail(newUser.email)} already exists`);
    throw error;
  }
}

/** Adds the user if the database has none, and returns whether it did. */
export async function addFirstUser(deps: UserDeps, actor: Actor, newUser: NewUser): Promise<boolean> {
  if (await hasUsers(deps.db.read)) return false;
  const passwordHash = await deps.passwords.hash(newUser.password);
  return await deps.db.write(async (trx) => {
    // The first of several starts inserts the organization, and the others wait for its commit.
    const organizationId = await theOrganization(trx, deps.now());
    await lockOrganization(trx, organizationId);
    // Checked again in the transaction, because several processes may start on one new database.
    if (await hasUsers(trx)) return false;
    await insertUser(deps, trx, actor, organizationId, newUser, passwordHash);
    return true;
  });
}

/** Returns all people, ordered by e-mail, and then all services, ordered by name. */
export async function listUsers({ db }: Pick<Deps, 'db'>): Promise<User[]> {
  const people = await selectUsers(db.read).where('user.kind', '=', 'person').orderBy('user.email').execute();
  const services = await selectUsers(db.read)
    .where('user.organization_id', '=', (await findOrganization(db.read)) ?? 0)
    .where('user.kind', '=', 'service')
    .where('user.deleted_at', 'is', null)
    .orderBy('user.full_name')
    .orderBy('user.id')
    .execute();
  return [...people, ...services].map(toUser);
}

const userById = (queries: Queries, { id }: { id: number }) => selectUsers(queries).where('user.id', '=', id);

/** Returns the user with this id, which must exist: users are disabled, never deleted. */
export async function getUser({ db }: Pick<Deps, 'db'>, id: number): Promise<User> {
  const [row] = await runPrepared(db.read, userById, { id });
  if (row === undefined) throw new TypeError(`there is no user ${String(id)}`);
  return toUser(row);
}

/** Reads a user again after the password was verified; undefined if the password has changed since. */
export async function findUserToLogIn(
  queries: Queries,
  earlier: { user: User; passwordHash: string | undefined },
): Promise<User | undefined> {
  const row = await selectUsers(queries)
    .where('user.id', '=', earlier.user.id)
    .where('user.password_hash', '=', earlier.passwordHash ?? null)
    .executeTakeFirst();
  return row && toUser(row);
}

/** Returns the user and the hash of their password; undefined if there is no such user. */
export async function findUserForLogin(
  { db }: Pick<Deps, 'db'>,
  who: { email: string } | { id: number },
): Promise<{ user: User; passwordHash: string | undefined } | undefined> {
  const users = selectUsers(db.read).select('user.password_hash');
  const row = await ('id' in who
    ? users.where('user.id', '=', who.id)
    : users.where('user.email', '=', canonicalEmail(who.email))
  ).executeTakeFirst();
  return row && { user: toUser(row), passwordHash: row.password_hash ?? undefined };
}

/**
 * Disables the user, whose tokens are rejected from then on. Sessions are revoked; personal access tokens become valid again
 * when the user is enabled. Rejects with `not_found`, and, without `force`, with `last_admin` if no enabled administrator would
 * be left.
 */
export async function disableUser(
  { db, now }: UserDeps,
  actor: Actor,
  owner: OwnerKey,
  { force = false } = {},
): Promise<void> {
  await db.write(async (trx) => {
    const at = now();
    await lockOrganization(trx, owner.organizationId);
    await lockOwners(trx, owner.ownerId);
    const hadAdmin = await hasAdmin(trx, owner.organizationId);
    const before = await getUserOf(trx, owner, owner.ownerId);
    await updateUser(trx, owner, { disabled_at: before.disabledAt ?? at });
    if (!force && hadAdmin && !(await hasAdmin(trx, owner.organizationId))) throw new ServiceError('last_admin');
    await recordUser(trx, actor, at, before, await readUser(trx, owner.ownerId));
    await revokeOf(trx, owner, 'sessions', { at, by: actor, reason: 'disabled' });
  });
}

/** Whether the organization has an enabled administrator. */
export async function hasAdmin(queries: Queries, organizationId: number): Promise<boolean> {
  const admin = await queries
    .selectFrom('users')
    .select('id')
    .where('organization_id', '=', organizationId)
    // Written out, so that the query fits the index of administrators, whatever the parameters are.
    .where(({ eb, lit }) => eb('is_admin', '=', lit(1)))
    .where('disabled_at', 'is', null)
    .limit(1)
    .executeTakeFirst();
  return admin !== undefined;
}

/** Enables the user. Rejects with `not_found`, and with `offboarding_under_way`. */
export async function enableUser({ db, now }: UserDeps, actor: Actor, owner: OwnerKey): Promise<void> {
  await db.write(async (trx) => {
    await lockOwners(trx, owner.ownerId);
    await requireNotLeaving(trx, owner.ownerId);
    const before = await getUserOf(trx, owner, owner.ownerId);
    await updateUser(trx, owner, { disabled_at: null });
    await recordUser(trx, actor, now(), before, await readUser(trx, owner.ownerId));
  });
}

/**
 * Sets a new password and revokes the user's sessions; with `revokeTokens` their personal access tokens too. Rejects with
 * `InvalidArgument` if no user has this e-mail or the password has not 8 to 1024 characters.
 */
export async function setPassword(
  { db, now, passwords }: UserDeps,
  actor: Actor,
  email: string,
  password: string,
  { revokeTokens = false } = {},
): Promise<void> {
  const passwordHash = await passwords.hash(password);
  await db.write(async (trx) => {
    const owner = await getKey(trx, email);
    await lockOwners(trx, owner.ownerId);
    await updateUser(trx, owner, { password_hash: passwordHash });
    const at = now();
    await recordNewPassword(trx, actor, at, await readUser(trx, owner.ownerId));
    const revocation = { at, by: actor, reason: 'password' } as const;
    await revokeOf(trx, owner, revokeTokens ? 'all' : 'sessions', revocation);
  });
}

async function hasUsers(queries: Queries): Promise<boolean> {
  return (await queries.selectFrom('users').select('id').limit(1).executeTakeFirst()) !== undefined;
}

/** Inserts a user in the caller's transaction. */
export async function insertUser(
  { now }: UserDeps,
  trx: Queries,
  actor: Actor,
  organizationId: number,
  newUser: NewUser,
  passwordHash: string,
): Promise<User> {
  const email = canonicalEmail(newUser.email);
  const at = now();
  const { id } = await trx
    .insertInto('users')
    .values({
      organization_id: organizationId,
      kind: 'person',
      email,
      full_name: newUser.fullName,
      password_hash: passwordHash,
      is_admin: newUser.isAdmin ? 1 : 0,
      created_at: at,
      search: searchColumn(newUser.fullName, email),
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  const user = await readUser(trx, id);
  await recordNewUser(trx, actor, at, user);
  return user;
}

/** Returns the id of the one organization; undefined before the first user. */
export async function findOrganization(queries: Queries): Promise<number | undefined> {
  const row = await queries.selectFrom('organizations').select('id').orderBy('id').limit(1).executeTakeFirst();
  return row?.id;
}

/** Returns the id of the one organization, and inserts it with the first user. */
export async function theOrganization(trx: Queries, at: number): Promise<number> {
  const existing = await findOrganization(trx);
  if (existing !== undefined) return existing;
  await trx
    .insertInto('organizations')
    .values({ uuid: newUuid(at), name: 'Latchkey', slug: 'latchkey', created_at: at })
    .onConflict((conflict) => conflict.column('slug').doNothing())
    .execute();
  const { id } = await trx.selectFrom('organizations').select('id').orderBy('id').limit(1).executeTakeFirstOrThrow();
  return id;
}

const keyByEmail = (trx: Queries, { email }: { email: string }) =>
  trx.selectFrom('users').select(['id as owner_id', 'organization_id']).where('email', '=', email);

/** Finds the user before the locks, since id and organization stay. */
async function getKey(trx: Queries, email: string): Promise<OwnerKey> {
  const [row] = await runPrepared(trx, keyByEmail, { email: canonicalEmail(email) });
  if (row === undefined) throw new InvalidArgument(`there is no user ${canonicalEmail(email)}`);
  return { organizationId: row.organization_id, ownerId: row.owner_id };
}

async function updateUser(
  trx: Queries,
  { organizationId, ownerId }: OwnerKey,
  change: { disabled_at: number | null } | { password_hash: string },
): Promise<void> {
  await trx
    .updateTable('users')
    .set(change)
    .where('id', '=', ownerId)
    .where('organization_id', '=', organizationId)
    .execute();
}

/**
 * Revokes the owner's tokens of these types, except the one with the id `except`, in the caller's transaction, and returns
 * their number.
 */
export async function revokeOf(
  trx: Queries,
  { organizationId, ownerId }: OwnerKey,
  what: 'sessions' | 'all',
  revocation: Revocation,
  { except }: { except?: number } = {},
): Promise<number> {
  const selected = trx
    .selectFrom('access_tokens as token')
    .where('token.owner_id', '=', ownerId)
    .where('token.organization_id', '=', organizationId)
    .where('token.revoked_at', 'is', null)
    .$if(what === 'sessions', (query) => query.where(isSession))
    .$if(except !== undefined, (query) => query.where('token.id', '!=', except ?? 0));
  return await revokeSelected(trx, { organizationId, ownerId }, selected, revocation);
}
