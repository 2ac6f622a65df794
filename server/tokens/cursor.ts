import { hash } from 'node:crypto';

/** Where a page ended: the last row's sort key and id, and the time at which the first page was read. */
export interface Position {
  key: number | string;
  id: number;
  /** Milliseconds since 1970. */
  asOf: number;
}

const SEAL_BYTES = 8;

/**
 * Encodes a position with a checksum over the position and `belongsTo`: the caller, the filters and the order. The checksum
 * detects damage and mix-ups. It needs no secret, because a forged cursor only reaches the caller's own rows.
 */
export function toCursor({ key, id, asOf }: Position, belongsTo: string): string {
  const position = Buffer.from(JSON.stringify([key, id, asOf]));
  return Buffer.concat([seal(position, belongsTo), position]).toString('base64url');
}

/** Decodes `cursor`; undefined if it is damaged, or belongs to another caller, filter or order. */
export function fromCursor(cursor: string, belongsTo: string): Position | undefined {
  const bytes = Buffer.from(cursor, 'base64url');
  // Base64 ignores unknown characters and spare bits; accept only the exact spelling.
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
