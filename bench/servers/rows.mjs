// @ts-check
import { toUuid } from './secrets.mjs';

// Decides whether a token's row is valid, and writes it as the API does.

/** @typedef {any} Row of a token, with its scopes as text */

/** @param {Row} row @param {number} now @returns {string | undefined} */
export function refusalOf(row, now) {
  if (row.revoked_at !== null) return 'revoked';
  if (isOver(row.valid_until, now) || isOver(row.expires_at, now)) return 'expired';
  if (row.disabled_at !== null) return 'disabled';
  return row.owner_disabled_at === null ? undefined : 'owner_disabled';
}

/** @param {number | null} end @param {number} now */
function isOver(end, now) {
  return end !== null && end <= now;
}

/** @param {Row} row @returns {number | null} */
export function endOf({ expires_at, valid_until }) {
  return valid_until === null ? expires_at : Math.min(Math.abs(valid_until), expires_at ?? Number.POSITIVE_INFINITY);
}

/** @param {Row} row */
export function toWireToken(row) {
  return {
    id: toUuid(row.uuid),
    name: row.name,
    description: row.description ?? '',
    metadata: row.metadata === null ? {} : JSON.parse(row.metadata),
    scopes: row.scopes.split(' '),
    tokenPrefix: row.prefix,
    tokenType: row.type,
    createdAt: toInstant(row.created_at),
    expiresAt: toInstantOrNull(row.expires_at),
    lastUsedAt: toInstantOrNull(row.last_used_at),
    revokedAt: toInstantOrNull(row.revoked_at),
    disabled: row.disabled_at !== null,
    previousSecret:
      row.previous_prefix === null
        ? null
        : {
            tokenPrefix: row.previous_prefix,
            validUntil: toInstant(row.previous_valid_until),
            lastUsedAt: toInstantOrNull(row.previous_last_used_at),
          },
  };
}

/** An entity tag like Latchkey's: the version and the start of the newest secret's digest. @param {Row} row */
export function entityTagOf({ version, secret_start: start }) {
  return `"v${version.toString(36).padStart(7, '0')}${start.toString('hex')}"`;
}

/** @param {number} milliseconds */
export function toInstant(milliseconds) {
  return new Date(milliseconds).toISOString();
}

/** @param {number | null} milliseconds */
function toInstantOrNull(milliseconds) {
  return milliseconds === null ? null : toInstant(milliseconds);
}
