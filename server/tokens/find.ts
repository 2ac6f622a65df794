import type { Expression, ExpressionBuilder, SqlBool } from 'kysely';
import { hasChosenUuid, type Queries, runPrepared } from '../database/index.js';
import type { AccessTokenTable, Schema } from '../database/schema.js';
import type { Deps } from '../deps.js';
import { ServiceError } from '../errors.js';
import { uuidBytes, uuidTime } from '../uuid.js';
import type { OwnerKey } from './caller.js';
import { selectVersioned, toVersioned, type VersionedToken } from './token.js';

/** What finds a token by its uuid. */
export interface TokenKey {
  uuid: Uint8Array;
  /** The milliseconds since 1970 in a uuid of version 7; meaningless in a uuid that a seed chose. */
  createdAt: number;
}

export function toTokenKey(uuid: string): TokenKey {
  const bytes = uuidBytes(uuid);
  return { uuid: bytes, createdAt: uuidTime(bytes) };
}

/**
 * The condition that a row is the owner's token with one of these keys. It needs no index on uuids, which would take an
 * eighth of the disk: a uuid of version 7 contains `created_at`, and the index on owner and `created_at` finds the row.
 * Both halves repeat the owner; written once before them, it would be all that SQLite searches by.
 */
export function isOneOf(
  { and, eb, or }: ExpressionBuilder<Schema & { token: AccessTokenTable }, 'token'>,
  { organizationId, ownerId }: OwnerKey,
  keys: readonly TokenKey[],
): Expression<SqlBool> {
  const uuids = keys.map(({ uuid }) => uuid);
  const times = keys.map(({ createdAt }) => createdAt);
  const isOwned = and([eb('token.owner_id', '=', ownerId), eb('token.organization_id', '=', organizationId)]);
  const hasUuid = eb('token.uuid', 'in', uuids);
  return or([and([isOwned, eb('token.created_at', 'in', times), hasUuid]), and([hasChosenUuid, isOwned, hasUuid])]);
}

/** Selects the owner's token with this key. */
export const tokenByUuid = (read: Queries, { uuid, createdAt, organizationId, ownerId }: TokenKey & OwnerKey) =>
  selectVersioned(read).where((eb) => isOneOf(eb, { organizationId, ownerId }, [{ uuid, createdAt }]));

/** Returns the owner's token, revoked or not. Rejects with `not_found`, also for another owner's token. */
export async function getToken(
  { db }: Deps,
  { organizationId, ownerId }: OwnerKey,
  uuid: string,
): Promise<VersionedToken> {
  const [row] = await runPrepared(db.read, tokenByUuid, { ...toTokenKey(uuid), organizationId, ownerId });
  if (row === undefined) throw new ServiceError('not_found');
  return toVersioned(row);
}
