import type { Deps } from '../deps.js';
import type { OwnerKey } from './caller.js';
import { isIn, keeps, TOKEN_STATES, type TokenFilter, type TokenState } from './filter.js';

/** Counts the owner's tokens that match `filter` in each state, all at one moment. A token can count in several states. */
export async function countTokens(
  { db, now }: Deps,
  { organizationId, ownerId }: OwnerKey,
  filter: Omit<TokenFilter, 'state'>,
): Promise<Record<TokenState, number>> {
  const at = now();
  return await db.read
    .selectFrom('access_tokens as token')
    .select((eb) =>
      TOKEN_STATES.map((state) =>
        eb.fn
          .countAll<number>()
          .filterWhere(isIn(eb, state, at))
          .as(state),
      ),
    )
    .where('token.owner_id', '=', ownerId)
    .where('token.organization_id', '=', organizationId)
    .where((eb) => keeps(eb, filter, at))
    .executeTakeFirstOrThrow();
}
