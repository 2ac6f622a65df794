import { nextTurn, performanceNow } from '../timers.js';
import { hasOneWriter } from './locks.js';
import type { Queries } from './schema.js';

/** Milliseconds that a long transaction works before others get a turn. */
const STRETCH = 20;

/**
 * Returns a function that a long transaction calls between its statements. Where the engine is in this process, it lets
 * others run from time to time: requests that read are answered, from the database as it was before the transaction.
 */
export function createRests(trx: Queries): () => Promise<void> {
  if (!hasOneWriter(trx)) return () => Promise.resolve();
  let end = performanceNow() + STRETCH;
  return async () => {
    if (performanceNow() < end) return;
    await nextTurn();
    end = performanceNow() + STRETCH;
  };
}
