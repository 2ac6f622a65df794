import { hash } from 'node:crypto';

/** The last row of a page: what the list is sorted by, and its id; and the moment that the first page was of. */
export interface Position {
  key: number | string;
  id: number;
  /** Milliseconds since 1970. */
  asOf: number;
}

const SEAL_BYTES = 8;

/**
 * A cursor is a position and a seal over it and what it belongs to: the caller, the filters and the order. The seal finds
 * damage and mix-ups. It is no secret, and need not be one: whoever forges it walks through a list of their own.
 */
export function toCursor({ key, id, asOf }: Position, belongsTo: string): string {
  const position = Buffer.from(JSON.stringify([key, id, asOf]));
  return Buffer.concat([seal(position, belongsTo), position]).toString('base64url');
}

/** The position in `cursor`, or undefined where it is damaged, foreign or made for other filters. */
export function fromCursor(cursor: string, belongsTo: string): Position | undefined {
  const bytes = Buffer.from(cursor, 'base64url');
  // Base64 has spare bits and skips what it does not know: only the exact spelling is accepted.
  if (bytes.toString('base64url') !== cursor) return undefined;
  const position = bytes.subarray(SEAL_BYTES);
  if (!bytes.subarray(0, SEAL_BYTES).equals(seal(position, belongsTo))) return undefined;
  return toPosition(position.toString());
}

function toPosition(text: string): Position | undefined {
  let parts: unknown;
  try {
    parts = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parts)) return undefined;
  const [key, id, asOf] = parts as unknown[];
  if (typeof key !== 'string' && !Number.isSafeInteger(key)) return undefined;
  if (!Number.isSafeInteger(id) || !Number.isSafeInteger(asOf)) return undefined;
  return { key: key as number | string, id: id as number, asOf: asOf as number };
}

function seal(position: Buffer, belongsTo: string): Buffer {
  return hash('sha256', `${belongsTo}\n${position.toString('hex')}`, 'buffer').subarray(0, SEAL_BYTES);
}
