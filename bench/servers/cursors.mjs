// @ts-check
import { hash } from 'node:crypto';

// Cursors like Latchkey's: a position, and a seal over it and the list that it belongs to.

const SEAL_BYTES = 8;

/** @param {(number | undefined)[]} position @param {string} belongsTo */
export function toCursor(position, belongsTo) {
  const bytes = Buffer.from(JSON.stringify(position));
  return Buffer.concat([seal(bytes, belongsTo), bytes]).toString('base64url');
}

/** @param {string} cursor @param {string} belongsTo @returns {number[] | undefined} */
export function fromCursor(cursor, belongsTo) {
  const bytes = Buffer.from(cursor, 'base64url');
  const position = bytes.subarray(SEAL_BYTES);
  return bytes.subarray(0, SEAL_BYTES).equals(seal(position, belongsTo)) ? JSON.parse(position.toString()) : undefined;
}

/** @param {Buffer} position @param {string} belongsTo */
function seal(position, belongsTo) {
  return hash('sha256', `${belongsTo}\n${position.toString('hex')}`, 'buffer').subarray(0, SEAL_BYTES);
}
