import { REVOCATION_REASONS, ROLES, TOKEN_TYPES, USER_KINDS } from '../closed-lists.js';

/** A rule for rows that no constraint of the schema enforces. `query` counts the rows that break the rule. */
interface Rule {
  /** The migration from which on the rule applies. */
  since: string;
  /** The migration from which on the rule no longer applies. */
  until?: string;
  /** What the report calls the rows that break the rule. */
  broken: string;
  query: string;
}

const TOKENS = '0001-tokens';
const LIFE_CYCLE = '0002-life-cycle';
const SCOPES = '0003-scopes-and-finding';
const SMALLER = '0004-smaller';
const FOUND_BY_TIME = '0005-found-by-time';
const DATA_MODEL = '0006-data-model';

// The queries use sets of ids and not a look-up for each row, because most of these columns have no index, and a
// database can have a million tokens.

export const RULES: readonly Rule[] = [
  {
    since: TOKENS,
    broken: 'tokens without a newest secret',
    query:
      'select count(*) from access_tokens where id not in (select token_id from token_secrets where valid_until is null)',
  },
  {
    since: TOKENS,
    broken: 'tokens with more than one newest secret',
    query: `select count(*) from
      (select 1 from token_secrets where valid_until is null group by token_id having count(*) > 1)`,
  },
  {
    since: TOKENS,
    until: SMALLER,
    broken: 'secrets and refresh tokens whose digest is none',
    query: `select (select count(*) from token_secrets where length(digest) <> 32)
      + (select count(*) from refresh_tokens where length(digest) <> 32)`,
  },
  {
    since: SMALLER,
    broken: 'secrets and refresh tokens whose digest is none, as those are that an earlier version wrote meanwhile',
    query: `select (select count(*) from token_secrets where length(digest) <> 16)
      + (select count(*) from refresh_tokens where length(digest) <> 16)`,
  },
  {
    since: TOKENS,
    broken: 'refresh tokens of tokens that are no sessions',
    query: `select count(*) from refresh_tokens where token_id not in (select id from access_tokens where type = 'session')`,
  },
  {
    since: FOUND_BY_TIME,
    broken: 'uuids that several tokens have',
    query: 'select count(*) from (select 1 from access_tokens group by uuid having count(*) > 1)',
  },
  {
    since: LIFE_CYCLE,
    broken: 'tokens that do not know their newest secret',
    query: `select count(*) from token_secrets as secret join access_tokens as token on token.id = secret.token_id
      where secret.valid_until is null and substr(secret.digest, 1, 4) is not token.secret_start`,
  },
  {
    since: LIFE_CYCLE,
    broken: 'kept answers that nothing can open',
    // A nonce and an authentication tag are 28 bytes.
    query: 'select count(*) from idempotent_answers where length(id) <> 32 or length(sealed) <= 28',
  },
  {
    since: SCOPES,
    broken: 'tokens without a scope set',
    query: 'select count(*) from access_tokens where scope_set_id not in (select id from scope_sets)',
  },
  {
    since: SCOPES,
    broken: 'scope sets whose members are not their words',
    query: `select count(*) from scope_sets as scope_set
      left join (select scope_set_id, count(*) as members from scope_set_members group by scope_set_id) as counted
        on counted.scope_set_id = scope_set.id
      where coalesce(counted.members, 0) <>
        iif(scope_set.scopes = '', 0, 1 + length(scope_set.scopes) - length(replace(scope_set.scopes, ' ', '')))`,
  },
  {
    since: DATA_MODEL,
    broken: 'tokens of an organization that their owner does not belong to',
    query: `select count(*) from access_tokens as token join users as owner on owner.id = token.owner_id
      where owner.organization_id <> token.organization_id and not exists (select 1 from memberships
        where memberships.user_id = owner.id and memberships.organization_id = token.organization_id)`,
  },
  {
    since: DATA_MODEL,
    broken: 'tokens without a version',
    query: 'select count(*) from access_tokens where version < 1',
  },
  {
    since: DATA_MODEL,
    broken: 'tokens that know who revoked them, or why, and are not revoked',
    query: `select count(*) from access_tokens
      where revoked_at is null and (revoked_by is not null or revoked_reason is not null)`,
  },
  {
    since: DATA_MODEL,
    broken: 'tokens whose settings are no JSON object',
    query: `select count(*) from access_tokens
      where settings is not null and iif(json_valid(settings), json_type(settings), '') <> 'object'`,
  },
  {
    since: DATA_MODEL,
    broken: 'tokens and users whose search text is not that of their texts',
    query: `select (select count(*) from access_tokens where search is not search_column(name, description))
      + (select count(*) from users where search is not search_column(full_name, email))`,
  },
  {
    since: DATA_MODEL,
    broken: 'rows with a type, kind, role or reason that this version does not know',
    query: `select (select count(*) from access_tokens where type not in ${listOf(TOKEN_TYPES)}
        or revoked_reason not in ${listOf(REVOCATION_REASONS)})
      + (select count(*) from users where kind not in ${listOf(USER_KINDS)})
      + (select count(*) from memberships where role not in ${listOf(ROLES)})`,
  },
];

function listOf(words: readonly string[]): string {
  return `(${words.map((word) => `'${word}'`).join(', ')})`;
}
