// The allowed values of some text columns. The tables have no constraints for them, so a new value needs no migration.

export const TOKEN_TYPES = ['pat', 'session'] as const;
export type TokenType = (typeof TOKEN_TYPES)[number];

/** A `person` logs in, a `service` has no password, and an `external` user belongs to another system. */
export const USER_KINDS = ['person', 'service', 'external'] as const;
export type UserKind = (typeof USER_KINDS)[number];

export const ROLES = ['owner', 'admin', 'member', 'auditor'] as const;
export type Role = (typeof ROLES)[number];

/**
 * Why a token was revoked:
 * - `user`: its owner revoked this token.
 * - `admin`: an administrator revoked it.
 * - `bulk`: it was one of several tokens that were revoked by ids or filter.
 * - `all`: its owner revoked all tokens.
 * - `logout`: the session logged out.
 * - `presented`: its plaintext was sent to `/oauth/revoke`.
 * - `reuse`: a spent refresh token of the session was used again.
 * - `password`: the owner's password was changed.
 * - `disabled`: the owner was disabled.
 */
export const REVOCATION_REASONS = [
  'user',
  'admin',
  'bulk',
  'all',
  'logout',
  'presented',
  'reuse',
  'password',
  'disabled',
] as const;
export type RevocationReason = (typeof REVOCATION_REASONS)[number];
