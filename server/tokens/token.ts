import type { Selectable } from 'kysely';
import type { AccessTokenTable, TokenType } from '../database/schema.js';
import { toUuid } from '../uuid.js';

/** A token's record. Instants are milliseconds since 1970; null is never. */
export interface AccessToken {
  /** Integer id, never given again. */
  id: number;
  uuid: string;
  type: TokenType;
  name: string;
  prefix: string;
  createdAt: number;
  expiresAt: number | null;
  lastUsedAt: number | null;
  revokedAt: number | null;
}

export const TOKEN_COLUMNS = [
  'id',
  'uuid',
  'type',
  'name',
  'prefix',
  'created_at',
  'expires_at',
  'last_used_at',
  'revoked_at',
] as const;

export type TokenRow = Pick<Selectable<AccessTokenTable>, (typeof TOKEN_COLUMNS)[number]>;

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
  };
}
