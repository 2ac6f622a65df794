import { type Queries, runPrepared } from '../database/index.js';
import type { OwnerKey } from './caller.js';

// An owner may have any number of tokens. What reaches all of them goes through them in slices, so that no statement takes
// long: others are answered in between, and PostgreSQL ends no statement for its duration.

/** Tokens in a slice that are changed; those of one millisecond are never divided. */
const SLICE = 2_000;

/** A part of an owner's tokens: those created after `above` and not after `upTo`, in milliseconds since 1970. */
export interface Slice {
  above: number;
  upTo: number;
}

/** All tokens in one slice. */
export const EVERYTHING: Slice = { above: Number.MIN_SAFE_INTEGER, upTo: Number.MAX_SAFE_INTEGER };

/** Divides the owner's tokens into slices, newest first. */
export async function* slicesOf(queries: Queries, { ownerId }: OwnerKey, size = SLICE): AsyncGenerator<Slice, void> {
  for (let { upTo } = EVERYTHING; ; ) {
    const [next] = await runPrepared(queries, firstBehind, { ownerId, upTo, size });
    const above = next === undefined ? EVERYTHING.above : Math.min(next.created_at, upTo - 1);
    yield { above, upTo };
    if (next === undefined) return;
    upTo = above;
  }
}

/** The first token behind a slice that begins at `upTo`. Only the index is read. */
const firstBehind = (queries: Queries, { ownerId, upTo, size }: { ownerId: number; upTo: number; size: number }) =>
  queries
    .selectFrom('access_tokens')
    .select('created_at')
    .where('owner_id', '=', ownerId)
    .where('created_at', '<=', upTo)
    .orderBy('created_at', 'desc')
    .limit(1)
    .offset(size);
