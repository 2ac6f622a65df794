import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import { folded, SEARCH_SEPARATOR, type TokenType } from '../database/index.js';
import type { AccessTokenTable, Schema } from '../database/schema.js';

/** Milliseconds before its expiry from which an active token counts as expiring. */
const EXPIRING = 7 * 86_400_000;

export const TOKEN_STATES = ['active', 'expiring', 'expired', 'revoked', 'disabled'] as const;
export type TokenState = (typeof TOKEN_STATES)[number];

/** Conditions that a token must all meet. Instants are milliseconds since 1970 and exclusive. */
export interface TokenFilter {
  type?: TokenType | undefined;
  /** Text that name, description or prefix contains, in any letter case. */
  q?: string | undefined;
  state?: TokenState | undefined;
  scope?: string | undefined;
  createdAfter?: number | undefined;
  createdBefore?: number | undefined;
  /** A token without an expiry matches neither `expiresAfter` nor `expiresBefore`. */
  expiresAfter?: number | undefined;
  expiresBefore?: number | undefined;
  /** A token that was never used matches neither `lastUsedAfter` nor `lastUsedBefore`. */
  lastUsedAfter?: number | undefined;
  lastUsedBefore?: number | undefined;
  neverUsed?: boolean | undefined;
}

/** Builds conditions on the table that the query calls `token`. */
type Tokens = ExpressionBuilder<Schema & { token: AccessTokenTable }, 'token'>;

/** The SQL condition for `filter`; states such as `expired` are as of the instant `at`. */
export function keeps(eb: Tokens, filter: TokenFilter, at: number): Expression<SqlBool> {
  const conditions: Expression<SqlBool>[] = [];
  const { type, q, state, scope, neverUsed } = filter;
  if (type !== undefined) conditions.push(eb('token.type', '=', type));
  if (q !== undefined) {
    conditions.push(textContains(q));
  }
  if (state !== undefined) conditions.push(isIn(eb, state, at));
  if (scope !== undefined) {
    const sets = eb.selectFrom('scope_set_members').select('scope_set_id').where('scope', '=', scope);
    conditions.push(eb('token.scope_set_id', 'in', sets));
  }
  for (const [column, after, before] of [
    ['token.created_at', filter.createdAfter, filter.createdBefore],
    ['token.expires_at', filter.expiresAfter, filter.expiresBefore],
    ['token.last_used_at', filter.lastUsedAfter, filter.lastUsedBefore],
  ] as const) {
    if (after !== undefined) conditions.push(eb(column, '>', after));
    if (before !== undefined) conditions.push(eb(column, '<', before));
  }
  if (neverUsed !== undefined) conditions.push(eb('token.last_used_at', neverUsed ? 'is' : 'is not', null));
  return eb.and(conditions);
}

/** Whether a token is in `state` at the instant `at`. A token can be in several. */
export function isIn(eb: Tokens, state: TokenState, at: number): Expression<SqlBool> {
  if (state === 'revoked') return eb('token.revoked_at', 'is not', null);
  const alive = eb('token.revoked_at', 'is', null);
  const expired = eb('token.expires_at', '<=', at);
  if (state === 'expired') return eb.and([alive, expired]);
  if (state === 'disabled') return eb.and([alive, eb('token.disabled_at', 'is not', null)]);
  const active = eb.and([
    alive,
    eb('token.disabled_at', 'is', null),
    eb.or([eb('token.expires_at', 'is', null), eb('token.expires_at', '>', at)]),
  ]);
  return state === 'active' ? active : eb.and([active, eb('token.expires_at', '<=', at + EXPIRING)]);
}

/** Whether name, description or prefix of the row of `token` contains `text`, in any letter case. */
function textContains(text: string): Expression<SqlBool> {
  return contains('token.search', ['token.name', 'token.description', 'token.prefix'], text);
}

/** Whether the name of the row of `token` contains `text`, in any letter case. */
export function nameContains(text: string): Expression<SqlBool> {
  // The name is the first text of the search column.
  return contains('token.search', ['token.name'], text, SEARCH_SEPARATOR);
}

/**
 * Whether `text` is in the search column, with `before` somewhere behind it, or in another column, in any letter case.
 * `upper` folds ASCII alone; what it cannot fold is in the search column.
 */
export function contains(search: string, columns: readonly string[], text: string, before = ''): Expression<SqlBool> {
  const part = folded(text).replace(/[\\%_]/g, '\\$&');
  const inSearch = sql<SqlBool>`${sql.ref(search)} like ${`%${part}%${before === '' ? '' : `${before}%`}`} escape '\\'`;
  const inColumns = columns.map((column) => sql<SqlBool>`upper(${sql.ref(column)}) like ${`%${part}%`} escape '\\'`);
  return sql<SqlBool>`(${sql.join([inSearch, ...inColumns], sql` or `)})`;
}
