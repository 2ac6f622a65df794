import {
  createRests,
  hasOneWriter,
  hexOf,
  lockOrganization,
  lockOwners,
  lockOwnersAhead,
  type Queries,
  runPrepared,
  sendPrepared,
  syncLater,
} from '../database/index.js';
import { ServiceError } from '../errors.js';
import { MOST_IDS } from '../events/changes.js';
import { recordRevocations } from '../events/revocations.js';
import { recordTransfer } from '../events/transfers.js';
import { recordOffboarding, recordUser } from '../events/users.js';
import { nextTurn, performanceNow } from '../timers.js';
import type { Actor } from '../tokens/actor.js';
import type { OwnerKey } from '../tokens/caller.js';
import { requireValidCaller } from '../tokens/caller-state.js';
import { cutScopes, type MovingToken, movedTo } from '../tokens/move.js';
import { type Cut, cutsFor, getReceiver, readParty, type TransferParty } from '../tokens/receiver.js';
import { type Revocation, revokedColumns } from '../tokens/revocation.js';
import { ADMINISTER } from '../tokens/scopes.js';
import { countManagedAlone } from './managers.js';
import type { Offboarded, OffboardingDeps, OffboardingWish } from './offboarding.js';
import { planOffboarding } from './offboarding-plan.js';
import {
  isLeftIn,
  type OffboardingRow,
  placeIn,
  requireNothingMovesTo,
  type Stretch,
  stretchOf,
  underWay,
} from './offboarding-state.js';
import { getUserOf, readUser } from './user.js';
import { hasAdmin, revokeOf } from './users.js';

// Offboarding takes effect with one short transaction, which disables the user. The rows of the tokens follow some thousand at a
// time, so that no other request waits long. The table of offboardings knows how far they are, for whoever goes on.

/** Tokens that one statement changes, about. */
const BATCH = 2 * MOST_IDS;
/**
 * Milliseconds after which a transaction begins no further batch. Several batches share one, because each commit writes the
 * pages of all indexes anew. On SQLite all other writes wait for it; on PostgreSQL those of the new owner do, if there is one.
 */
const LONGEST = { alone: 10, withNewOwner: 40, withoutNewOwner: 250 };

/**
 * Disables the user, revokes the sessions, and revokes the personal access tokens or gives them to another owner. Goes on with
 * the same offboarding if that has begun before and not ended.
 *
 * Rejects as `requireValidCaller` does for an actor with a caller, and with:
 * - `not_found`, and `owner_not_found` or `owner_disabled` for the new owner, who cannot be the user.
 * - `last_admin` if no enabled administrator would be left, without `force`.
 * - `scopes_above_ceiling` and `token_limit_reached` as `transferTokens` does.
 * - `offboarding_under_way` if the user is being offboarded otherwise, or tokens of another user are moving to this one.
 */
export async function offboardUser(
  deps: OffboardingDeps,
  actor: Actor,
  user: OwnerKey,
  wish: OffboardingWish,
): Promise<Offboarded> {
  const { toId, dryRun } = wish;
  if (toId === user.ownerId) {
    throw new ServiceError('owner_disabled', { detail: 'The tokens cannot stay with the user who leaves.' });
  }
  const isBounded = toId !== null && (!wish.cutScopes || deps.config.maxTokensPerOwner !== null);
  const planned = dryRun || isBounded ? await planOffboarding(deps, user, wish) : undefined;
  if (dryRun && planned !== undefined) return planned;
  const begun = await begin(deps, actor, user, wish);
  const ended = begun.ended_at === null ? await finish(deps, actor, user, toId) : begun;
  if (ended === undefined) throw new ServiceError('offboarding_under_way');
  return { ...toCounts(ended), unmanaged: await countManagedAlone(deps.db.read, user.ownerId) };
}

