import type { Expression, ExpressionBuilder, Selectable, SqlBool } from 'kysely';
import { type Queries, runPrepared } from '../database/index.js';
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

/** A part of an owner's tokens, oldest first: those behind one place, up to another one. */
export interface Stretch extends OwnerKey {
  /** The place of a token is when it was created, in milliseconds since 1970, and its id. */
  behindAt: number;
  behindId: number;
  upToAt: number;
  upToId: number;
}

/** Returns the tokens that are left. */
export function stretchOf(
  user: OwnerKey,
  { reached_at, reached_id }: Pick<OffboardingRow, 'reached_at' | 'reached_id'>,
) {
  const { MAX_SAFE_INTEGER: most, MIN_SAFE_INTEGER: least } = Number;
  return { ...user, behindAt: reached_at ?? least, behindId: reached_id ?? least, upToAt: most, upToId: most };
}

/**
 * Returns the place of the token with the number `size` in a stretch; undefined if the stretch has fewer. Sessions and revoked
 * tokens count as well, so that only the index is read.
 */
export async function placeIn(
  trx: Queries,
  stretch: Stretch,
  size: number,
): Promise<Pick<Stretch, 'upToAt' | 'upToId'> | undefined> {
  const [place] = await runPrepared(trx, placeBehind, { ...stretch, skipped: size - 1 });
  return place;
}

const placeBehind = (trx: Queries, given: Stretch & { skipped: number }) =>
  trx
    .selectFrom('access_tokens as token')
    .select(['token.created_at as upToAt', 'token.id as upToId'])
    .where((eb) => isWithin(eb, given))
    .orderBy('token.created_at')
    .orderBy('token.id')
    .limit(1)
    .offset(given.skipped);

type Tokens = ExpressionBuilder<Schema & { token: AccessTokenTable }, 'token'>;

/** The condition that a row is a personal access token in a stretch, and not revoked. */
export function isLeftIn(expressions: Tokens, stretch: Stretch): Expression<SqlBool> {
  const { and, eb } = expressions;
  return and([
    isWithin(expressions, stretch),
    eb('token.organization_id', '=', stretch.organizationId),
    eb('token.type', '=', 'pat'),
    eb('token.revoked_at', 'is', null),
  ]);
}

/** The condition that a row is in a stretch, which is a part of the index on owner and creation. */
function isWithin(
  { and, eb, refTuple, tuple }: Tokens,
  { ownerId, behindAt, behindId, upToAt, upToId }: Stretch,
): Expression<SqlBool> {
  const place = refTuple('token.created_at', 'token.id');
  return and([
    eb('token.owner_id', '=', ownerId),
    eb('token.created_at', '>=', behindAt),
    eb(place, '>', tuple(behindAt, behindId)),
    eb('token.created_at', '<=', upToAt),
    eb(place, '<=', tuple(upToAt, upToId)),
  ]);
}
