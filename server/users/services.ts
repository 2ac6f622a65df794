import { InvalidArgument } from '../config/invalid-argument.js';
import { lockOrganization, lockOwners, type Queries, searchTextOf } from '../database/index.js';
import type { Deps } from '../deps.js';
import { recordNewService, recordServiceEdit } from '../events/services.js';
import type { Actor, AuthenticatedActor } from '../tokens/actor.js';
import type { OwnerKey } from '../tokens/caller.js';
import { requireValidCaller } from '../tokens/caller-state.js';
import type { Ceiling } from '../tokens/ceiling.js';
import { toCursor } from '../tokens/cursor.js';
import { positionOf } from '../tokens/list.js';
import { ADMINISTER, requireOwnWords, reservedBy } from '../tokens/scopes.js';
import { managersOf, setManagers } from './managers.js';
import { findReferred } from './reference.js';
import { getUserOf, noSuchUser, readUser, selectUsers, toUser, type User } from './user.js';
import { theOrganization } from './users.js';

// Services: owners of tokens that outlive the person who created them. A service has no password, and managers act for it.

export interface NewService {
  name: string;
  /** The ids of people. */
  managers: readonly number[];
  /** The most scopes that its tokens can have; null for no limit. */
  scopes: Ceiling;
}

/** A service, and the ids of its managers in ascending order. */
export interface ManagedService {
  user: User;
  managers: number[];
}

/**
 * Adds a service to the caller's organization. Rejects as `requireValidCaller` does, with `not_found` if a manager is no person
 * of the organization, and with `invalid_input` for a reserved scope.
 */
export async function createService(
  { db, now }: Deps,
  actor: AuthenticatedActor,
  wish: NewService,
): Promise<ManagedService> {
  const { caller } = actor;
  if (wish.scopes !== null) requireOwnWords(wish.scopes);
  return await db.write(async (trx) => {
    await lockOwners(trx, caller.ownerId, ...wish.managers);
    const at = now();
    await requireValidCaller(trx, caller, at, [ADMINISTER]);
    return await insertService(trx, actor, caller.organizationId, wish, at);
  });
}

/**
 * Adds a service for the operator, and returns its id. Managers are found as `findReferred` does. Rejects with `InvalidArgument`
 * for a name or a scope that cannot be one, and for a manager that is no person.
 */
export async function addService(
  { db, now }: Pick<Deps, 'db' | 'now'>,
  actor: Actor,
  { name, managers, scopes }: { name: string; managers: readonly string[]; scopes: Ceiling },
): Promise<number> {
  if (!/^(?=.*\S)[^\p{Cc}\p{Cs}]{1,255}$/u.test(name)) {
    throw new InvalidArgument('the name of a service must be 1 to 255 characters, and no control characters');
  }
  const unusable = scopes?.find((scope) => !/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$/.test(scope) || reservedBy(scope));
  if (unusable !== undefined) throw new InvalidArgument(`${unusable} is no scope that a token can have`);
  return await db.write(async (trx) => {
    const found = [];
    for (const manager of managers) found.push(await findReferred(trx, manager));
    await lockOwners(trx, ...found.map(({ ownerId }) => ownerId));
    const at = now();
    const ids = [...new Set(found.map(({ ownerId }) => ownerId))];
    const { user } = await insertService(
      trx,
      actor,
      await theOrganization(trx, at),
      { name, managers: ids, scopes },
      at,
    );
    return user.id;
  });
}

/** Inserts a service in the caller's transaction. Rejects with `not_found` if a manager is no person of the organization. */
export async function insertService(
  trx: Queries,
  actor: Actor,
  organizationId: number,
  { name, managers, scopes }: NewService,
  at: number,
): Promise<ManagedService> {
  const { id } = await trx
    .insertInto('users')
    .values({
      organization_id: organizationId,
      kind: 'service',
      full_name: name,
      is_admin: 0,
      created_at: at,
      search: searchTextOf({ kind: 'service', fullName: name, email: null, externalId: null }),
      scopes: toColumn(scopes),
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  await setManagers(trx, { organizationId, ownerId: id }, managers, at);
  const service = await readService(trx, id);
  await recordNewService(trx, actor, at, service);
  return service;
}

/**
 * Returns the page of services, ordered by id, that the caller's owner manages and that follow `cursor`. Rejects with
 * `invalid_input` for a bad cursor.
 */
export async function listManagedPage(
  { db, now }: Deps,
  { organizationId, ownerId }: OwnerKey,
  { limit, cursor }: { limit: number; cursor: string | undefined },
): Promise<{ services: User[]; nextCursor: string | null }> {
  const belongsTo = JSON.stringify(['services', ownerId]);
  const after = cursor === undefined ? 0 : positionOf(cursor, belongsTo).id;
  const managed = db.read
    .selectFrom('managers')
    .select('managers.service_id')
    .where('managers.user_id', '=', ownerId)
    .where('managers.service_id', '>', after)
    .orderBy('managers.service_id')
    .limit(limit + 1);
  const rows = await selectUsers(db.read)
    .where('user.id', 'in', (query) => query.selectFrom(managed.as('managed')).select('managed.service_id'))
    .where('user.organization_id', '=', organizationId)
    .orderBy('user.id')
    .execute();
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return {
    services: rows.slice(0, limit).map(toUser),
    nextCursor: last ? toCursor({ key: last.id, id: last.id, asOf: now() }, belongsTo) : null,
  };
}

/** The members to change; undefined ones stay as they are. */
export interface ServiceEdit {
  /** Replaces all managers. */
  managers?: readonly number[] | undefined;
  scopes?: Ceiling | undefined;
}

/**
 * Replaces managers or ceiling of a service. Its tokens keep their scopes. Rejects as `createService` does, and with `not_found`
 * if there is no such service.
 */
export async function editService(
  { db, now }: Deps,
  actor: AuthenticatedActor,
  id: number,
  { managers, scopes }: ServiceEdit,
): Promise<ManagedService> {
  const { caller } = actor;
  const { organizationId } = caller;
  return await db.write(async (trx) => {
    await lockOrganization(trx, organizationId);
    await lockOwners(trx, caller.ownerId, id, ...(managers ?? []));
    const at = now();
    await requireValidCaller(trx, caller, at, [ADMINISTER]);
    const before = await getService(trx, caller, id);
    if (scopes != null) requireOwnWords(scopes, before.user.scopes ?? []);
    if (managers !== undefined) await setManagers(trx, { organizationId, ownerId: id }, managers, at);
    if (scopes !== undefined) {
      await trx
        .updateTable('users')
        .set({ scopes: toColumn(scopes) })
        .where('id', '=', id)
        .where('organization_id', '=', organizationId)
        .execute();
    }
    const after = await readService(trx, id);
    await recordServiceEdit(trx, actor, at, before, after);
    return after;
  });
}

async function getService(trx: Queries, organization: Pick<OwnerKey, 'organizationId'>, id: number) {
  const user = await getUserOf(trx, organization, id);
  if (user.kind !== 'service') throw noSuchUser();
  return { user, managers: (await managersOf(trx, [id])).get(id) ?? [] };
}

async function readService(trx: Queries, id: number): Promise<ManagedService> {
  return { user: await readUser(trx, id), managers: (await managersOf(trx, [id])).get(id) ?? [] };
}

function toColumn(scopes: Ceiling): string | null {
  return scopes === null ? null : [...new Set(scopes)].sort().join(' ');
}
