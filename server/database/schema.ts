import type { Generated, Kysely } from 'kysely';

// Instants are integer milliseconds since 1970, identifiers for the outside are 16 raw bytes, flags are 0 or 1: the
// types that SQLite and PostgreSQL store alike.

export interface OrganizationTable {
  id: Generated<number>;
  uuid: Uint8Array;
  name: string;
  slug: string;
  created_at: number;
}

export interface UserTable {
  id: Generated<number>;
  organization_id: number;
  /** In its canonical spelling, so that the unique index holds whatever letter case was typed. */
  email: string;
  full_name: string;
  password_hash: string;
  is_admin: number;
  created_at: number;
  disabled_at: number | null;
}

export type TokenType = 'pat' | 'session';

/** A token's identity. What opens doors is in its secrets; a revoked token's row stays. */
export interface AccessTokenTable {
  id: Generated<number>;
  /** Of version 7 and of `created_at`, by which it is found, unless somebody chose it. */
  uuid: Uint8Array;
  owner_id: number;
  type: TokenType;
  name: string;
  prefix: string;
  created_at: number;
  expires_at: number | null;
  last_used_at: number | null;
  revoked_at: number | null;
  /** Null for none. */
  description: string | null;
  /** A JSON object of texts; null for an empty one. */
  metadata: string | null;
  disabled_at: number | null;
  /** When the expiry was set that counts; null where that was at the creation. */
  lifetime_from: number | null;
  scope_set_id: number;
  /**
   * The first 4 bytes of the newest secret's digest: enough to find that by its primary key, where an index on the
   * token's id would take 45 bytes for each token.
   */
  secret_start: Uint8Array;
  /** Of the secret before the newest one, all three null where there was none. */
  previous_prefix: string | null;
  previous_valid_until: number | null;
  /** When any earlier secret was last used. */
  previous_last_used_at: number | null;
}

/** What tokens may do; a row never changes. */
export interface ScopeSetTable {
  id: Generated<number>;
  /** In alphabetical order, separated by spaces. */
  scopes: string;
}

/** The same, to find sets by a scope. */
export interface ScopeSetMemberTable {
  scope: string;
  scope_set_id: number;
}

/** One row for each plaintext that may open a token: its digest, never the plaintext. */
export interface TokenSecretTable {
  digest: Uint8Array;
  token_id: number;
  /**
   * When this secret ends before its token does; null for the token's newest secret. Negative where it was over when that
   * was written: over it stays, whatever the clock says.
   */
  valid_until: number | null;
}

/** The refresh tokens of sessions; spent ones stay until they expire, so that reuse is noticed. */
export interface RefreshTokenTable {
  digest: Uint8Array;
  token_id: number;
  expires_at: number;
  spent_at: number | null;
}

/** Answers that a repeated request gets again, each readable with the caller's secret alone. */
export interface IdempotentAnswerTable {
  /** A digest of the caller's token and the Idempotency-Key. */
  id: Uint8Array;
  sealed: Uint8Array;
  expires_at: number;
}

export interface Schema {
  organizations: OrganizationTable;
  users: UserTable;
  access_tokens: AccessTokenTable;
  scope_sets: ScopeSetTable;
  scope_set_members: ScopeSetMemberTable;
  token_secrets: TokenSecretTable;
  refresh_tokens: RefreshTokenTable;
  idempotent_answers: IdempotentAnswerTable;
}

/** Kysely over this schema: the reader, or a transaction of the writer. */
export type Queries = Kysely<Schema>;
