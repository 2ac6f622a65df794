import { type Database, type Queries, runPrepared, withoutLocked } from '../database/index.js';
import { SYSTEM } from '../tokens/actor.js';
import { headOf } from './link.js';
import { recordEvent } from './record.js';

/** Events that one transaction deletes; few, so that requests do not wait long for it. */
const BATCH = 1_000;

/**
 * Deletes the linked events from before the instant `before`, from the old end of each chain, and writes an event for each batch.
 * The chain keeps the place and hash of the last event that was deleted, so that the rest can be verified.
 */
export async function pruneEvents(db: Database, at: number, before: number, isClosed = () => false): Promise<void> {
  const heads = await db.read.selectFrom('audit_heads').select('organization_id').execute();
  for (const { organization_id: organizationId } of heads) {
    let deleted = BATCH;
    while (deleted === BATCH && !isClosed()) {
      deleted = await db.write((trx) => pruneBatch(trx, organizationId, before, at));
    }
  }
}

/** Deletes a batch and returns its size; 0 also if another process links or deletes just now. */
async function pruneBatch(trx: Queries, organizationId: number, before: number, now: number): Promise<number> {
  const [head] = await withoutLocked(trx, headOf(trx, { organizationId })).execute();
  if (head === undefined) return 0;
  const oldest = await runPrepared(trx, oldestOf, { organizationId, after: head.pruned_seq });
  // A webhook that is behind, because no process has run since, still gets the event.
  const [{ taken } = { taken: null }] = await runPrepared(trx, takenByAll, { organizationId });
  const recent = oldest.findIndex(({ at, seq }) => at >= before || (taken !== null && (seq ?? 0) > taken));
  const events = recent === -1 ? oldest : oldest.slice(0, recent);
  const last = events.at(-1);
  if (last?.seq == null || last.hash === null) return 0;
  const { seq, hash } = last;
  await trx.deleteFrom('audit_events').where('organization_id', '=', organizationId).where('seq', '<=', seq).execute();
  await trx
    .updateTable('audit_heads')
    .set({ pruned_seq: seq, pruned_hash: hash })
    .where('organization_id', '=', organizationId)
    .execute();
  const after = { lastSeq: seq, lastHash: Buffer.from(hash).toString('hex') };
  const changes = { count: events.length, after };
  await recordEvent(trx, SYSTEM, now, { action: 'audit.pruned', owner: { organizationId }, target: null, changes });
  return events.length;
}

/** The place up to which deliveries to all enabled webhooks are made. */
const takenByAll = (trx: Queries, { organizationId }: { organizationId: number }) =>
  trx
    .selectFrom('webhooks')
    .select(({ fn }) => fn.min<number | null>('after_seq').as('taken'))
    .where('organization_id', '=', organizationId)
    .where('disabled_at', 'is', null);

const oldestOf = (trx: Queries, { organizationId, after }: { organizationId: number; after: number }) =>
  trx
    .selectFrom('audit_events')
    .select(['seq', 'hash', 'at'])
    .where('organization_id', '=', organizationId)
    .where('seq', '>', after)
    .orderBy('seq')
    .limit(BATCH);
