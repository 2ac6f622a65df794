import {
  type AtCommit,
  announceEvents,
  type Database,
  lastIdOf,
  type Queries,
  runPrepared,
  sendPrepared,
  updateForRows,
  withoutLocked,
} from '../database/index.js';
import { type EventRow, HASHED_COLUMNS, hashOf, START } from './chain.js';
import { userLabel } from './label.js';

// Where transactions run side by side, a change writes its event without a place in the chain: if each change waited for the end
// of the chain, changes could not run side by side. A moment later one process links the events that are committed. Where one
// transaction at a time writes, the events of a transaction are linked at its end.

const EVENT_COLUMNS = [...HASHED_COLUMNS, 'hash'] as const;
/** Events in one transaction; few, so that requests do not wait long for it. */
const BATCH = 100;

const unlinkedOrganizations = (queries: Queries) =>
  queries
    .selectFrom('organizations')
    .select('id')
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('audit_events')
          .select('audit_events.id')
          .whereRef('audit_events.organization_id', '=', 'organizations.id')
          .where('audit_events.seq', 'is', null),
      ),
    );

/**
 * Gives committed events their places in the chains of their organizations, at most `BATCH` in each. Returns `all` if all events
 * are linked, `some` if there may be more, and `busy` if another process links the events of an organization just now.
 * Calls `onLinked` after each batch.
 */
export async function linkEvents(
  db: Pick<Database, 'read' | 'write'>,
  key: Uint8Array | null,
  onLinked: () => void = () => undefined,
): Promise<'all' | 'some' | 'busy'> {
  let outcome: 'all' | 'some' | 'busy' = 'all';
  for (const { id } of await runPrepared(db.read, unlinkedOrganizations, {})) {
    const linked = await db.write((trx) => linkBatch(trx, id, key));
    if (linked === undefined) outcome = 'busy';
    else if (linked === BATCH && outcome === 'all') outcome = 'some';
    if (linked !== undefined && linked > 0) onLinked();
  }
  return outcome;
}

/** Links a batch and returns its size; undefined if another process links just now. */
async function linkBatch(trx: Queries, organizationId: number, key: Uint8Array | null): Promise<number | undefined> {
  await sendPrepared(trx, newHead, { organizationId, hash: START });
  const locked = runPrepared(trx, headUnlessLocked, { organizationId });
  // Sent behind the lock, so that it does not see what others link just now.
  const [[head], events] = await Promise.all([locked, runPrepared(trx, unlinked, { organizationId })]);
  if (head === undefined) return undefined;
  let { seq, hash } = head;
  const places: Place[] = [];
  for (const event of events) {
    seq += 1;
    hash = hashOf(hash, { ...event, seq }, key);
    places.push({ event: event.id, place: seq, digest: hash });
  }
  if (places.length > 0) {
    await link(trx, places);
    await sendPrepared(trx, moveHead, { organizationId, seq, hash });
    await announceEvents(trx);
  }
  return places.length;
}

/** Returns what links the events of a transaction at its end, on an engine with one writer. */
export function createLinking(key: Uint8Array | null): AtCommit {
  return async (trx, events) => {
    const labels = new Map<number | null, string | null>();
    for (const organizationId of new Set(events.map((event) => event.organization_id))) {
      const [head] = await runPrepared(trx, headAndLastId, { organizationId });
      if (head === undefined) await sendPrepared(trx, newHead, { organizationId, hash: START });
      const [{ last_id: lastId } = { last_id: 0 }] =
        head === undefined ? await runPrepared(trx, lastEventId, {}) : [head];
      let { seq, hash } = head ?? { seq: 0, hash: START };
      let id = lastId ?? 0;
      for (const event of events) {
        if (event.organization_id !== organizationId) continue;
        id += 1;
        seq += 1;
        event.id = id;
        event.seq = seq;
        event.actor_label = labels.get(event.actor_id) ?? (await labelById(trx, event.actor_id, labels));
        event.hash = hash = hashOf(hash, event, key);
        await sendPrepared(trx, linkedEvent, event);
      }
      await sendPrepared(trx, moveHead, { organizationId, seq, hash });
    }
  };
}

async function labelById(
  trx: Queries,
  id: number | null,
  known: Map<number | null, string | null>,
): Promise<string | null> {
  if (id === null) return null;
  const [user] = await runPrepared(trx, labelOfUser, { id });
  known.set(id, user?.label ?? null);
  return user?.label ?? null;
}

const newHead = (trx: Queries, { organizationId, hash }: { organizationId: number; hash: Uint8Array }) =>
  trx
    .insertInto('audit_heads')
    .values({ organization_id: organizationId, seq: 0, hash, pruned_seq: 0, pruned_hash: hash })
    .onConflict((conflict) => conflict.column('organization_id').doNothing());

export const headOf = (queries: Queries, { organizationId }: { organizationId: number }) =>
  queries
    .selectFrom('audit_heads')
    .select(['seq', 'hash', 'pruned_seq', 'pruned_hash'])
    .where('organization_id', '=', organizationId);

const headUnlessLocked = (trx: Queries, given: { organizationId: number }) => withoutLocked(trx, headOf(trx, given));

const unlinked = (trx: Queries, { organizationId }: { organizationId: number }) =>
  trx
    .selectFrom('audit_events')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where('seq', 'is', null)
    .orderBy('id')
    .limit(BATCH);

interface Place {
  event: number;
  place: number;
  digest: Uint8Array;
}

const link = updateForRows<'audit_events', Place>(
  'audit_events',
  { event: 'bigint', place: 'bigint', digest: 'bytea' },
  (update, given) => update.set({ seq: given.place, hash: given.digest }).where('audit_events.id', '=', given.event),
);

const headAndLastId = (trx: Queries, { organizationId }: { organizationId: number }) =>
  trx
    .selectFrom('audit_heads')
    .select(['seq', 'hash', lastIdOf('audit_events').as('last_id')])
    .where('organization_id', '=', organizationId);

const lastEventId = (trx: Queries) => trx.selectNoFrom(lastIdOf('audit_events').as('last_id'));

const labelOfUser = (trx: Queries, { id }: { id: number }) =>
  trx.selectFrom('users').select(userLabel).where('id', '=', id);

/** Inserts a row with all its columns. */
const linkedEvent = (trx: Queries, row: EventRow) =>
  trx
    .insertInto('audit_events')
    .values(Object.fromEntries(EVENT_COLUMNS.map((column) => [column, row[column]])) as unknown as EventRow);

const moveHead = (
  trx: Queries,
  { organizationId, seq, hash }: { organizationId: number; seq: number; hash: Uint8Array },
) => trx.updateTable('audit_heads').set({ seq, hash }).where('organization_id', '=', organizationId);
