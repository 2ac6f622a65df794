import { createHmac, hash } from 'node:crypto';
import type { Selectable } from 'kysely';
import type { AuditEventTable } from '../database/schema.js';

// Each event's hash covers all of the event and the hash of the event before. So whoever changes, moves, inserts or removes an
// event has to compute all later hashes anew, and then the last hash differs from one that was noted elsewhere.

export type EventRow = Selectable<AuditEventTable>;

/** The hash that the first event of a chain continues. */
export const START: Uint8Array = new Uint8Array(32);

/** Begins the encoding of each event, so that a later encoding can never be mistaken for this one. */
const VERSION = 'latchkey event 1';

/** The columns that a hash covers, in their order. All but the hash: a test compares them with the table. */
export const HASHED_COLUMNS = [
  'organization_id',
  'seq',
  'id',
  'uuid',
  'at',
  'action',
  'actor_kind',
  'actor_id',
  'actor_token',
  'actor_label',
  'address',
  'user_agent',
  'request_id',
  'owner_id',
  'target_kind',
  'target_uuid',
  'target_label',
  'target_prefix',
  'reason',
  'changes',
] as const satisfies readonly (keyof EventRow)[];

/**
 * Returns the hash of a linked event that follows an event with the hash `previous`: SHA-256, and with a key HMAC-SHA-256, so
 * that who has only the database cannot write the chain anew.
 */
export function hashOf(previous: Uint8Array, event: EventRow, key: Uint8Array | null): Buffer {
  const parts: Uint8Array[] = [];
  for (const value of [VERSION, previous, ...HASHED_COLUMNS.map((column) => event[column])]) {
    parts.push(...encoded(value));
  }
  const bytes = Buffer.concat(parts);
  return key === null ? hash('sha256', bytes, 'buffer') : createHmac('sha256', key).update(bytes).digest();
}

const KINDS = { null: 0, integer: 1, text: 2, bytes: 3 };

/** A value with its kind and its length before it, so that no two rows have the same encoding. */
function encoded(value: string | number | Uint8Array | null): [Uint8Array, Uint8Array] {
  const kind =
    value === null ? 'null' : typeof value === 'number' ? 'integer' : typeof value === 'string' ? 'text' : 'bytes';
  const bytes = value instanceof Uint8Array ? value : Buffer.from(value === null ? '' : String(value));
  const head = Buffer.allocUnsafe(5);
  head.writeUInt8(KINDS[kind], 0);
  head.writeUInt32BE(bytes.length, 1);
  return [head, bytes];
}
