import { hexOf, type Queries, type UserKind } from '../database/index.js';
import { ServiceError } from '../errors.js';
import type { OwnerKey } from '../tokens/caller.js';
import { type Ceiling, toCeiling } from '../tokens/ceiling.js';
import { toMetadata } from '../tokens/token.js';
import { toUuid } from '../uuid.js';

export interface User {
  id: number;
  kind: UserKind;
  /** Null unless the user is an external owner. */
  externalId: string | null;
  /** Empty if the user has none. */
  email: string;
  fullName: string;
  metadata: Record<string, string>;
  isAdmin: boolean;
  createdAt: number;
  disabledAt: number | null;
  /** The most scopes that tokens of a service can have; null for no limit. */
  scopes: Ceiling;
  organization: Organization;
}

export interface Organization {
  id: number;
  uuid: string;
  name: string;
  slug: string;
}

/** Reads the user with this id, which must exist, in the caller's transaction. */
export async function readUser(trx: Queries, id: number): Promise<User> {
  return toUser(await selectUsers(trx).where('user.id', '=', id).executeTakeFirstOrThrow());
}

/** Reads the organization's user with this id. Rejects with `not_found`. */
export async function getUserOf(
  queries: Queries,
  { organizationId }: Pick<OwnerKey, 'organizationId'>,
  id: number,
): Promise<User> {
  const row = await selectUsers(queries)
    .where('user.id', '=', id)
    .where('user.organization_id', '=', organizationId)
    .where('user.deleted_at', 'is', null)
    .executeTakeFirst();
  if (row === undefined) throw noSuchUser();
  return toUser(row);
}

export function noSuchUser(): ServiceError {
  return new ServiceError('not_found', { detail: 'No such user.' });
}

export function selectUsers(queries: Queries) {
  return queries
    .selectFrom('users as user')
    .innerJoin('organizations as organization', 'organization.id', 'user.organization_id')
    .select([
      'user.id',
      'user.organization_id',
      'user.kind',
      'user.scopes',
      'user.external_id',
      'user.email',
      'user.contact_email',
      'user.full_name',
      'user.metadata',
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
    kind: row.kind,
    externalId: row.external_id,
    email: row.email ?? row.contact_email ?? '',
    fullName: row.full_name,
    metadata: toMetadata(row.metadata),
    isAdmin: row.is_admin === 1,
    createdAt: row.created_at,
    disabledAt: row.disabled_at,
    scopes: toCeiling(row.scopes),
    organization: {
      id: row.organization_id,
      uuid: toUuid(row.organization_uuid),
      name: row.organization_name,
      slug: row.organization_slug,
    },
  };
}
