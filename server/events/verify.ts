import { type Database, type Queries, runPrepared } from '../database/index.js';
import { type EventRow, hashOf, START } from './chain.js';
import { headOf } from './link.js';

/** Events that are read together. */
const BATCH = 1_000;

/** An event's place and hash, noted elsewhere, to compare a chain with later. */
export interface Anchor {
  seq: number;
  /** 64 hexadecimal digits. */
  hash: string;
}

export interface ChainReport {
  /** Linked events that are still there. */
  events: number;
  /** Events that were deleted because of their age. */
  pruned: number;
  /** Events from before the chain had a key. They prove less: who has the database could write them anew. */
  withoutKey: number;
  /** Events that have no place in the chain yet. */
  unlinked: number;
  /** Anchors that could not be compared, because their events were deleted. */
  deletedAnchors: number;
  /** The end of the chain; null if the chain has no event. */
  head: Anchor | null;
  /** The first fault; null if the chain is whole. */
  fault: { seq: number; what: string } | null;
}

/**
 * Computes the chain of an organization anew and returns its first fault: an event whose content or hash was changed, an event
 * that is missing, an end that was cut off, or an event of another hash than an anchor says. From the place `keyedFrom` on, an
 * event that was linked without the key is a fault too.
 */
export async function verifyChain(
  { read }: Pick<Database, 'read'>,
  organizationId: number,
  key: Uint8Array | null,
  anchors: readonly Anchor[] = [],
  keyedFrom = Number.POSITIVE_INFINITY,
): Promise<ChainReport> {
  for (;;) {
    const report = await verifyOnce(read, organizationId, key, anchors, keyedFrom);
    if (report.fault === null) return report;
    // The service may have deleted old events meanwhile, which is no fault.
    const [head] = await runPrepared(read, headOf, { organizationId });
    if ((head?.pruned_seq ?? 0) === report.pruned) return report;
  }
}

async function verifyOnce(
  read: Queries,
  organizationId: number,
  key: Uint8Array | null,
  anchors: readonly Anchor[],
  keyedFrom: number,
): Promise<ChainReport> {
  // The head is read first, and the events up to it: others may be linked meanwhile.
  const [head] = await runPrepared(read, headOf, { organizationId });
  const [counted] = await runPrepared(read, countUnlinked, { organizationId });
  const anchored = new Map(anchors.map(({ seq, hash }) => [seq, hash.toLowerCase()]));
  const end = head?.seq ?? 0;
  const pruned = head?.pruned_seq ?? 0;
  let hash = head?.pruned_hash ?? START;
  let fault = await startFault(read, organizationId, pruned, hash, anchors);
  let seq = pruned;
  let withoutKey = 0;
  while (fault === null && seq < end) {
    const rows = await runPrepared(read, linkedAfter, {
      organizationId,
      after: seq,
      limit: Math.min(BATCH, end - seq),
    });
    if (rows.length === 0) fault = { seq: seq + 1, what: 'the event is missing' };
    for (const row of rows) {
      // Once an event was linked with the key, all later ones must be.
      const mayBeKeyless = withoutKey === seq - pruned && seq + 1 < keyedFrom;
      const isKeyless = key !== null && mayBeKeyless && isHashOf(row, hash, null);
      fault = faultOf(row, { seq: seq + 1, previous: hash, key: isKeyless ? null : key, anchored });
      if (fault !== null) break;
      if (isKeyless) withoutKey += 1;
      seq += 1;
      hash = row.hash ?? START;
    }
  }
  fault ??= endFault(seq, hash, head, anchors) ?? (await surplusOf(read, organizationId));
  if (fault === null && head !== undefined && pruned > 0) fault = await prunedFault(read, organizationId, head);
  return {
    events: seq - pruned,
    pruned,
    withoutKey,
    deletedAnchors: anchors.filter((anchor) => anchor.seq < pruned).length,
    unlinked: counted?.count ?? 0,
    head: head === undefined || head.seq === 0 ? null : { seq: head.seq, hash: hexadecimal(head.hash) },
    fault,
  };
}

interface Place {
  seq: number;
  previous: Uint8Array;
  key: Uint8Array | null;
  anchored: ReadonlyMap<number, string>;
}

