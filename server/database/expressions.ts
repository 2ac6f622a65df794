import { expressionBuilder, type RawBuilder, type SqlBool, sql } from 'kysely';

// These functions have SQLite's names; `postgres/dialect.ts` translates them for PostgreSQL. Every other function that
// a query of the domain calls exists on both engines.

const { fn } = expressionBuilder<Record<string, never>>();

/** The bytes in `column` as lower-case hexadecimal digits: the driver reads a text in a fraction of a buffer's time. */
export function hexOf(column: string): RawBuilder<string> {
  return sql<string>`${fn('lower', [fn('hex', [sql.ref(column)])])}`;
}

/**
 * Whether a row of `token` has a uuid that somebody chose: the uuid does not begin with the milliseconds of
 * `created_at`. An index covers these rows. An engine uses that index only for exactly this expression.
 */
export const hasChosenUuid = sql<SqlBool>`${fn('hex', [sql`substr(token.uuid, 1, 6)`])} <> ${fn('printf', [
  sql.lit('%012X'),
  sql`token.created_at`,
])}`;

/**
 * Whether a row of `token` is a session. An index covers these rows. An engine uses it only where the text of the query contains
 * the type, because it plans a query before it knows the parameters.
 */
export const isSession = sql<SqlBool>`token.type = 'session'`;
