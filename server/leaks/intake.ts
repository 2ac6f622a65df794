import type { Deps } from '../deps.js';
import type { Actor } from '../tokens/actor.js';
import { countReport } from './limit.js';
import { type Leak, storeReport } from './reports.js';

/**
 * Stores a report of anybody, which is acted on within a second. Takes the same time whatever the texts are. Rejects with
 * `too_many_requests`.
 */
export async function reportLeak({ db, now, leaks }: Deps, actor: Actor, leak: Leak): Promise<void> {
  await db.write(async (trx) => {
    const at = now();
    // Counted first: a flood of reports must cost no hashes.
    await countReport(trx, actor.address, at);
    await storeReport(trx, actor, at, leak);
  });
  leaks.wake();
}
