import type { Expression, ExpressionBuilder, SqlBool } from 'kysely';
import { hasChosenUuid, type Queries, runPrepared } from '../database/index.js';
import type { AccessTokenTable, Schema } from '../database/schema.js';
import type { Deps } from '../deps.js';
import { ServiceError } from '../errors.js';
import { uuidBytes, uuidTime } from '../uuid.js';
import { type AccessToken, selectTokens, toAccessToken } from './token.js';

/** What a uuid tells of the token that has it. */
export interface TokenKey {
  uuid: Uint8Array;
  /** Milliseconds since 1970; of a uuid that somebody chose, anything. */
  createdAt: number;
}

export function toTokenKey(uuid: string): TokenKey {
  const bytes = uuidBytes(uuid);
  return { uuid: bytes, createdAt: uuidTime(bytes) };
}

/**
 * Whether a row is the owner's token with one of these keys. An index on all uuids would take an eighth of the disk, and
 * uuids of version 7 tell by themselves where their rows are among the owner's. The owner stands in both halves: before
 * them it would be all that SQLite looks for.
 */
export function isOneOf(
  { and, eb, or }: ExpressionBuilder<Schema & { token: AccessTokenTable }, 'token'>,
  ownerId: number,
  keys: readonly TokenKey[],
): Expression<SqlBool> {
  const uuids = keys.map(({ uuid }) => uuid);
  const times = keys.map(({ createdAt }) => createdAt);
  const isOwned = eb('token.owner_id', '=', ownerId);
  const hasUuid = eb('token.uuid', 'in', uuids);
  return or([and([isOwned, eb('token.created_at', 'in', times), hasUuid]), and([hasChosenUuid, isOwned, hasUuid])]);
}

/** The row of the owner's token with this key. */
export const tokenByUuid = (read: Queries, { uuid, createdAt, ownerId }: TokenKey & { ownerId: number }) =>
  selectTokens(read).where((eb) => isOneOf(eb, ownerId, [{ uuid, createdAt }]));

/** The owner's token, revoked or not. Rejects with `not_found`, for another owner's token as for none. */
export async function getToken({ db }: Deps, ownerId: number, uuid: string): Promise<AccessToken> {
  const [row] = await runPrepared(db.read, tokenByUuid, { ...toTokenKey(uuid), ownerId });
  if (row === undefined) throw new ServiceError('not_found');
  return toAccessToken(row);
}
