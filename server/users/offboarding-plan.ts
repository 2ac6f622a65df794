import { isSession, type Queries } from '../database/index.js';
import type { Deps } from '../deps.js';
import { nextTurn } from '../timers.js';
import type { OwnerKey } from '../tokens/caller.js';
import { checkTokenLimit } from '../tokens/policy.js';
import { cutsFor, getReceiver, readParty, requireNoCuts } from '../tokens/receiver.js';
import { type Slice, slicesOf } from '../tokens/slices.js';
import { countManagedAlone } from './managers.js';
import type { Offboarded, OffboardingDeps, OffboardingWish } from './offboarding.js';
import { getUserOf } from './user.js';

// What an offboarding would change, and whether its new owner may have that. It is read before the offboarding begins, some
// thousand tokens at a time.

/** Tokens that one query counts, about. */
const COUNTED_AT_ONCE = 10_000;

/** The tokens that are left of a user who is offboarded. */
interface Counted {
  tokens: number;
  /** How many of them have not expired. */
  unexpired: number;
  /** How many of them have each scope set, by its id. */
  bySet: Map<number, number>;
}

/** Returns what the offboarding would change. Rejects as `offboardUser` does for a user or a new owner that cannot be one. */
export async function planOffboarding(
  { db, now, config }: OffboardingDeps,
  user: OwnerKey,
  { toId, cutScopes }: Pick<OffboardingWish, 'toId' | 'cutScopes'>,
): Promise<Offboarded> {
  const at = now();
  await getUserOf(db.read, user, user.ownerId);
  const to = toId === null ? undefined : await getReceiver(db.read, user, toId);
  const { tokens, unexpired, bySet } = await countTokens(db, user, at);
  const sessions = await countSessions(db.read, user);
  const unmanaged = await countManagedAlone(db.read, user.ownerId);
  if (to === undefined) return { sessions, revoked: tokens, transferred: 0, cut: 0, unmanaged };
  const from = await readParty(db.read, user, user.ownerId);
  const cuts = await cutsFor(db.read, from, to, new Set(bySet.keys()));
  if (!cutScopes) requireNoCuts(cuts);
  if (unexpired > 0) await checkTokenLimit(db.read, config, to, at, unexpired);
  const cut = cuts.reduce((sum, { setId }) => sum + (bySet.get(setId) ?? 0), 0);
  return { sessions, revoked: 0, transferred: tokens, cut, unmanaged };
}

async function countTokens({ read }: Pick<Deps['db'], 'read'>, owner: OwnerKey, at: number): Promise<Counted> {
  const counted: Counted = { tokens: 0, unexpired: 0, bySet: new Map() };
  for await (const slice of slicesOf(read, owner, COUNTED_AT_ONCE)) {
    for (const { setId, tokens, unexpired } of await countSlice(read, owner, slice, at)) {
      counted.tokens += tokens;
      counted.unexpired += unexpired;
      counted.bySet.set(setId, (counted.bySet.get(setId) ?? 0) + tokens);
    }
    // Others get their turn, because SQLite answers without waiting.
    await nextTurn();
  }
  return counted;
}

async function countSlice(
  read: Queries,
  { organizationId, ownerId }: OwnerKey,
  { above, upTo }: Slice,
  at: number,
): Promise<{ setId: number; tokens: number; unexpired: number }[]> {
  return await read
    .selectFrom('access_tokens as token')
    .select(({ eb, fn, or }) => [
      'token.scope_set_id as setId',
      fn.countAll<number>().as('tokens'),
      fn
        .countAll<number>()
        .filterWhere(or([eb('token.expires_at', 'is', null), eb('token.expires_at', '>', at)]))
        .as('unexpired'),
    ])
    .where('token.owner_id', '=', ownerId)
    .where('token.organization_id', '=', organizationId)
    .where('token.type', '=', 'pat')
    .where('token.revoked_at', 'is', null)
    .where('token.created_at', '>', above)
    .where('token.created_at', '<=', upTo)
    .groupBy('token.scope_set_id')
    .execute();
}

async function countSessions(read: Queries, { organizationId, ownerId }: OwnerKey): Promise<number> {
  const { count } = await read
    .selectFrom('access_tokens as token')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('owner_id', '=', ownerId)
    .where('organization_id', '=', organizationId)
    .where(isSession)
    .where('revoked_at', 'is', null)
    .executeTakeFirstOrThrow();
  return count;
}
