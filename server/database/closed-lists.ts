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
 * - `user`: its owner revoked this token, or a caller who acts for an external owner or a service.
 * - `admin`: an administrator revoked it.
 * - `bulk`: it was one of several tokens that were revoked by ids or filter.
 * - `all`: its owner revoked all tokens.
 * - `logout`: the session logged out.
 * - `presented`: its plaintext was sent to `/oauth/revoke`.
 * - `reuse`: a spent refresh token of the session was used again.
 * - `password`: the owner's password was changed.
 * - `disabled`: the owner was disabled.
 * - `leak`: its plaintext was reported as leaked.
 * - `policy`: an administrator applied the policy to old tokens.
 * - `offboarding`: the owner was offboarded.
 * - `deleted`: the owner was deleted.
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
  'leak',
  'policy',
  'offboarding',
  'deleted',
] as const;
export type RevocationReason = (typeof REVOCATION_REASONS)[number];

/** What an event of the audit log says that happened: a kind of thing, and what was done with it. */
export const EVENT_ACTIONS = [
  'token.created',
  'token.updated',
  'token.rotated',
  'token.grace_ended',
  'token.revoked',
  'token.transferred',
  'token.leaked',
  'token.expiring',
  'token.expired',
  'session.opened',
  'session.closed',
  'session.refresh_reused',
  'login.failed',
  'user.created',
  'user.updated',
  'user.disabled',
  'user.enabled',
  'user.password_changed',
  'user.offboarded',
  'user.deleted',
  'policy.applied',
  'webhook.created',
  'webhook.updated',
  'webhook.secret_rotated',
  'webhook.enabled',
  'webhook.disabled',
  'webhook.deleted',
  'audit.pruned',
] as const;
export type EventAction = (typeof EVENT_ACTIONS)[number];

/**
 * Who acted. `user`: a session of the user; `token`: a personal access token of the user; `cli`: the command line on the
 * database; `system`: the service by itself; `anonymous`: a request without a credential, such as a login.
 */
export const ACTOR_KINDS = ['user', 'token', 'cli', 'system', 'anonymous'] as const;
export type ActorKind = (typeof ACTOR_KINDS)[number];

/** What an event changed: one token, several tokens of one owner, a user, or a webhook. */
export const TARGET_KINDS = ['token', 'tokens', 'user', 'webhook'] as const;
export type TargetKind = (typeof TARGET_KINDS)[number];

/** Why a webhook is disabled: by an administrator, because its URL answered 410, or because its deliveries failed. */
export const DISABLED_REASONS = ['manual', 'gone', 'failing'] as const;
export type DisabledReason = (typeof DISABLED_REASONS)[number];

/** A delivery is `pending` until its webhook takes it (`delivered`) or the last attempt fails (`failed`). */
export const DELIVERY_STATUSES = ['pending', 'delivered', 'failed'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/**
 * Why an attempt failed:
 * - `status`: the answer is neither 2xx nor a redirect.
 * - `redirect`: the answer is a redirect, which is not followed.
 * - `timeout`: there was no answer within 15 seconds.
 * - `forbidden_target`: the URL or an address of its host is not allowed.
 * - `unknown_host`: no address of the host was found.
 * - `tls`: the certificate of the host is not valid, or the handshake failed.
 * - `connection`: no connection was made, or it broke.
 */
export const DELIVERY_ERRORS = [
  'status',
  'redirect',
  'timeout',
  'forbidden_target',
  'unknown_host',
  'tls',
  'connection',
] as const;
export type DeliveryError = (typeof DELIVERY_ERRORS)[number];
