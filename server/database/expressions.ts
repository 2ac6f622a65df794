import { expressionBuilder, type RawBuilder, type SqlBool, sql } from 'kysely';

// Functions have SQLite's names here; `postgres/dialect.ts` has PostgreSQL's words for each. A query of the domain calls no
// other function that the two engines do not share.

const { fn } = expressionBuilder<Record<string, never>>();

/** The bytes in a column as lower-case hexadecimal digits: a text is read at a fraction of what a buffer takes. */
export function hexOf(column: string): RawBuilder<string> {
  return sql<string>`lower(${fn('hex', [sql.ref(column)])})`;
}

/**
 * Whether a row of `token` has a uuid that somebody chose, and that does not begin with the milliseconds of `created_at`.
 * There is an index on these, which an engine takes only for the very same words.
 */
export const hasChosenUuid = sql<SqlBool>`${fn('hex', [sql`substr(token.uuid, 1, 6)`])} <> ${fn('printf', [
  sql.lit('%012X'),
  sql`token.created_at`,
])}`;
