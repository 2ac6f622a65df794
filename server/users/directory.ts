import { isUniqueViolation, lockOrganization, lockOwners, searchTextOf, type UserKind } from '../database/index.js';
import type { Deps } from '../deps.js';
import { invalidInput, ServiceError } from '../errors.js';
import { recordNewPassword, recordUser } from '../events/users.js';
import type { AuthenticatedActor } from '../tokens/actor.js';
import type { OwnerKey } from '../tokens/caller.js';
import { requireValidCaller } from '../tokens/caller-state.js';
import { toCursor } from '../tokens/cursor.js';
import { type Conditions, checkUntagged } from '../tokens/entity-tag.js';
import { contains } from '../tokens/filter.js';
import { positionOf } from '../tokens/list.js';
import { ADMINISTER } from '../tokens/scopes.js';
import { isUnmanaged, managersOfOne } from './managers.js';
import { requireNotLeaving } from './offboarding-state.js';
import { generatePassword } from './passwords.js';
import { getUserOf, noSuchUser, selectUsers, toUser, type User } from './user.js';
import { hasAdmin, insertUser, type NewUser, revokeOf } from './users.js';

// The operations of the API with which administrators manage users by id.

/** The organization whose users are meant. */
type Organization = Pick<OwnerKey, 'organizationId'>;

export interface UserPageWish {
  kind: UserKind | undefined;
  /** Whether to keep only services that no enabled person manages. */
  unmanaged: boolean;
  /** Keeps people who manage the service with this id. */
  manages: number | undefined;
  /** Text that the e-mail, the name or the external id contains, in any letter case. */
  q: string | undefined;
  limit: number;
  cursor: string | undefined;
}

/** The most users that one request with `q` examines, so that a text that few of them contain takes no request long. */
const MOST_EXAMINED = 10_000;

/**
 * Returns the page of users, ordered by id, that follows `cursor`. With `q` it may have fewer users than `limit`, or none, and
 * still a `nextCursor`. Rejects with `invalid_input` for a bad cursor.
 */
export async function listUserPage(
  { db, now }: Deps,
  { organizationId }: Organization,
  { kind: wanted, unmanaged, manages, q, limit, cursor }: UserPageWish,
): Promise<{ users: User[]; nextCursor: string | null }> {
  const belongsTo = JSON.stringify([
    'users',
    q,
    ...(wanted === undefined ? [] : [wanted]),
    ...(unmanaged ? [true] : []),
    ...(manages === undefined ? [] : [{ manages }]),
  ]);
  const kind = unmanaged ? (wanted ?? 'service') : wanted;
  const after = cursor === undefined ? undefined : positionOf(cursor, belongsTo);
  const listed = db.read
    .selectFrom('users as user')
    .select('user.id')
    .where('user.organization_id', '=', organizationId)
    .where('user.deleted_at', 'is', null)
    .where('user.id', '>', after?.id ?? 0)
    .$if(kind !== undefined, (query) => query.where('user.kind', '=', kind ?? 'person'))
    .$if(unmanaged, (query) => query.where(isUnmanaged))
    .$if(manages !== undefined, (query) => query.where('user.id', 'in', managersOfOne(manages ?? 0)))
    .orderBy('user.id');
  const examined = listed.limit(q === undefined ? limit + 1 : MOST_EXAMINED);
  const rows = await selectUsers(db.read)
    .where('user.id', 'in', (query) => query.selectFrom(examined.as('examined')).select('examined.id'))
    // Repeated, so that a walk along the ids begins behind the cursor.
    .where('user.id', '>', after?.id ?? 0)
    .$if(q !== undefined, (query) => query.where(contains('user.search', SEARCHED, q ?? '')))
    .orderBy('user.id')
    .limit(limit + 1)
    .execute();
  const isExamined = rows.length <= limit && q !== undefined;
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  const next = isExamined
    ? await listed
        .limit(1)
        .offset(MOST_EXAMINED - 1)
        .executeTakeFirst()
    : last;
  return {
    users: rows.slice(0, limit).map(toUser),
    nextCursor: next ? toCursor({ key: next.id, id: next.id, asOf: now() }, belongsTo) : null,
  };
}

