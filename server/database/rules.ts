import {
  ACTOR_KINDS,
  DELIVERY_ERRORS,
  DELIVERY_STATUSES,
  DISABLED_REASONS,
  EVENT_ACTIONS,
  REVOCATION_REASONS,
  ROLES,
  TARGET_KINDS,
  TOKEN_TYPES,
  USER_KINDS,
} from './closed-lists.js';
import { searchColumn, searchTextOf } from './search.js';
import type { TableName } from './tables.js';

/** A rule for rows that no constraint of the schema enforces. */
export interface Rule {
  /** The number of the migration from which on the rule applies. */
  since: number;
  /** The number of the migration from which on the rule no longer applies. */
  until?: number;
  /** What the report calls the rows that break the rule. */
  broken: string;
  /** A query that counts these rows, or the rows that this program has to look at. */
  found: string | readonly Candidates[];
}

/** Rows that may break a rule for which SQL has no words that both engines know. */
interface Candidates {
  table: TableName;
  /** The first is the key. */
  columns: readonly string[];
  where: string;
  isBroken(...values: unknown[]): boolean;
}

const TOKENS = 1;
const LIFE_CYCLE = 2;
const SCOPES = 3;
const SMALLER = 4;
const FOUND_BY_TIME = 5;
const DATA_MODEL = 6;
const EVENTS = 8;
const LEAKS = 9;
const NOTICES = 10;
const WEBHOOKS = 11;
const OFFBOARDINGS = 12;
const OWNERS = 13;
const SERVICES = 14;
const CHEAPER_CHANGES = 15;

// The queries join whole tables and do not look up each row, because most of these columns have no index, and a database
// can have a million tokens. Both engines know every word of the queries.