function faultOf(row: EventRow, { seq, previous, key, anchored }: Place): ChainReport['fault'] {
  if (row.seq !== seq) return { seq, what: 'the event is missing' };
  const hash = row.hash === null ? '' : hexadecimal(row.hash);
  if (!isHashOf(row, previous, key)) {
    return { seq, what: 'the event or its hash was changed, or it does not follow the event before' };
  }
  const expected = anchored.get(seq);
  if (expected !== undefined && expected !== hash) return { seq, what: 'the hash is not the one of the anchor' };
  return null;
}

function isHashOf(row: EventRow, previous: Uint8Array, key: Uint8Array | null): boolean {
  return row.hash !== null && hashOf(previous, row, key).equals(row.hash);
}

/** The fault that no event tells of the deletion of the old end. */
async function prunedFault(
  read: Queries,
  organizationId: number,
  { pruned_seq: seq, pruned_hash: hash }: { pruned_seq: number; pruned_hash: Uint8Array },
): Promise<ChainReport['fault']> {
  const text = JSON.stringify({ lastSeq: seq, lastHash: hexadecimal(hash) });
  const found = await read
    .selectFrom('audit_events')
    .select('id')
    .where('organization_id', '=', organizationId)
    .where('action', '=', 'audit.pruned')
    .where('changes', 'like', `%"after":${text}%`)
    .limit(1)
    .executeTakeFirst();
  return found === undefined ? { seq, what: 'no event tells that the events up to this one were deleted' } : null;
}

/** The fault of the place where the chain begins, behind the last event that was deleted: at 0 if none was. */
async function startFault(
  read: Queries,
  organizationId: number,
  seq: number,
  hash: Uint8Array,
  anchors: readonly Anchor[],
): Promise<ChainReport['fault']> {
  const [first] = await runPrepared(read, firstLinked, { organizationId });
  if (first?.seq != null && first.seq <= seq) {
    return { seq: first.seq, what: 'the event stands before the start of the chain' };
  }
  const isOther = (anchor: Anchor) => anchor.seq === seq && anchor.hash.toLowerCase() !== hexadecimal(hash);
  return seq > 0 && anchors.some(isOther) ? { seq, what: 'the hash is not the one of the anchor' } : null;
}

function endFault(
  seq: number,
  hash: Uint8Array,
  head: { hash: Uint8Array } | undefined,
  anchors: readonly Anchor[],
): ChainReport['fault'] {
  if (head !== undefined && hexadecimal(head.hash) !== hexadecimal(hash)) {
    return { seq, what: 'the last event is not the one that was linked last' };
  }
  const beyond = anchors.find((anchor) => anchor.seq > seq);
  return beyond === undefined ? null : { seq: beyond.seq, what: `the chain ends at ${String(seq)}, before the anchor` };
}

/** The fault that an event stands behind the end of the chain. */
async function surplusOf(read: Queries, organizationId: number): Promise<ChainReport['fault']> {
  // The events before the end: each event that is linked meanwhile moves the end too.
  const [last] = await runPrepared(read, lastLinked, { organizationId });
  const [head] = await runPrepared(read, headOf, { organizationId });
  if (last?.seq == null || last.seq <= (head?.seq ?? 0)) return null;
  return { seq: last.seq, what: 'the event stands behind the end of the chain' };
}

function hexadecimal(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

const linkedAfter = (
  read: Queries,
  { organizationId, after, limit }: { organizationId: number; after: number; limit: number },
) =>
  read
    .selectFrom('audit_events')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where('seq', '>', after)
    .orderBy('seq')
    .limit(limit);

const lastLinked = (read: Queries, { organizationId }: { organizationId: number }) =>
  read
    .selectFrom('audit_events')
    .select('seq')
    .where('organization_id', '=', organizationId)
    .where('seq', 'is not', null)
    .orderBy('seq', 'desc')
    .limit(1);

const firstLinked = (read: Queries, { organizationId }: { organizationId: number }) =>
  read
    .selectFrom('audit_events')
    .select('seq')
    .where('organization_id', '=', organizationId)
    .where('seq', 'is not', null)
    .orderBy('seq')
    .limit(1);

const countUnlinked = (read: Queries, { organizationId }: { organizationId: number }) =>
  read
    .selectFrom('audit_events')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('organization_id', '=', organizationId)
    .where('seq', 'is', null);
