import type { Generated, Kysely, Selectable } from 'kysely';
import type {
  ActorKind,
  EventAction,
  RevocationReason,
  Role,
  TargetKind,
  TokenType,
  UserKind,
} from './closed-lists.js';
import type { SecretKeyTable, WebhookDeliveryTable, WebhookTable } from './webhook-tables.js';

// An instant is an integer number of milliseconds since 1970, a UUID is 16 bytes, and a flag is 0 or 1. SQLite and
// PostgreSQL store these types alike.

export interface OrganizationTable {
  id: Generated<number>;
  uuid: Uint8Array;
  name: string;
  slug: string;
  created_at: number;
  /**
   * When the scope `audit:read` came to guard the audit log; 0 if it always did. A token from before does not have that scope
   * here, because it was then a word of the operator's own API.
   */
  audit_since: Generated<number>;
}

/** A user, who can own tokens. */
export interface UserTable {
  id: Generated<number>;
  organization_id: number;
  kind: UserKind;
  /** In its canonical spelling, so that no two users have e-mails that differ only in letter case; null for none. */
  email: string | null;
  /** The id of an external owner in the organization's own system, unique within the organization; null for none. */
  external_id: string | null;
  full_name: string;
  /** The password's Argon2id hash as a PHC string; null for a user without a password. */
  password_hash: string | null;
  is_admin: number;
  created_at: number;
  disabled_at: number | null;
  /** The result of `searchTextOf`. */
  search: string | null;
  /** The e-mail of an external owner. Unlike `email`, several users may have the same, and nobody logs in with it. */
  contact_email: string | null;
  /** A JSON object whose values are texts; null for an empty object. */
  metadata: string | null;
  /** When an external owner was deleted. Its row stays, without all that was known of the owner. */
  deleted_at: number | null;
  /** The most scopes that tokens of a service can have, as `ScopeSetTable` stores scopes; null for no limit. */
  scopes: string | null;
}

/** A person manages a service: creates its tokens and what else belongs to them. */
export interface ManagerTable {
  service_id: number;
  user_id: number;
  created_at: number;
}

/** A user belongs to an organization besides the user's own organization. */
export interface MembershipTable {
  organization_id: number;
  user_id: number;
  role: Role;
  created_at: number;
}

/** An identity provider (`issuer`) knows the user by the name `subject`. */
export interface IdentityTable {
  issuer: string;
  subject: string;
  user_id: number;
  created_at: number;
}

/** A token without its secrets, which are in `TokenSecretTable`. The row of a revoked token stays. */
export interface AccessTokenTable {
  id: Generated<number>;
  /**
   * A UUID of version 7, which begins with the milliseconds of `created_at`, so that an index with `created_at` finds
   * the token. A UUID that somebody chose, such as in a seed, can be any other.
   */
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
  /** 1 for a new token. Every change of the token adds 1; a use of the token does not. */
  version: number;
  /**
   * The first 4 bytes of the newest secret's digest. With these bytes the primary key of the secrets finds the newest
   * secret. An index on the token's id would take 45 bytes more for each token.
   */
  secret_start: Uint8Array;
  /** Null for no description. */
  description: string | null;
  /** A JSON object whose values are texts; null for an empty object. */
  metadata: string | null;
  /** When the current expiry was set; null if it was set at the creation. */
  lifetime_from: number | null;
  /** The prefix of the secret before the newest one. This and the next two are null if there is no such secret. */
  previous_prefix: string | null;
  /** When the secret before the newest one expires. */
  previous_valid_until: number | null;
  /** When an earlier secret was last used, whichever of them; null if none was used. */
  previous_last_used_at: number | null;
  /** The result of `searchColumn` for the name and the description. */
  search: string | null;
  /** A JSON object of rules and limits for the token; null for none. */
  settings: string | null;
  /** The user who created the token; null if the owner created it. */
  created_by: number | null;
  /** The personal access token whose caller created this token; null if a session or a login created it. */
  created_with: number | null;
  /** The user who revoked the token; null if the token is not revoked or no authenticated user revoked it. */
  revoked_by: number | null;
  /** Null if the token is not revoked, or was revoked by an earlier version, which stored no reasons. */
  revoked_reason: RevocationReason | null;
}

/** A set of scopes, which any number of tokens share. A row never changes. */
export interface ScopeSetTable {
  id: Generated<number>;
  /** The scopes in alphabetical order, separated by spaces. */
  scopes: string;
}

/** One scope of a scope set, to find the sets that contain a scope. */
export interface ScopeSetMemberTable {
  scope: string;
  scope_set_id: number;
}

/** A secret of a token: the newest one or an earlier one. The table stores digests and never a plaintext. */
export interface TokenSecretTable {
  digest: Uint8Array;
  token_id: number;
  /**
   * When this earlier secret expires; null for the newest secret of the token. A negative number means that the secret
   * had expired when the number was written: the secret stays expired even if the clock is set back.
   */
  valid_until: number | null;
}

/** A refresh token of a session. A spent refresh token stays until it expires, so that its reuse is noticed. */
export interface RefreshTokenTable {
  digest: Uint8Array;
  token_id: number;
  expires_at: number;
  spent_at: number | null;
}