async function begin(
  { db, now }: OffboardingDeps,
  actor: Actor,
  user: OwnerKey,
  { toId, force = false }: OffboardingWish,
): Promise<OffboardingRow> {
  const { organizationId, ownerId: id } = user;
  const { caller } = actor;
  return await db.write(async (trx) => {
    await lockOrganization(trx, organizationId);
    await lockOwners(trx, id, ...(caller === null ? [] : [caller.ownerId]), ...(toId === null ? [] : [toId]));
    const at = now();
    if (caller !== null) await requireValidCaller(trx, caller, at, [ADMINISTER]);
    const open = await underWay(trx, id);
    if (open !== undefined) {
      if (open.to_id !== toId) throw new ServiceError('offboarding_under_way');
      return open;
    }
    const before = await getUserOf(trx, user, id);
    await requireNothingMovesTo(trx, id);
    if (toId !== null) await getReceiver(trx, user, toId);
    const hadAdmin = await hasAdmin(trx, organizationId);
    await trx
      .updateTable('users')
      .set({ disabled_at: before.disabledAt ?? at })
      .where('id', '=', id)
      .where('organization_id', '=', organizationId)
      .execute();
    if (!force && hadAdmin && !(await hasAdmin(trx, organizationId))) throw new ServiceError('last_admin');
    await recordUser(trx, actor, at, before, await readUser(trx, id));
    const sessions = await revokeOf(trx, user, 'sessions', { at, by: actor, reason: 'offboarding' });
    const fresh = { to_id: toId, begun_at: at, ended_at: null, reached_at: null, reached_id: null, sessions };
    const row = { user_id: id, ...fresh, tokens: 0, cut: 0 };
    await trx
      .insertInto('offboardings')
      .values(row)
      // An earlier one has ended, and the user was enabled again.
      .onConflict((conflict) => conflict.column('user_id').doUpdateSet({ ...fresh, tokens: 0, cut: 0 }))
      .execute();
    return row;
  });
}

/**
 * Changes the tokens that are left, and returns the row of the whole offboarding; undefined if that has ended meanwhile, and
 * another one has begun, with another new owner.
 */
async function finish(
  deps: OffboardingDeps,
  actor: Actor,
  user: OwnerKey,
  toId: number | null,
): Promise<OffboardingRow | undefined> {
  for (;;) {
    const row = await deps.db.write((trx) => changeBatches(trx, deps, actor, user, toId));
    if (row === undefined || row.ended_at !== null) return row;
  }
}

/** Changes some batches in one transaction. Returns undefined, and changes nothing, if the offboarding has another new owner. */
async function changeBatches(
  trx: Queries,
  { now }: OffboardingDeps,
  actor: Actor,
  user: OwnerKey,
  toId: number | null,
): Promise<OffboardingRow | undefined> {
  const { ownerId: id } = user;
  await lockOwnersAhead(trx, id, toId ?? id);
  const [[row], parties] = await Promise.all([
    runPrepared(trx, offboardingOf, { id }),
    toId === null ? null : Promise.all([readParty(trx, user, id), readParty(trx, user, toId)]),
  ]);
  const at = now();
  if (row?.to_id !== toId) return undefined;
  if (row.ended_at !== null) return row;
  const { take, record } =
    parties === null
      ? revoker(trx, { at, by: actor, reason: 'offboarding' }, user)
      : mover(trx, { at, by: actor }, ...parties);
  const longest = hasOneWriter(trx) ? 'alone' : parties === null ? 'withoutNewOwner' : 'withNewOwner';
  const until = performanceNow() + LONGEST[longest];
  const rest = createRests(trx);
  // PostgreSQL changes the next batch while this process writes the event of one.
  let left = stretchOf(user, row);
  let end = await placeIn(trx, left, BATCH);
  let taking = take({ ...left, ...end });
  for (;;) {
    if (end === undefined) row.ended_at = at;
    else ({ upToAt: row.reached_at, upToId: row.reached_id } = end);
    left = stretchOf(user, row);
    const [tokens, next] = await Promise.all([taking, end && placeIn(trx, left, BATCH)]);
    row.tokens += tokens.length;
    const goesOn = row.ended_at === null && performanceNow() < until;
    if (goesOn) {
      taking = take({ ...left, ...next });
      // Nobody waits for it if `record` rejects first.
      taking.catch(() => undefined);
      // It is sent at the end of this turn, and runs while the events are put together.
      if (!hasOneWriter(trx)) await nextTurn();
    }
    tokens.sort(newestFirst);
    // An event tells of as many tokens as it names.
    for (let begin = 0; begin < tokens.length; begin += MOST_IDS) {
      row.cut += await record(tokens.slice(begin, begin + MOST_IDS));
    }
    if (!goesOn) break;
    end = next;
    await rest();
  }
  await sendPrepared(trx, newState, row);
  if (row.ended_at === null) {
    await syncLater(trx);
    return row;
  }
  await recordOffboarding(trx, actor, at, await readUser(trx, id), {
    to: toId,
    ...toCounts(row),
    unmanaged: await countManagedAlone(trx, id),
  });
  return row;
}

interface Taken {
  /** 32 hexadecimal digits. */
  uuid: string;
}

