import type { Expression, ExpressionBuilder, Selectable, SqlBool } from 'kysely';
import type { Queries } from '../database/index.js';
import type { AccessTokenTable, OffboardingTable, Schema } from '../database/schema.js';
import { ServiceError } from '../errors.js';
import type { OwnerKey } from '../tokens/caller.js';

export type OffboardingRow = Selectable<OffboardingTable>;

/** Throws `offboarding_under_way` if tokens of the user are not all revoked or moved yet. */
export async function requireNotLeaving(trx: Queries, id: number): Promise<void> {
  if ((await underWay(trx, id)) !== undefined) throw new ServiceError('offboarding_under_way');
}

/** Throws `offboarding_under_way` if tokens of another user are moving to this one. */
export async function requireNothingMovesTo(trx: Queries, id: number): Promise<void> {
  const moving = await trx
    .selectFrom('offboardings')
    .select('user_id')
    .where('to_id', '=', id)
    .where('ended_at', 'is', null)
    .limit(1)
    .executeTakeFirst();
  if (moving === undefined) return;
  throw new ServiceError('offboarding_under_way', { detail: 'Tokens of another user are moving to this user.' });
}

/** The user's offboarding that has not ended; undefined if there is none. */
export async function underWay(trx: Queries, id: number): Promise<OffboardingRow | undefined> {
  const row = await trx.selectFrom('offboardings').selectAll().where('user_id', '=', id).executeTakeFirst();
  return row?.ended_at === null ? row : undefined;
}

/** Where a walk through tokens is, newest first: the creation of a token in milliseconds since 1970, and its id. */
interface Place {
  created_at: number;
  id: number;
}

/** Returns the place of the last token in the next batch; undefined if fewer than `size` tokens are left. */
export async function endOfBatch(
  trx: Queries,
  user: OwnerKey,
  row: OffboardingRow,
  size: number,
): Promise<Place | undefined> {
  return await trx
    .selectFrom('access_tokens as token')
    .select(['token.created_at', 'token.id'])
    .where((eb) => isLeft(eb, user, row))
    .orderBy('token.created_at', 'desc')
    .orderBy('token.id', 'desc')
    .limit(1)
    .offset(size - 1)
    .executeTakeFirst();
}

/**
 * The condition that a token is left and not behind `end`. It is a part of the index on owner and creation, which begins where
 * the batch before ended.
 */
export function isLeft(
  { and, eb, refTuple, tuple }: ExpressionBuilder<Schema & { token: AccessTokenTable }, 'token'>,
  { organizationId, ownerId }: OwnerKey,
  { before_at, before_id }: Pick<OffboardingRow, 'before_at' | 'before_id'>,
  end?: Place,
): Expression<SqlBool> {
  const place = refTuple('token.created_at', 'token.id');
  return and([
    eb('token.owner_id', '=', ownerId),
    eb('token.organization_id', '=', organizationId),
    eb('token.type', '=', 'pat'),
    eb('token.revoked_at', 'is', null),
    ...(before_at === null
      ? []
      : [eb('token.created_at', '<=', before_at), eb(place, '<', tuple(before_at, Number(before_id)))]),
    ...(end === undefined
      ? []
      : [eb('token.created_at', '>=', end.created_at), eb(place, '>=', tuple(end.created_at, end.id))]),
  ]);
}
