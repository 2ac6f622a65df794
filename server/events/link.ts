import { type Database, type Queries, runPrepared, sendPrepared, withoutLocked } from '../database/index.js';
import { hashOf, START } from './chain.js';

// A change writes its event without a place in the chain: if each change waited for the end of the chain, changes could not
// run side by side. A moment later one process links the events that are committed.

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
 */
export async function linkEvents(db: Database, key: Uint8Array | null): Promise<'all' | 'some' | 'busy'> {
  let outcome: 'all' | 'some' | 'busy' = 'all';
  for (const { id } of await runPrepared(db.read, unlinkedOrganizations, {})) {
    const linked = await db.write((trx) => linkBatch(trx, id, key));
    if (linked === undefined) outcome = 'busy';
    else if (linked === BATCH && outcome === 'all') outcome = 'some';
  }
  return outcome;
}

/** Links a batch and returns its size; undefined if another process links just now. */
async function linkBatch(trx: Queries, organizationId: number, key: Uint8Array | null): Promise<number | undefined> {
  await sendPrepared(trx, newHead, { organizationId, hash: START });
  const [head] = await withoutLocked(trx, headOf(trx, { organizationId })).execute();
  if (head === undefined) return undefined;
  let { seq, hash } = head;
  const events = await runPrepared(trx, unlinked, { organizationId });
  for (const event of events) {
    seq += 1;
    hash = hashOf(hash, { ...event, seq }, key);
    await sendPrepared(trx, link, { id: event.id, seq, hash });
  }
  if (events.length > 0) await sendPrepared(trx, moveHead, { organizationId, seq, hash });
  return events.length;
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

const unlinked = (trx: Queries, { organizationId }: { organizationId: number }) =>
  trx
    .selectFrom('audit_events')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where('seq', 'is', null)
    .orderBy('id')
    .limit(BATCH);

const link = (trx: Queries, { id, seq, hash }: { id: number; seq: number; hash: Uint8Array }) =>
  trx.updateTable('audit_events').set({ seq, hash }).where('id', '=', id);

const moveHead = (
  trx: Queries,
  { organizationId, seq, hash }: { organizationId: number; seq: number; hash: Uint8Array },
) => trx.updateTable('audit_heads').set({ seq, hash }).where('organization_id', '=', organizationId);