/** What happens with tokens: one statement changes those of a stretch, and returns them. */
interface Change<Token extends Taken> {
  take(stretch: Stretch): Promise<Token[]>;
  /** Writes the event of what was taken, newest first. Resolves with the number of those that lost scopes. */
  record(tokens: Token[]): Promise<number>;
}

function revoker(trx: Queries, revocation: Revocation, user: OwnerKey): Change<Taken> {
  const { at, by, reason } = revocation;
  return {
    take: (stretch) => runPrepared(trx, revokedIn, { ...stretch, at, by: by.caller?.ownerId ?? null, reason }),
    async record(tokens) {
      const uuids = tokens.map(({ uuid }) => uuid);
      await recordRevocations(trx, revocation, user, { count: tokens.length, uuids });
      return 0;
    },
  };
}

const revokedIn = (trx: Queries, given: Stretch & Parameters<typeof revokedColumns>[0]) =>
  trx
    .updateTable('access_tokens as token')
    .set({ ...revokedColumns(given), ...keptOwner(trx, given.ownerId) })
    .where((eb) => isLeftIn(eb, given))
    .returning(hexOf('uuid').as('uuid'));

/**
 * On PostgreSQL, the column that the indexes begin with, unchanged. If a statement sets no column of an index, PostgreSQL
 * searches each full page for entries that it could remove, and finds none here. SQLite would write the indexes anew.
 */
function keptOwner(trx: Queries, ownerId: number): { owner_id?: number } {
  return hasOneWriter(trx) ? {} : { owner_id: ownerId };
}

type Moved = Taken & Parameters<typeof recordTransfer>[4]['tokens'][number] & MovingToken;

function mover(trx: Queries, by: { at: number; by: Actor }, from: TransferParty, to: TransferParty): Change<Moved> {
  const known = new Set<number>();
  const cuts: Cut[] = [];
  return {
    take: (stretch) => runPrepared(trx, movedIn, { ...stretch, toId: to.ownerId }),
    async record(tokens) {
      // Most tokens share a few sets of scopes, so each set is looked up once. A query here waits for the next batch.
      const unseen = new Set(tokens.map((token) => token.scope_set_id).filter((setId) => !known.has(setId)));
      cuts.push(...(await cutsFor(trx, from, to, unseen)));
      for (const setId of unseen) known.add(setId);
      const cut = await cutScopes(trx, tokens, cuts);
      await recordTransfer(trx, by, from, to, { tokens, cut });
      return cut;
    },
  };
}

const movedIn = (trx: Queries, given: Stretch & { toId: number }) =>
  trx
    .updateTable('access_tokens as token')
    .set(movedTo(given.toId))
    .where((eb) => isLeftIn(eb, given))
    .returning(['id', 'scope_set_id', hexOf('uuid').as('uuid')]);

/** A uuid of version 7 begins with the time. */
function newestFirst(a: Taken, b: Taken): number {
  return a.uuid < b.uuid ? 1 : -1;
}

const offboardingOf = (trx: Queries, { id }: { id: number }) =>
  trx.selectFrom('offboardings').selectAll().where('user_id', '=', id);

const newState = (trx: Queries, { user_id, tokens, cut, ended_at, reached_at, reached_id }: OffboardingRow) =>
  trx.updateTable('offboardings').set({ tokens, cut, ended_at, reached_at, reached_id }).where('user_id', '=', user_id);

/** Goes on with the offboardings that a process which stopped has left, until `isStopped`. */
export async function finishOffboardings(
  deps: OffboardingDeps,
  actor: Actor,
  isStopped: () => boolean = () => false,
): Promise<void> {
  const left = await deps.db.read
    .selectFrom('offboardings')
    .innerJoin('users', 'users.id', 'offboardings.user_id')
    .select(['offboardings.user_id', 'offboardings.to_id', 'users.organization_id'])
    .where('offboardings.ended_at', 'is', null)
    .execute();
  for (const { user_id: ownerId, to_id: toId, organization_id: organizationId } of left) {
    if (isStopped()) return;
    // Whoever has begun another one with another new owner meanwhile finishes that.
    await finish(deps, actor, { organizationId, ownerId }, toId);
  }
}

function toCounts({ to_id: toId, sessions, tokens, cut }: OffboardingRow): Omit<Offboarded, 'unmanaged'> {
  return { sessions, revoked: toId === null ? tokens : 0, transferred: toId === null ? 0 : tokens, cut };
}
