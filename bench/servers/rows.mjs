// @ts-check
import { digestOf, newPlaintext, newUuid, PREFIX_LENGTH, toUuid } from './secrets.mjs';

// Decides whether a token's row is valid, makes new rows, and writes them as the API does.

/**
 * @typedef {any} Row of a token, with its scopes as text
 *
 * @typedef {import('./store.mjs').Caller} Caller
 * @typedef {{ name: string, description?: string, metadata?: Record<string, string>, expiresInDays?: number | null }} Wish
 */

const DAY = 86_400_000;

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
function endOf({ expires_at, valid_until }) {
  return valid_until === null ? expires_at : Math.min(Math.abs(valid_until), expires_at ?? Number.POSITIVE_INFINITY);
}

/** @param {Row} row @returns {Caller} */
export function toCaller(row) {
  return {
    organizationId: row.organization_id,
    ownerId: row.owner_id,
    expiresAt: endOf(row),
    type: row.type,
    ownerIsAdmin: row.is_admin === 1,
    scopes: row.scopes.split(' '),
  };
}

/** @param {Caller} caller @param {string} scope */
export function holds({ type, scopes }, scope) {
  return type === 'session' || scopes.includes(scope);
}

/** What verifying answers. @param {Buffer | undefined} digest @param {Row | undefined} row @param {number} now */
export function toWireVerdict(digest, row, now) {
  if (!row) return { valid: false, code: digest ? 'unknown' : 'malformed', token: null, owner: null };
  const refusal = refusalOf(row, now);
  const { owner_id: id, kind, external_id: externalId, email, full_name: fullName, organization_uuid } = row;
  row.expires_at = endOf(row);
  return {
    valid: refusal === undefined,
    code: refusal ?? 'valid',
    token: toWireToken(row),
    owner: {
      id,
      kind,
      externalId,
      email,
      fullName,
      metadata: row.owner_metadata === null ? {} : JSON.parse(row.owner_metadata),
      organizationId: toUuid(organization_uuid),
    },
  };
}

/** A new token's row, without an id, and its secret. @param {Caller} caller @param {Wish} wish @param {number} now */
export function newRow({ scopes }, { name, description = '', metadata = {}, expiresInDays = null }, now) {
  const plaintext = newPlaintext();
  const digest = /** @type {Buffer} */ (digestOf(plaintext));
  /** @type {Row} */
  const row = {
    id: 0,
    uuid: newUuid(now),
    type: 'pat',
    name,
    prefix: plaintext.slice(0, PREFIX_LENGTH),
    created_at: now,
    expires_at: expiresInDays === null ? null : now + expiresInDays * DAY,
    last_used_at: null,
    revoked_at: null,
    description: description === '' ? null : description,
    metadata: Object.keys(metadata).length === 0 ? null : JSON.stringify(metadata),
    disabled_at: null,
    previous_prefix: null,
    previous_valid_until: null,
    previous_last_used_at: null,
    scopes: scopes.filter((scope) => scope !== 'users:admin').join(' '),
    version: 1,
    secret_start: digest.subarray(0, 4),
  };
  return { plaintext, digest, row };
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
