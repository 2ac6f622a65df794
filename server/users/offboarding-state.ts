import type { Selectable } from 'kysely';
import { hexOf, type Queries } from '../database/index.js';
import type { OffboardingTable } from '../database/schema.js';
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

/** Selects the tokens that are left, newest first. A walk along the index, from where the transaction before stopped. */
export function selectLeft(
  trx: Queries,
  { organizationId, ownerId }: OwnerKey,
  { before_at, before_id }: Pick<OffboardingRow, 'before_at' | 'before_id'>,
) {
  return trx
    .selectFrom('access_tokens as token')
    .select(['token.id', 'token.created_at', 'token.scope_set_id', 'token.name', 'token.prefix'])
    .select(hexOf('token.uuid').as('uuid'))
    .where('token.owner_id', '=', ownerId)
    .where('token.organization_id', '=', organizationId)
    .where('token.type', '=', 'pat')
    .where('token.revoked_at', 'is', null)
    .$if(before_at !== null, (query) =>
      query
        .where('token.created_at', '<=', before_at)
        .where(({ eb, refTuple, tuple }) =>
          eb(refTuple('token.created_at', 'token.id'), '<', tuple(Number(before_at), Number(before_id))),
        ),
    )
    .orderBy('token.created_at', 'desc')
    .orderBy('token.id', 'desc');
}
