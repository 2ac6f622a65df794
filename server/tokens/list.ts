import { sql } from 'kysely';
import type { TokenType } from '../database/index.js';
import type { Deps } from '../deps.js';
import { invalidInput, ServiceError } from '../errors.js';
import { fromCursor, toCursor } from './cursor.js';
import { type AccessToken, TOKEN_COLUMNS, toAccessToken } from './token.js';

export interface TokenFilter {
  type: TokenType | undefined;
  includeRevoked: boolean;
  limit: number;
  cursor: string | undefined;
}

/** The owner's tokens, newest first, from behind the cursor on. Rejects with `invalid_input` for a bad cursor. */
export async function listTokens(
  { db }: Deps,
  ownerId: number,
  { type, includeRevoked, limit, cursor }: TokenFilter,
): Promise<{ tokens: AccessToken[]; nextCursor: string | null }> {
  const belongsTo = `${String(ownerId)} ${type ?? 'any'} ${String(includeRevoked)}`;
  let query = db.read
    .selectFrom('access_tokens')
    .select(TOKEN_COLUMNS)
    .where('owner_id', '=', ownerId)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1);
  if (type !== undefined) query = query.where('type', '=', type);
  if (!includeRevoked) query = query.where('revoked_at', 'is', null);
  if (cursor !== undefined) {
    const after = fromCursor(cursor, belongsTo);
    if (after === undefined) {
      throw invalidInput(
        ['query', 'cursor'],
        'invalid_cursor',
        'Input should be the nextCursor of a page of this list',
      );
    }
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(refTuple('created_at', 'id'), '<', tuple(after.createdAt, after.id)),
    );
  }

  const rows = await query.execute();
  const tokens = rows.slice(0, limit).map(toAccessToken);
  const last = tokens.at(-1);
  return { tokens, nextCursor: rows.length > limit && last !== undefined ? toCursor(last, belongsTo) : null };
}

/** The only columns that a page may be ordered by: the wire's name, and the column's. */
const ORDERINGS = { id: 'id', name: 'name', expiration_time: 'expires_at' } as const;

export interface PageWish {
  /** Orderable field, descending with a leading minus. */
  ordering: keyof typeof ORDERINGS | `-${keyof typeof ORDERINGS}`;
  /** Text that the name contains, in any letter case; empty for all. */
  q: string;
  page: number;
  pageSize: number;
}

/**
 * One numbered page of the owner's personal access tokens that are not revoked, and how many there are on all pages,
 * both of one moment. Rejects with `not_found` past the end; page 1 of nothing is empty.
 */
export async function listPage(
  { db }: Deps,
  ownerId: number,
  { ordering, q, page, pageSize }: PageWish,
): Promise<{ tokens: AccessToken[]; count: number }> {
  const offset = (page - 1) * pageSize;
  const matching = db.read
    .selectFrom('access_tokens')
    .where('owner_id', '=', ownerId)
    .where('type', '=', 'pat')
    .where('revoked_at', 'is', null)
    .$if(q !== '', (query) => query.where(nameContains(q)));

  const direction = ordering.startsWith('-') ? 'desc' : 'asc';
  const rows = Number.isSafeInteger(offset)
    ? await matching
        .select(TOKEN_COLUMNS)
        // In the same statement: two would see two states while others write.
        .select(matching.select(({ fn }) => fn.countAll<number>().as('count')).as('count'))
        .orderBy(ORDERINGS[ordering.replace('-', '') as keyof typeof ORDERINGS], direction)
        .orderBy('id', direction)
        .limit(pageSize)
        .offset(offset)
        .execute()
    : [];
  const count = rows[0]?.count ?? 0;
  if (rows.length === 0 && page > 1) throw new ServiceError('not_found', { detail: 'Invalid page.' });
  return { tokens: rows.map(toAccessToken), count };
}

function nameContains(text: string) {
  // Upper case on both sides: unlike lower case it depends on no neighbours, so a part folds as it does in the whole.
  const pattern = `%${text.toUpperCase().replace(/[\\%_]/g, '\\$&')}%`;
  return sql<boolean>`upper(${sql.ref('name')}) like ${pattern} escape '\\'`;
}
