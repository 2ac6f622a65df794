import { type Expression, type SqlBool, sql } from 'kysely';
import { type Build, type Queries, runPrepared } from '../database/index.js';
import type { Deps } from '../deps.js';
import { invalidInput, ServiceError } from '../errors.js';
import { LAST_INSTANT } from '../instants.js';
import type { OwnerKey } from './caller.js';
import { fromCursor, type Position, toCursor } from './cursor.js';
import { keeps, nameContains, type TokenFilter } from './filter.js';
import { type AccessToken, selectTokens, type TokenRow, toAccessToken } from './token.js';

/** Sorts after every expiry. The index on the expiry contains the same number. */
const NEVER_EXPIRES = Number.MAX_SAFE_INTEGER;

/** The orders of a list: the SQL expression, and the same value of a token. Each has an index. */
const SORTS = {
  createdAt: { column: sql<number>`token.created_at`, of: ({ createdAt }: AccessToken) => createdAt },
  name: { column: sql<string>`token.name`, of: ({ name }: AccessToken) => name },
  expiresAt: {
    column: sql<number>`coalesce(token.expires_at, ${sql.lit(NEVER_EXPIRES)})`,
    of: ({ expiresAt }: AccessToken) => expiresAt ?? NEVER_EXPIRES,
  },
  lastUsedAt: {
    column: sql<number>`coalesce(token.last_used_at, 0)`,
    of: ({ lastUsedAt }: AccessToken) => lastUsedAt ?? 0,
  },
};

type Sort = keyof typeof SORTS;

export interface ListQuery {
  filter: TokenFilter;
  /** Whether to list revoked tokens if the filter names no state. */
  includeRevoked: boolean;
  /** A leading minus means descending. Equal keys are in the order of creation. */
  sort: Sort | `-${Sort}`;
  limit: number;
  cursor: string | undefined;
}

/** Returns the page of the owner's tokens that follows `cursor`. Rejects with `invalid_input` for a bad cursor. */
export async function listTokens(
  { db, now }: Deps,
  { organizationId, ownerId }: OwnerKey,
  { filter, includeRevoked, sort, limit, cursor }: ListQuery,
): Promise<{ tokens: AccessToken[]; nextCursor: string | null }> {
  const belongsTo = JSON.stringify(['tokens', ownerId, includeRevoked, sort, Object.entries(filter).sort()]);
  const after = cursor === undefined ? undefined : positionOf(cursor, belongsTo);
  const asOf = after?.asOf ?? now();
  const { of } = SORTS[sort.replace('-', '') as Sort];

  // One row more tells whether there is another page.
  const rows = limit + 1;
  // A query without filters is compiled once. Filters have too many combinations for that.
  const usual = Object.values(filter).every((value) => value === undefined);
  const found = usual
    ? await runPrepared(db.read, usualPage(sort, includeRevoked, after !== undefined), {
        organizationId,
        ownerId,
        rows,
        ...after,
      })
    : await selectPage(
        db.read,
        { organizationId, ownerId },
        { filter, includeRevoked, sort },
        rows,
        after,
        asOf,
      ).execute();
  const tokens = found.slice(0, limit).map(toAccessToken);
  const last = tokens.at(-1);
  const next = found.length > limit && last !== undefined ? { key: of(last), id: last.id, asOf } : undefined;
  return { tokens, nextCursor: next === undefined ? null : toCursor(next, belongsTo) };
}

function selectPage(
  read: Queries,
  { organizationId, ownerId }: OwnerKey,
  { filter, includeRevoked, sort }: Pick<ListQuery, 'filter' | 'includeRevoked' | 'sort'>,
  rows: number,
  after: Pick<Position, 'key' | 'id'> | undefined,
  asOf: number,
) {
  const { column } = SORTS[sort.replace('-', '') as Sort];
  const direction = sort.startsWith('-') ? 'desc' : 'asc';
  let query = selectTokens(read)
    .where('token.owner_id', '=', ownerId)
    .where('token.organization_id', '=', organizationId)
    .where((eb) => keeps(eb, filter, asOf))
    .orderBy(column, direction)
    .orderBy('token.id', direction)
    .limit(rows);
  if (!includeRevoked && filter.state !== 'revoked') query = query.where('token.revoked_at', 'is', null);
  if (after !== undefined) query = query.where(isBehind(column, direction, after));
  return query;
}

