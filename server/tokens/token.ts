import type { ExpressionBuilder, Selectable } from 'kysely';
import { hexOf, type Queries, runPrepared, type TokenType } from '../database/index.js';
import type { AccessTokenTable, Schema } from '../database/schema.js';
import { toUuid } from '../uuid.js';
import type { Plaintext } from './plaintext.js';
import { toScopes } from './scopes.js';

/** A token's record. Instants are milliseconds since 1970; null is never. */
export interface AccessToken {
  /** The integer id, which no other token ever gets. */
  id: number;
  uuid: string;
  type: TokenType;
  name: string;
  prefix: string;
  createdAt: number;
  expiresAt: number | null;
  lastUsedAt: number | null;
  revokedAt: number | null;
  /** Empty if there is none. */
  description: string;
  metadata: Record<string, string>;
  /** In alphabetical order. */
  scopes: string[];
  disabledAt: number | null;
  /** The secret before the newest one; null if there is none. */
  previousSecret: PreviousSecret | null;
}

/** A record with what its entity tag is made of. */
export interface VersionedToken extends AccessToken {
  /** Grows with every change but a use. */
  version: number;
  /** The start of the newest secret's digest: 8 hexadecimal digits. */
  secretStart: string;
}

export interface PreviousSecret {
  prefix: string;
  validUntil: number;
  /** When this or an even earlier secret was last used. */
  lastUsedAt: number | null;
}

/** A token that has just got a secret. */
export interface IssuedToken {
  plaintext: Plaintext;
  token: VersionedToken;
}

/** The columns that an `AccessToken` is made of, besides its uuid and its scopes. */
export const TOKEN_COLUMNS = [
  'id',
  'type',
  'name',
  'prefix',
  'created_at',
  'expires_at',
  'description',
  'metadata',
  'last_used_at',
  'revoked_at',
  'disabled_at',
  'previous_prefix',
  'previous_valid_until',
  'previous_last_used_at',
] as const;

export type TokenRow = Pick<Selectable<AccessTokenTable>, (typeof TOKEN_COLUMNS)[number]> & {
  /** 32 hexadecimal digits. */
  uuid: string;
  scopes: string | null;
};

/** Selects the columns of an `AccessToken`. The query calls the table `token`. */
export function selectTokens(queries: Queries) {
  return queries
    .selectFrom('access_tokens as token')
    .select(TOKEN_COLUMNS.map((column) => `token.${column}` as const))
    .select(hexOf('token.uuid').as('uuid'))
    .select(scopesOfRow);
}

export type VersionedRow = TokenRow & {
  version: number;
  /** 8 hexadecimal digits. */
  secret_start: string;
};

/** Selects the columns of a `VersionedToken`. The query calls the table `token`. */
export function selectVersioned(queries: Queries) {
  return selectTokens(queries).select(['token.version', hexOf('token.secret_start').as('secret_start')]);
}

/** The scopes of a token's row. A subquery, because SQLite might choose a slow order for a join. */
export function scopesOfRow({ selectFrom }: ExpressionBuilder<Schema & { token: AccessTokenTable }, 'token'>) {
  return selectFrom('scope_sets')
    .select('scope_sets.scopes')
    .whereRef('scope_sets.id', '=', 'token.scope_set_id')
    .as('scopes');
}

const tokenById = (queries: Queries, { id }: { id: number }) => selectVersioned(queries).where('token.id', '=', id);

/** Reads the token with this integer id, in the caller's transaction. It must exist. */
export async function readToken(trx: Queries, id: number): Promise<VersionedToken> {
  const [row] = await runPrepared(trx, tokenById, { id });
  if (row === undefined) throw new TypeError(`there is no token ${String(id)}`);
  return toVersioned(row);
}

export function toVersioned(row: VersionedRow): VersionedToken {
  return Object.assign(toAccessToken(row), { version: row.version, secretStart: row.secret_start });
}

export function toAccessToken(row: TokenRow): AccessToken {
  return {
    id: row.id,
    uuid: toUuid(row.uuid),
    type: row.type,
    name: row.name,
    prefix: row.prefix,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    revokedAt: row.revoked_at,
    description: row.description ?? '',
    metadata: toMetadata(row.metadata),
    scopes: toScopes(row.scopes ?? ''),
    disabledAt: row.disabled_at,
    previousSecret: toPreviousSecret(row),
  };
}

function toPreviousSecret(row: TokenRow): PreviousSecret | null {
  const { previous_prefix: prefix, previous_valid_until: validUntil, previous_last_used_at: lastUsedAt } = row;
  return prefix === null || validUntil === null ? null : { prefix, validUntil, lastUsedAt };
}

/** Metadata as its column stores it: null for none. */
export function metadataColumn(metadata: Record<string, string>): string | null {
  return Object.keys(metadata).length === 0 ? null : JSON.stringify(metadata);
}

/** The metadata in a column that `metadataColumn` made. */
export function toMetadata(column: string | null): Record<string, string> {
  return column === null ? {} : (JSON.parse(column) as Record<string, string>);
}
