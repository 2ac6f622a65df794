import { type Database, type Queries, runPrepared } from '../database/index.js';
import { ServiceError } from '../errors.js';
import { headOf } from './link.js';

// A place is the `seq` of the last event that a reader knows. What follows it must not be missing without a word.

/** How far a chain goes, and up to where its events were deleted because of their age. */
export interface Extent {
  seq: number;
  pruned_seq: number;
}

/** Reads how far the organization's chain goes now. */
export async function extentOf(read: Queries, organizationId: number): Promise<Extent> {
  const [head] = await runPrepared(read, headOf, { organizationId });
  return head ?? { seq: 0, pruned_seq: 0 };
}

/**
 * Returns the place behind which a reader that knows the events up to `after` begins: for 0, which is for all events that are kept,
 * the place of the last event that was deleted. Throws `events_gone` if events behind `after` were deleted, and if there is no
 * such place.
 */
export function placeIn(extent: Extent, after: number): number {
  if (after === 0) return extent.pruned_seq;
  if (hasAllBehind(extent, after)) return after;
  const { seq, pruned_seq: pruned } = extent;
  const detail =
    after > seq
      ? `There is no event ${String(after)}: the newest is ${String(seq)}. The database was restored from a backup.`
      : `Events after ${String(after)} were deleted. Events are kept after ${String(pruned)}.`;
  throw new ServiceError('events_gone', { detail });
}

/** Whether the chain has the place `after`, and every event behind it. */
export function hasAllBehind({ seq, pruned_seq: pruned }: Extent, after: number): boolean {
  return after >= pruned && after <= seq;
}

/**
 * Checks that `events`, the ones that were just read behind the place `after`, follow it without a gap. Rejects with `events_gone`
 * as `placeIn` throws it.
 */
export async function requireNoGap(
  { read }: Pick<Database, 'read'>,
  organizationId: number,
  after: number,
  events: readonly { seq: number | null }[],
): Promise<void> {
  if (events[0]?.seq !== after + 1) placeIn(await extentOf(read, organizationId), after);
}
