import type { EventRow, Queries } from './schema.js';

// On SQLite one transaction at a time writes. So the events of a transaction can wait for its end, when they get their places
// in the chain, and each of them is written once. On PostgreSQL, transactions run side by side, and write their events at once.

/** Writes the events of a transaction directly before its commit. */
export type AtCommit = (trx: Queries, events: readonly EventRow[]) => Promise<void>;

/** The events that wait for the commit, by the adapter of the one connection that writes. */
const waiting = new WeakMap<object, EventRow[]>();

/** Makes the events of the transactions of `writer` wait in `events`. Who commits a transaction empties `events`. */
export function collectEvents(writer: Queries, events: EventRow[]): void {
  waiting.set(writer.getExecutor().adapter, events);
}

/** Leaves an event to the end of `trx`. Returns false if events of `trx` do not wait: then the event must be written at once. */
export function leaveToCommit(trx: Queries, event: EventRow): boolean {
  const events = waiting.get(trx.getExecutor().adapter);
  events?.push(event);
  return events !== undefined;
}