export const RULES: readonly Rule[] = [
  {
    since: TOKENS,
    broken: 'tokens without a newest secret',
    // SQLite would scan all secrets for each token in a join, because a table without row ids gets no index for the query.
    found: `select count(*) from
      (select id from access_tokens except select token_id from token_secrets where valid_until is null) as found`,
  },
  {
    since: TOKENS,
    broken: 'tokens with more than one newest secret',
    found: `select count(*) from
      (select 1 from token_secrets where valid_until is null group by token_id having count(*) > 1) as found`,
  },
  {
    since: TOKENS,
    until: SMALLER,
    broken: 'secrets and refresh tokens whose digest is none',
    found: `select (select count(*) from token_secrets where length(digest) <> 32)
      + (select count(*) from refresh_tokens where length(digest) <> 32)`,
  },
  {
    since: SMALLER,
    broken: 'secrets and refresh tokens whose digest is none, as those are that an earlier version wrote meanwhile',
    found: `select (select count(*) from token_secrets where length(digest) <> 16)
      + (select count(*) from refresh_tokens where length(digest) <> 16)`,
  },
  {
    since: TOKENS,
    broken: 'refresh tokens of tokens that are no sessions',
    found: `select count(*) from refresh_tokens as refresh_token
      left join access_tokens as token on token.id = refresh_token.token_id and token.type = 'session'
      where token.id is null`,
  },
  {
    since: FOUND_BY_TIME,
    broken: 'uuids that several tokens have',
    found: 'select count(*) from (select 1 from access_tokens group by uuid having count(*) > 1) as found',
  },
  {
    since: LIFE_CYCLE,
    broken: 'tokens that do not know their newest secret',
    found: `select count(*) from token_secrets as secret join access_tokens as token on token.id = secret.token_id
      where secret.valid_until is null and substr(secret.digest, 1, 4) is distinct from token.secret_start`,
  },
  {
    since: LIFE_CYCLE,
    broken: 'kept answers that nothing can open',
    // A nonce and an authentication tag are 28 bytes.
    found: 'select count(*) from idempotent_answers where length(id) <> 32 or length(sealed) <= 28',
  },
  {
    since: SCOPES,
    broken: 'tokens without a scope set',
    found: `select count(*) from access_tokens as token
      left join scope_sets as scope_set on scope_set.id = token.scope_set_id where scope_set.id is null`,
  },
  {
    since: SCOPES,
    broken: 'scope sets whose members are not their words',
    found: `select count(*) from scope_sets as scope_set
      left join (select scope_set_id, count(*) as members from scope_set_members group by scope_set_id) as counted
        on counted.scope_set_id = scope_set.id
      where coalesce(counted.members, 0) <> case when scope_set.scopes = '' then 0
        else 1 + length(scope_set.scopes) - length(replace(scope_set.scopes, ' ', '')) end`,
  },
  {
    since: CHEAPER_CHANGES,
    broken: 'tokens whose owner, creator or revoker is no user',
    found: `select count(*) from access_tokens as token
      left join users as owner on owner.id = token.owner_id
      left join users as creator on creator.id = token.created_by
      left join users as revoker on revoker.id = token.revoked_by
      where owner.id is null or (token.created_by is not null and creator.id is null)
        or (token.revoked_by is not null and revoker.id is null)`,
  },
  {
    since: DATA_MODEL,
    broken: 'tokens of an organization that their owner does not belong to',
    found: `select count(*) from access_tokens as token join users as owner on owner.id = token.owner_id
      where owner.organization_id <> token.organization_id and not exists (select 1 from memberships
        where memberships.user_id = owner.id and memberships.organization_id = token.organization_id)`,
  },
  {
    since: DATA_MODEL,
    broken: 'tokens without a version',
    found: 'select count(*) from access_tokens where version < 1',
  },
  {
    since: DATA_MODEL,
    broken: 'tokens that know who revoked them, or why, and are not revoked',
    found: `select count(*) from access_tokens
      where revoked_at is null and (revoked_by is not null or revoked_reason is not null)`,
  },
  {
    since: DATA_MODEL,
    broken: 'tokens whose settings are no JSON object',
    found: [
      {
        table: 'access_tokens',
        columns: ['id', 'settings'],
        where: 'settings is not null',
        isBroken: (_, settings) => !isJsonObject(String(settings)),
      },
    ],
  },
  {
    since: DATA_MODEL,
    until: OWNERS,
    broken: 'tokens and users whose search text is not that of their texts',
    found: [searchable('access_tokens', 'name', 'description'), searchable('users', 'full_name', 'email')],
  },
  {
    since: OWNERS,
    broken: 'tokens and users whose search text is not that of their texts',
    found: [
      searchable('access_tokens', 'name', 'description'),
      {
        table: 'users',
        columns: ['id', 'search', 'kind', 'full_name', 'email', 'contact_email', 'external_id'],
        where: `(search is not null or ${isNotAscii('full_name', 'email', 'contact_email', 'external_id')})`,
        isBroken: (_, search, kind, fullName, email, contactEmail, externalId) =>
          search !==
          searchTextOf({
            kind: String(kind),
            fullName: String(fullName),
            email: (email ?? contactEmail) as string | null,
            externalId: externalId as string | null,
          }),
      },
    ],
  },
  {
    since: OWNERS,
    broken: 'users who are no people, and have a password, an e-mail to log in with or the rights of an administrator',
    found: `select count(*) from users
      where kind in ('service', 'external') and (password_hash is not null or email is not null or is_admin <> 0)`,
  },
  {
    since: OWNERS,
    broken: 'users who are deleted, of whom something is still known',
    found: `select count(*) from users where deleted_at is not null and (disabled_at is null
      or external_id is not null or full_name <> '' or contact_email is not null or metadata is not null)`,
  },
  {
    since: OWNERS,
    broken: 'users whose metadata are no JSON object',
    found: [
      {
        table: 'users',
        columns: ['id', 'metadata'],
        where: 'metadata is not null',
        isBroken: (_, metadata) => !isJsonObject(String(metadata)),
      },
    ],
  },
  {
    since: DATA_MODEL,
    broken: 'rows with a type, kind, role or reason that this version does not know',
    found: `select (select count(*) from access_tokens where type not in ${listOf(TOKEN_TYPES)}
        or revoked_reason not in ${listOf(REVOCATION_REASONS)})
      + (select count(*) from users where kind not in ${listOf(USER_KINDS)})
      + (select count(*) from memberships where role not in ${listOf(ROLES)})`,
  },
  {
    since: EVENTS,
    broken: 'events that have a place in the chain without a hash, or a hash without a place',
    found: 'select count(*) from audit_events where (seq is null) <> (hash is null)',
  },
  {
    since: EVENTS,
    broken: 'organizations whose last event is not the one that was linked last',
    found: `select count(*) from audit_heads as head left join
      (select organization_id, max(seq) as seq from audit_events group by organization_id) as last
      on last.organization_id = head.organization_id where head.seq <> coalesce(last.seq, head.pruned_seq)`,
  },
  {
    since: EVENTS,
    broken: 'events with an action, actor or target that this version does not know',
    found: `select count(*) from audit_events where action not in ${listOf(EVENT_ACTIONS)}
      or actor_kind not in ${listOf(ACTOR_KINDS)} or target_kind not in ${listOf(TARGET_KINDS)}`,
  },
  {
    since: LEAKS,
    broken: 'reports of leaks that contain no digests',
    found: 'select count(*) from leak_reports where length(digests) = 0 or length(digests) % 16 <> 0',
  },
  {
    since: NOTICES,
    broken: 'mails to no user',
    found: `select count(*) from outgoing_mails as mail
      left join users as owner on owner.id = mail.owner_id where owner.id is null`,
  },
  {
    since: WEBHOOKS,
    broken: 'webhooks whose secret nothing can decrypt',
    // A version, the start of the key's digest, a nonce and an authentication tag are 33 bytes.
    found: `select count(*) from webhooks where length(secret) <= 33 or length(previous_secret) <= 33
      or not exists (select 1 from secret_keys where length(digest) = 32)`,
  },
  {
    since: WEBHOOKS,
    broken: 'webhooks that are disabled without a reason, or have a reason and are not disabled',
    found: `select count(*) from webhooks where (disabled_at is null) <> (disabled_reason is null)
      or disabled_reason not in ${listOf(DISABLED_REASONS)}`,
  },
  {
    since: WEBHOOKS,
    broken: 'deliveries that are pending without a time, or have ended and have one',
    found: `select count(*) from webhook_deliveries where (status = 'pending') <> (due_at is not null)
      or status not in ${listOf(DELIVERY_STATUSES)} or last_error not in ${listOf(DELIVERY_ERRORS)}`,
  },
  {
    since: OFFBOARDINGS,
    broken: 'offboardings under way of users who are enabled',
    found: `select count(*) from offboardings join users as leaving on leaving.id = offboardings.user_id
      where offboardings.ended_at is null and leaving.disabled_at is null`,
  },
  {
    since: SERVICES,
    broken: 'managers that are no people, or manage no service',
    found: `select count(*) from managers join users as service on service.id = managers.service_id
      join users as person on person.id = managers.user_id where service.kind <> 'service' or person.kind <> 'person'`,
  },
  {
    since: SERVICES,
    broken: 'people whose tokens have a limit of scopes',
    found: `select count(*) from users where kind = 'person' and scopes is not null`,
  },
];

function listOf(words: readonly string[]): string {
  return `(${words.map((word) => `'${word}'`).join(', ')})`;
}

/** Rows of ASCII texts alone have no search text, and need not be looked at. */
function searchable(table: TableName, ...texts: [string, string]): Candidates {
  return {
    table,
    columns: ['id', 'search', ...texts],
    where: `(search is not null or ${isNotAscii(...texts)})`,
    isBroken: (_, search, ...values) => search !== searchColumn(...(values as (string | null)[])),
  };
}

function isNotAscii(...texts: string[]): string {
  return texts.map((text) => `octet_length(${text}) <> length(${text})`).join(' or ');
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
