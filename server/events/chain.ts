import { createHmac, hash } from 'node:crypto';
import type { EventRow } from '../database/schema.js';

// Each event's hash covers all of the event and the hash of the event before. So whoever changes, moves, inserts or removes an
// event has to compute all later hashes anew, and then the last hash differs from one that was noted elsewhere.

export type { EventRow };

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
  let end = append(0, VERSION);
  end = append(end, previous);
  for (const column of HASHED_COLUMNS) end = append(end, event[column]);
  const bytes = scratch.subarray(0, end);
  return key === null ? hash('sha256', bytes, 'buffer') : createHmac('sha256', key).update(bytes).digest();
}

const NULL = 0;
const INTEGER = 1;
const TEXT = 2;
const BYTES = 3;
/** Bytes of the kind and the length of a value. */
const HEAD = 5;

/** Units of UTF-16. */
const SHORT = 40;
/** The first unit of UTF-16 with more than one byte in UTF-8. */
const NOT_ASCII = 0x80;

/** Holds one event at a time, because each change pays for the allocation of a buffer. */
let scratch = Buffer.allocUnsafe(4_096);

/** Writes a value behind `end`, with its kind and its length before it, so that no two rows have the same encoding. */
function append(end: number, value: string | number | Uint8Array | null): number {
  const start = end + HEAD;
  if (value === null) return appendHead(end, NULL, 0);
  if (value instanceof Uint8Array) {
    makeRoom(start + value.length);
    scratch.set(value, start);
    return appendHead(end, BYTES, value.length);
  }
  const text = typeof value === 'number' ? String(value) : value;
  // UTF-8 has at most three bytes for each unit of UTF-16.
  makeRoom(start + 3 * text.length);
  return appendHead(end, typeof value === 'number' ? INTEGER : TEXT, writeText(text, start));
}

/** Writes `text` in UTF-8 and returns the number of bytes. */
function writeText(text: string, start: number): number {
  // For a short text, this loop is faster than a call of the runtime.
  if (text.length > SHORT) return scratch.write(text, start);
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= NOT_ASCII) return scratch.write(text, start);
    scratch[start + index] = unit;
  }
  return text.length;
}

/** Writes the head of a value of `length` bytes, and returns where the value ends. */
function appendHead(end: number, kind: number, length: number): number {
  makeRoom(end + HEAD);
  scratch[end] = kind;
  scratch.writeUInt32BE(length, end + 1);
  return end + HEAD + length;
}

function makeRoom(size: number): void {
  if (size <= scratch.length) return;
  const larger = Buffer.allocUnsafe(2 * size);
  larger.set(scratch);
  scratch = larger;
}