interface UsualPage extends OwnerKey {
  rows: number;
  /** Sort key and id of the row before the page. */
  key?: number | string;
  id?: number;
}

/** One query for each order, `includeRevoked` and kind of start: 16, because a prepared query's text cannot change. */
const usualPages = new Map<string, Build<UsualPage, TokenRow>>();

/** The query for a page without a filter: the first one, or one that follows a row. */
function usualPage(sort: ListQuery['sort'], includeRevoked: boolean, isBehindRow: boolean): Build<UsualPage, TokenRow> {
  const name = `${sort} ${String(includeRevoked)} ${String(isBehindRow)}`;
  let page = usualPages.get(name);
  if (page === undefined) {
    page = (read, { organizationId, ownerId, rows, key = 0, id = 0 }) => {
      const after = isBehindRow ? { key, id } : undefined;
      return selectPage(read, { organizationId, ownerId }, { filter: {}, includeRevoked, sort }, rows, after, 0);
    };
    usualPages.set(name, page);
  }
  return page;
}

export function positionOf(cursor: string, belongsTo: string) {
  const position = fromCursor(cursor, belongsTo);
  if (position !== undefined) return position;
  throw invalidInput(['query', 'cursor'], 'invalid_cursor', 'Input should be the nextCursor of a page of this list');
}

function isBehind(
  column: Expression<unknown>,
  direction: 'asc' | 'desc',
  { key, id }: { key: number | string; id: number },
): Expression<SqlBool> {
  const operator = sql.raw(direction === 'asc' ? '>' : '<');
  // The first half is redundant, but without it SQLite cannot seek in an index on an expression.
  return sql<boolean>`${column} ${operator}= ${key} and (${column}, token.id) ${operator} (${key}, ${id})`;
}

/** The orders of a numbered page, by their names on the wire. A token that never expires sorts by the last instant. */
const ORDERINGS = {
  id: sql.ref('token.id'),
  name: sql.ref('token.name'),
  expiration_time: sql`coalesce(token.expires_at, ${sql.lit(LAST_INSTANT)})`,
};

export interface PageWish {
  /** A leading minus means descending. */
  ordering: keyof typeof ORDERINGS | `-${keyof typeof ORDERINGS}`;
  /** Text that the name contains, in any letter case; empty for all. */
  q: string;
  page: number;
  pageSize: number;
}

/**
 * Returns one numbered page of the owner's personal access tokens that are not revoked, and their number on all pages, both
 * read at one moment. Rejects with `not_found` for a page past the end; page 1 may be empty.
 */
export async function listPage(
  { db }: Deps,
  { organizationId, ownerId }: OwnerKey,
  { ordering, q, page, pageSize }: PageWish,
): Promise<{ tokens: AccessToken[]; count: number }> {
  const offset = (page - 1) * pageSize;
  const matching = db.read
    .selectFrom('access_tokens as token')
    .where('token.owner_id', '=', ownerId)
    .where('token.organization_id', '=', organizationId)
    .where('token.type', '=', 'pat')
    .where('token.revoked_at', 'is', null)
    .$if(q !== '', (query) => query.where(nameContains(q)));

  const direction = ordering.startsWith('-') ? 'desc' : 'asc';
  const column = ORDERINGS[ordering.replace('-', '') as keyof typeof ORDERINGS];
  // Sort and skip ids alone; whole rows take twice as long.
  const ids = matching
    .select('token.id')
    .orderBy(column, direction)
    .orderBy('token.id', direction)
    .limit(pageSize)
    .offset(offset);
  const rows = Number.isSafeInteger(offset)
    ? await selectTokens(db.read)
        // Counted in the same statement, because two statements could see different states.
        .select(matching.select(({ fn }) => fn.countAll<number>().as('count')).as('count'))
        .where('token.id', 'in', ids)
        .orderBy(column, direction)
        .orderBy('token.id', direction)
        .execute()
    : [];
  const count = rows[0]?.count ?? 0;
  if (rows.length === 0 && page > 1) throw new ServiceError('not_found', { detail: 'Invalid page.' });
  return { tokens: rows.map(toAccessToken), count };
}