/** An answer for repetitions of a request with an Idempotency-Key. Only the caller's secret decrypts the answer. */
export interface IdempotentAnswerTable {
  /** A digest of the caller's token and the Idempotency-Key. */
  id: Uint8Array;
  /** A nonce of 12 bytes, an authentication tag of 16 bytes, and the encrypted answer. */
  sealed: Uint8Array;
  expires_at: number;
}

/** Work that one process of the service at a time does. */
export interface JobTable {
  name: string;
  /** The instant from which another process may take the work over. */
  claimed_until: number;
  /** How far the work is, in a form that only this work understands; null before the start. */
  cursor: string | null;
}

/** How often logins have failed for one key lately, or leaks were reported, over all processes of the service. */
export interface LoginAttemptTable {
  /** A digest of whom the row counts: a pair of network and user, or a network; and of a network that reports leaks. */
  key: Uint8Array;
  /** Failures since the first one that counts. */
  failed: number;
  /** Attempts whose outcome is not known yet. */
  under_way: number;
  /** When the row no longer counts. */
  expires_at: number;
}

/** An event: who changed what, and when. Once an event is linked, its row never changes. */
export interface AuditEventTable {
  id: Generated<number>;
  uuid: Uint8Array;
  organization_id: number;
  /** The event's place in the organization's chain, counted from 1; null until the event is linked. */
  seq: number | null;
  at: number;
  action: EventAction;
  actor_kind: ActorKind;
  /** The user who acted; null if nobody was authenticated. */
  actor_id: number | null;
  /** The uuid of the token with which the user acted; null if nobody was authenticated. */
  actor_token: Uint8Array | null;
  /** The e-mail of the user who acted, as it was then. */
  actor_label: string | null;
  address: string | null;
  user_agent: string | null;
  request_id: string | null;
  /** The user who was changed, or whose tokens were; null if the event changed nothing. */
  owner_id: number | null;
  target_kind: TargetKind | null;
  /** The uuid of the token or webhook; null for every other target. */
  target_uuid: Uint8Array | null;
  /** The name of the token, the e-mail of the user, or the origin of the webhook's URL, as it was then. */
  target_label: string | null;
  /** The prefix of the token, as it was then. */
  target_prefix: string | null;
  reason: RevocationReason | null;
  /** A JSON object of `EventChanges`; null for none. */
  changes: string | null;
  /** The hash of all other columns and of the event before; null until the event is linked. */
  hash: Uint8Array | null;
}

export type EventRow = Selectable<AuditEventTable>;

/** The last linked event of an organization. Who links events locks this row, so that the chain cannot fork. */
export interface AuditHeadTable {
  organization_id: number;
  seq: number;
  hash: Uint8Array;
  /** The last event that was deleted because of its age, and its hash; 0 and 32 zero bytes if none was. */
  pruned_seq: number;
  pruned_hash: Uint8Array;
}

/** Texts that were reported as leaked, and that nobody has acted on yet. */
export interface LeakReportTable {
  id: Generated<number>;
  received_at: number;
  /** Of the request that reported them, as events store it. */
  address: string | null;
  user_agent: string | null;
  request_id: string | null;
  source: string | null;
  url: string | null;
  /** The digests of the texts, 16 bytes each, one after the other. */
  digests: Uint8Array;
}

/** A mail that waits for the mail server. */
export interface OutgoingMailTable {
  id: Generated<number>;
  /** The part of `Message-ID` before the `@`. */
  message_id: string;
  /** The user who gets it, at the address of the moment when it is sent. */
  owner_id: number;
  subject: string;
  text: string;
  tries: number;
  created_at: number;
  /** When it may be sent, or tried again. */
  due_at: number;
}

/** That a user is offboarded: what happens with the tokens, and how far it is. */
export interface OffboardingTable {
  user_id: number;
  /** The user who gets the personal access tokens; null if they are revoked. */
  to_id: number | null;
  begun_at: number;
  /** Null until all tokens are revoked or moved. */
  ended_at: number | null;
  /** Until the end: when the last token that it reached was created, and its id; both null for none. Newer tokens are left. */
  reached_at: number | null;
  reached_id: number | null;
  /** Sessions that were revoked at the beginning. */
  sessions: number;
  /** Tokens that were revoked or moved so far, and how many of these lost scopes. */
  tokens: number;
  cut: number;
}

export interface Schema {
  organizations: OrganizationTable;
  users: UserTable;
  managers: ManagerTable;
  memberships: MembershipTable;
  identities: IdentityTable;
  access_tokens: AccessTokenTable;
  scope_sets: ScopeSetTable;
  scope_set_members: ScopeSetMemberTable;
  token_secrets: TokenSecretTable;
  refresh_tokens: RefreshTokenTable;
  idempotent_answers: IdempotentAnswerTable;
  jobs: JobTable;
  login_attempts: LoginAttemptTable;
  audit_events: AuditEventTable;
  audit_heads: AuditHeadTable;
  leak_reports: LeakReportTable;
  outgoing_mails: OutgoingMailTable;
  offboardings: OffboardingTable;
  secret_keys: SecretKeyTable;
  webhooks: WebhookTable;
  webhook_deliveries: WebhookDeliveryTable;
}

/** Kysely with this schema: `Database.read`, or the transaction of a write. */
export type Queries = Kysely<Schema>;
