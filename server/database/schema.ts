import type { Generated, Kysely } from 'kysely';
import type { RevocationReason, Role, TokenType, UserKind } from './closed-lists.js';

// Instants are integer milliseconds since 1970, identifiers for the outside are 16 raw bytes, flags are 0 or 1: the
// types that SQLite and PostgreSQL store alike.

export interface OrganizationTable {
  id: Generated<number>;
  uuid: Uint8Array;
  name: string;
  slug: string;
  created_at: number;
}

/** Who owns tokens. */
export interface UserTable {
  id: Generated<number>;
  organization_id: number;
  kind: UserKind;
  /** In its canonical spelling, so that the unique index holds whatever letter case was typed; null for none. */
  email: string | null;
  /** What the organization's own system calls the user, unique within the organization; null for none. */
  external_id: string | null;
  full_name: string;
  /** Null where no password logs in. */
  password_hash: string | null;
  is_admin: number;
  created_at: number;
  disabled_at: number | null;
  /** `searchColumn` of the full name and the e-mail. */
  search: string | null;
}

/** The organizations that a user belongs to besides their own. */
export interface MembershipTable {
  organization_id: number;
  user_id: number;
  role: Role;
  created_at: number;
}

/** How identity providers call users. */
export interface IdentityTable {
  issuer: string;
  subject: string;
  user_id: number;
  created_at: number;
}

/** A token's identity. What opens doors is in its secrets; a revoked token's row stays. */
export interface AccessTokenTable {
  id: Generated<number>;
  /** Of version 7 and of `created_at`, by which it is found, unless somebody chose it. */
  uuid: Uint8Array;
  organization_id: number;
  owner_id: number;
  type: TokenType;
  name: string;
  prefix: string;
  created_at: number;
  expires_at: number | null;
  last_used_at: number | null;
  revoked_at: number | null;
  disabled_at: number | null;
  scope_set_id: number;
  /** 1 for a new token, and one more with every change but its use. */
  version: number;
  /**
   * The first 4 bytes of the newest secret's digest: enough to find that by its primary key, where an index on the
   * token's id would take 45 bytes for each token.
   */
  secret_start: Uint8Array;
  /** Null for none. */
  description: string | null;
  /** A JSON object of texts; null for an empty one. */
  metadata: string | null;
  /** When the expiry was set that counts; null where that was at the creation. */
  lifetime_from: number | null;
  /** Of the secret before the newest one, all three null where there was none. */
  previous_prefix: string | null;
  previous_valid_until: number | null;
  /** When any earlier secret was last used. */
  previous_last_used_at: number | null;
  /** `searchColumn` of name and description. */
  search: string | null;
  /** A JSON object of rules and limits; null for none. */
  settings: string | null;
  /** The user who created the token; null where that was its owner. */
  created_by: number | null;
  /** The token by which it was created; null where that was a session, or a log-in. */
  created_with: number | null;
  /** The user who revoked the token; null where nobody did who was authenticated, and while it is not revoked. */
  revoked_by: number | null;
  /** Null while the token is not revoked, and where it was before reasons were kept. */
  revoked_reason: RevocationReason | null;
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

/** Work that the processes of a service take turns at. */
export interface JobTable {
  name: string;
  /** When another process may take it over. */
  claimed_until: number;
  /** How far it is, in words of its own; null before its start. */
  cursor: string | null;
}

export interface Schema {
  organizations: OrganizationTable;
  users: UserTable;
  memberships: MembershipTable;
  identities: IdentityTable;
  access_tokens: AccessTokenTable;
  scope_sets: ScopeSetTable;
  scope_set_members: ScopeSetMemberTable;
  token_secrets: TokenSecretTable;
  refresh_tokens: RefreshTokenTable;
  idempotent_answers: IdempotentAnswerTable;
  jobs: JobTable;
}

/** Kysely over this schema: the reader, or a transaction of the writer. */
export type Queries = Kysely<Schema>;
