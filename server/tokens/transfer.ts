import { hexOf } from '../database/index.js';
import type { Deps } from '../deps.js';
import { recordTransfer } from '../events/transfers.js';
import { actingOwner, lockNamed, type NamedOwner } from './acting.js';
import type { AuthenticatedActor } from './actor.js';
import { asActing, requireValidCaller } from './caller-state.js';
import { cutsOf, moveTokens } from './move.js';
import { checkTokenLimit } from './policy.js';
import { getReceiver, readParty, requireNoCuts } from './receiver.js';
import { WRITE } from './scopes.js';
import { MOST_SHOWN, readShown, type Selection, selectChanging, selectNamed } from './selection.js';
import type { AccessToken } from './token.js';
import { isOver } from './verify.js';

/** Tokens that one request moves, so that no other request waits long for it. */
const MOST_MOVED = 10_000;

/** How tokens get another owner. */
export interface Transfer {
  toId: number;
  /** Whether tokens lose the scopes that the new owner may not have. */
  cutScopes: boolean;
  /** The token that stays; null for none. */
  exceptId: number | null;
  dryRun: boolean;
}

export interface Transferred {
  count: number;
  /** How many of them lost scopes. */
  cut: number;
  /** How many of the uuids belong to no personal access token of the owner. */
  notFound: number;
  /** Whether no token is left that a repetition would move. */
  complete: boolean;
  /** The newest 200 of them, as they are afterwards. */
  tokens: AccessToken[];
}

/**
 * Gives the selected personal access tokens of the caller, or of the owner that `named` names, to another owner, in one transaction: those that are not revoked, and
 * the newest 10,000 at most. With `dryRun`, only returns which tokens those are.
 *
 * Rejects as `requireValidCaller` and `getReceiver` do, as `actingOwner` does for both owners, and with:
 * - `scopes_above_ceiling` if the new owner may not have a scope of the tokens, unless `cutScopes` is set.
 * - `token_limit_reached` if the new owner would have more tokens than the policy allows.
 */
export async function transferTokens(
  { db, now, config }: Deps,
  actor: AuthenticatedActor,
  named: NamedOwner,
  selection: Selection,
  { toId, cutScopes, exceptId, dryRun }: Transfer,
): Promise<Transferred> {
  const { caller } = actor;
  return await db.write(async (trx) => {
    await lockNamed(trx, caller, named, toId);
    const at = now();
    const acting = asActing(caller, await requireValidCaller(trx, caller, at, [WRITE]));
    const owner = await actingOwner(trx, acting, named, 'transfer');
    await actingOwner(trx, acting, { owner: toId }, 'transfer');
    const from = await readParty(trx, caller, owner.ownerId);
    const to = await getReceiver(trx, caller, toId);

    const found = await selectChanging(trx, owner, selection, { at, exceptId })
      .select(['token.id', 'token.scope_set_id', 'token.expires_at'])
      .select(hexOf('token.uuid').as('uuid'))
      .where('token.type', '=', 'pat')
      // Nothing moves from an owner to the same one.
      .where('token.owner_id', '!=', toId)
      .orderBy('token.created_at', 'desc')
      .orderBy('token.id', 'desc')
      .limit(MOST_MOVED + 1)
      .execute();
    const moving = found.slice(0, MOST_MOVED);
    const cuts = await cutsOf(trx, from, to, moving);
    if (!cutScopes) requireNoCuts(cuts);
    const unexpired = moving.filter((token) => !isOver(token.expires_at, at)).length;
    if (unexpired > 0) await checkTokenLimit(trx, config, to, at, unexpired);

    const uuids = 'uuids' in selection ? selection.uuids : [];
    const known =
      uuids.length === 0
        ? []
        : await selectNamed(trx, owner, uuids).where('token.type', '=', 'pat').select('token.id').execute();
    const losing = new Set(cuts.map(({ setId }) => setId));
    const cut = moving.filter((token) => losing.has(token.scope_set_id)).length;
    if (!dryRun) {
      await moveTokens(trx, owner, to, moving, cuts);
      await recordTransfer(trx, { at, by: actor }, owner, to, { tokens: moving, cut });
    }
    return {
      count: moving.length,
      cut,
      notFound: uuids.length - known.length,
      complete: found.length <= MOST_MOVED,
      tokens: await readShown(
        trx,
        moving.slice(0, MOST_SHOWN).map(({ id }) => id),
      ),
    };
  });
}
