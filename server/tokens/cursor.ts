import { hash } from 'node:crypto';

/** The last row of a page, in the order newest first. */
export interface Position {
  createdAt: number;
  id: number;
}

const POSITION_BYTES = 14;
const SEAL_BYTES = 8;

/**
 * A cursor is a position and a seal over it and what it belongs to: the caller and the filters. The seal finds damage
 * and mix-ups. It is no secret, and need not be one: whoever forges it walks through a list of their own.
 */
export function toCursor({ createdAt, id }: Position, belongsTo: string): string {
  const position = Buffer.alloc(POSITION_BYTES);
  position.writeUIntBE(createdAt, 0, 6);
  position.writeBigUInt64BE(BigInt(id), 6);
  return Buffer.concat([position, seal(position, belongsTo)]).toString('base64url');
}

/** The position in `cursor`, or undefined where it is damaged, foreign or made for other filters. */
export function fromCursor(cursor: string, belongsTo: string): Position | undefined {
  const bytes = Buffer.from(cursor, 'base64url');
  // Base64 has spare bits and skips what it does not know: only the exact spelling is accepted.
  if (bytes.length !== POSITION_BYTES + SEAL_BYTES || bytes.toString('base64url') !== cursor) return undefined;
  const position = bytes.subarray(0, POSITION_BYTES);
  if (!bytes.subarray(POSITION_BYTES).equals(seal(position, belongsTo))) return undefined;
  return { createdAt: position.readUIntBE(0, 6), id: Number(position.readBigUInt64BE(6)) };
}

function seal(position: Buffer, belongsTo: string): Buffer {
  return hash('sha256', `${belongsTo}\n${position.toString('hex')}`, 'buffer').subarray(0, SEAL_BYTES);
}