const SEARCHED = ['user.full_name', 'user.email', 'user.contact_email', 'user.external_id'];

/** Returns the organization's user with this id, also a disabled one. Rejects with `not_found`. */
export async function findUser({ db }: Deps, organization: Organization, id: number): Promise<User> {
  return await getUserOf(db.read, organization, id);
}

/** Adds a user to the caller's organization. Without a `password`, generates one and returns it. Rejects with `email_taken`. */
export async function createUser(
  deps: Deps,
  actor: AuthenticatedActor,
  { password: requested, ...rest }: Omit<NewUser, 'password'> & { password: string | undefined },
): Promise<{ user: User; password: string | null }> {
  const { caller } = actor;
  const password = requested ?? generatePassword();
  const passwordHash = await deps.passwords.hash(password);
  try {
    const user = await deps.db.write(async (trx) => {
      await lockOwners(trx, caller.ownerId);
      await requireValidCaller(trx, caller, deps.now(), [ADMINISTER]);
      return await insertUser(deps, trx, actor, caller.organizationId, { ...rest, password }, passwordHash);
    });
    return { user, password: requested === undefined ? password : null };
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
 * access tokens too. Rejects with `not_found`, also for a password or the rights of an administrator for a user who is no
 * person; with `invalid_input` for an empty name of a service; with `precondition_failed`; and with `last_admin` if no enabled administrator would be left.
 */
export async function editUser(
  deps: Deps,
  actor: AuthenticatedActor,
  id: number,
  edit: UserEdit,
  conditions: Conditions,
): Promise<User> {
  const { caller } = actor;
  const { organizationId } = caller;
  const { fullName, isAdmin, disabled, password, revokeTokens = false } = edit;
  const passwordHash = password === undefined ? undefined : await deps.passwords.hash(password);
  return await deps.db.write(async (trx) => {
    await lockOrganization(trx, organizationId);
    await lockOwners(trx, caller.ownerId, id);
    const at = deps.now();
    await requireValidCaller(trx, caller, at, [ADMINISTER]);
    const user = await getUserOf(trx, caller, id);
    if (user.kind !== 'person' && (password !== undefined || isAdmin === true)) throw noSuchUser();
    if (user.kind === 'service' && fullName?.trim() === '') {
      const msg = 'The name of a service should contain more than white space';
      throw invalidInput(['body', 'fullName'], 'string_pattern_mismatch', msg);
    }
    checkUntagged(conditions);
    if (disabled === false) await requireNotLeaving(trx, id);
    await trx
      .updateTable('users')
      .set({
        full_name: fullName ?? user.fullName,
        search: searchTextOf({ ...user, fullName: fullName ?? user.fullName }),
        is_admin: (isAdmin ?? user.isAdmin) ? 1 : 0,
        // A user who is already disabled keeps the instant.
        disabled_at: (disabled ?? user.disabledAt !== null) ? (user.disabledAt ?? at) : null,
        ...(passwordHash !== undefined && { password_hash: passwordHash }),
      })
      .where('id', '=', id)
      .where('organization_id', '=', organizationId)
      .execute();
    if (!(await hasAdmin(trx, organizationId))) throw new ServiceError('last_admin');
    const reason = disabled === true ? 'disabled' : password === undefined ? 'admin' : 'password';
    const endsSessions = reason !== 'admin' || revokeTokens;
    if (endsSessions) {
      const what = revokeTokens ? 'all' : 'sessions';
      await revokeOf(trx, { organizationId, ownerId: id }, what, { at, by: actor, reason });
    }
    const edited = await getUserOf(trx, caller, id);
    await recordUser(trx, actor, at, user, edited);
    if (passwordHash !== undefined) await recordNewPassword(trx, actor, at, edited);
    return edited;
  });
}
