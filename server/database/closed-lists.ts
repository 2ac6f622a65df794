// What some columns of text may have. The lists are here and in no constraint of a table: a new entry needs no migration.

export const TOKEN_TYPES = ['pat', 'session'] as const;
export type TokenType = (typeof TOKEN_TYPES)[number];

/** A person logs in, a service has no password, and an external user is one of another system. */
export const USER_KINDS = ['person', 'service', 'external'] as const;
export type UserKind = (typeof USER_KINDS)[number];

export const ROLES = ['owner', 'admin', 'member', 'auditor'] as const;
export type Role = (typeof ROLES)[number];

/**
 * Why a token was revoked. `user`: its owner revoked this one; `admin`: an administrator did; `bulk`: it was one of several
 * that were chosen; `all`: its owner revoked everything; `logout`: the session was logged out; `presented`: somebody showed
 * its plaintext to have it revoked; `reuse`: a spent refresh token of the session came back; `password`: the owner's
 * password was changed; `disabled`: the owner was disabled.
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
