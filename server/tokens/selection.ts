import type { Queries } from '../database/index.js';
import type { OwnerKey } from './caller.js';
import { keeps, type TokenFilter } from './filter.js';
import { isOneOf, toTokenKey } from './find.js';
import { type AccessToken, selectTokens, toAccessToken } from './token.js';

// The tokens that one request changes together.

/** The owner's tokens to change: by distinct uuids, or by a filter. */
export type Selection = { uuids: readonly string[] } | { filter: TokenFilter };

/** The most tokens that an answer shows. */
export const MOST_SHOWN = 200;

/** Selects the owner's tokens of `selection` that are not revoked at the instant `at`, except the one with the id `exceptId`. */
export function selectChanging(
  trx: Queries,
  owner: OwnerKey,
  selection: Selection,
  { at, exceptId }: { at: number; exceptId: number | null },
) {
  const owned = trx
    .selectFrom('access_tokens as token')
    .where('token.owner_id', '=', owner.ownerId)
    .where('token.organization_id', '=', owner.organizationId);
  const chosen =
    'uuids' in selection
      ? selectNamed(trx, owner, selection.uuids)
      : owned.where((eb) => keeps(eb, selection.filter, at));
  return chosen
    .where('token.revoked_at', 'is', null)
    .$if(exceptId !== null, (query) => query.where('token.id', '!=', exceptId));
}

/** Selects the owner's tokens with these uuids. */
export function selectNamed(trx: Queries, owner: OwnerKey, uuids: readonly string[]) {
  const keys = uuids.map(toTokenKey);
  return trx.selectFrom('access_tokens as token').where((eb) => isOneOf(eb, owner, keys));
}

/** Reads the tokens with these integer ids, newest first. */
export async function readShown(trx: Queries, ids: readonly number[]): Promise<AccessToken[]> {
  const rows = await selectTokens(trx)
    .where('token.id', 'in', ids)
    .orderBy('token.created_at', 'desc')
    .orderBy('token.id', 'desc')
    .execute();
  return rows.map(toAccessToken);
}
