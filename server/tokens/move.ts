import { sql } from 'kysely';
import { createRests, type Queries } from '../database/index.js';
import type { OwnerKey } from './caller.js';
import { type Cut, cutsFor, type TransferParty } from './receiver.js';
import { scopeSetId } from './scopes.js';

/** The most ids that one statement names. */
const CHUNK = 1_000;

/** A token that is given to another owner. */
export interface MovingToken {
  id: number;
  scope_set_id: number;
}

/**
 * Gives tokens of `from` to `to`, in the caller's transaction, and takes the scopes of `cuts` from them. Both owners must be
 * locked. Returns how many tokens lost scopes.
 */
export async function moveTokens(
  trx: Queries,
  from: OwnerKey,
  to: OwnerKey,
  tokens: readonly MovingToken[],
  cuts: readonly Cut[],
): Promise<number> {
  const rest = createRests(trx);
  for (const ids of chunksOf(tokens.map(({ id }) => id))) {
    await trx
      .updateTable('access_tokens')
      .set(movedTo(to.ownerId))
      .where('id', 'in', ids)
      .where('owner_id', '=', from.ownerId)
      .execute();
    await rest();
  }
  return await cutScopes(trx, tokens, cuts);
}

/** The columns of a token that is given to the owner with this id. */
export function movedTo(ownerId: number) {
  return {
    owner_id: ownerId,
    // Null means the owner, who is another one from now on.
    created_by: sql<number>`nullif(coalesce(created_by, owner_id), ${ownerId})`,
    version: sql<number>`version + 1`,
  };
}

/** Takes the scopes of `cuts` from the tokens that have them, and returns how many these are. */
export async function cutScopes(trx: Queries, tokens: readonly MovingToken[], cuts: readonly Cut[]): Promise<number> {
  const rest = createRests(trx);
  let cut = 0;
  for (const { setId, kept } of cuts) {
    const losing = tokens.filter((token) => token.scope_set_id === setId).map(({ id }) => id);
    if (losing.length === 0) continue;
    const newSet = await scopeSetId(trx, kept);
    for (const ids of chunksOf(losing)) {
      await trx.updateTable('access_tokens').set({ scope_set_id: newSet }).where('id', 'in', ids).execute();
      await rest();
    }
    cut += losing.length;
  }
  return cut;
}

/** The cuts that `moveTokens` needs for these tokens. */
export async function cutsOf(
  trx: Queries,
  from: TransferParty,
  to: TransferParty,
  tokens: readonly MovingToken[],
): Promise<Cut[]> {
  return await cutsFor(trx, from, to, new Set(tokens.map((token) => token.scope_set_id)));
}

function chunksOf(ids: readonly number[]): number[][] {
  return Array.from({ length: Math.ceil(ids.length / CHUNK) }, (_, index) =>
    ids.slice(index * CHUNK, (index + 1) * CHUNK),
  );
}
