import { type ExpressionBuilder, sql } from 'kysely';
import type { Queries } from '../database/index.js';
import type { Schema, UserTable } from '../database/schema.js';
import { type OwnerKey } from '../tokens/caller.js';
import { noSuchUser } from './user.js';

// Who manages a service. Managers are people; a disabled one manages nothing, and manages again when enabled.

type Users = ExpressionBuilder<Schema & { user: UserTable }, 'user'>;

/** Returns the ids of the managers of each service, in ascending order. A service without managers is not in the map. */
export async function managersOf(queries: Queries, serviceIds: readonly number[]): Promise<Map<number, number[]>> {
  const managers = new Map<number, number[]>();
  if (serviceIds.length === 0) return managers;
  const rows = await queries
    .selectFrom('managers')
    .select(['service_id', 'user_id'])
    .where('service_id', 'in', serviceIds)
    .orderBy('service_id')
    .orderBy('user_id')
    .execute();
  for (const { service_id: service, user_id: manager } of rows) {
    const known = managers.get(service);
    if (known === undefined) managers.set(service, [manager]);
    else known.push(manager);
  }
  return managers;
}

/** The ids of the managers of one service, as a condition. */
export function managersOfOne(serviceId: number) {
  return ({ selectFrom }: Pick<Users, 'selectFrom'>) =>
    selectFrom('managers').select('managers.user_id').where('managers.service_id', '=', serviceId);
}

/** Replaces the managers of the service, in the caller's transaction. Rejects with `not_found` unless all are people. */
export async function setManagers(
  trx: Queries,
  { organizationId, ownerId: serviceId }: OwnerKey,
  ids: readonly number[],
  at: number,
): Promise<void> {
  if (ids.length > 0) {
    const people = await trx
      .selectFrom('users')
      .select('id')
      .where('id', 'in', ids)
      .where('organization_id', '=', organizationId)
      .where('kind', '=', 'person')
      .execute();
    if (people.length < ids.length) throw noSuchUser();
  }
  const before = (await managersOf(trx, [serviceId])).get(serviceId) ?? [];
  const removed = before.filter((id) => !ids.includes(id));
  if (removed.length > 0) {
    await trx.deleteFrom('managers').where('service_id', '=', serviceId).where('user_id', 'in', removed).execute();
  }
  const added = ids.filter((id) => !before.includes(id));
  if (added.length === 0) return;
  const rows = added.map((id) => ({ service_id: serviceId, user_id: id, created_at: at }));
  await trx.insertInto('managers').values(rows).execute();
}

/** Whether the user is a service that no enabled person manages. */
export function isUnmanaged({ and, eb, selectFrom }: Users) {
  // Look-ups for each service. For a `not exists` or a join, PostgreSQL may read all managers or all users.
  const manager = selectFrom('managers')
    .select('managers.user_id')
    .whereRef('managers.service_id', '=', 'user.id')
    .where((inner) => inner(disabledAt(inner, 'managers.user_id'), 'is', null))
    .limit(1);
  return and([eb('user.kind', '=', 'service'), eb(manager, 'is', null)]);
}

/** When the user was disabled whose id is in the column `ref`. */
function disabledAt({ selectFrom }: Pick<ExpressionBuilder<Schema, 'managers'>, 'selectFrom'>, ref: string) {
  return selectFrom('users as manager').select('manager.disabled_at').where('manager.id', '=', sql.ref<number>(ref));
}

/** Counts the services that this user manages, and that no other enabled person does. */
export async function countManagedAlone(queries: Queries, userId: number): Promise<number> {
  const { count } = await queries
    .selectFrom('managers as own')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('own.user_id', '=', userId)
    .where(({ eb, selectFrom }) =>
      eb(
        selectFrom('managers as other')
          .select('other.user_id')
          .whereRef('other.service_id', '=', 'own.service_id')
          .where('other.user_id', '!=', userId)
          .where((inner) => inner(disabledAt(inner, 'other.user_id'), 'is', null))
          .limit(1),
        'is',
        null,
      ),
    )
    .executeTakeFirstOrThrow();
  return count;
}
