import { type RawBuilder, type SqlBool, sql } from 'kysely';

/** The bytes in a column as lower-case hexadecimal digits: a text is read at a fraction of what a buffer takes. */
export function hexOf(column: string): RawBuilder<string> {
  return sql<string>`lower(hex(${sql.ref(column)}))`;
}

/**
 * Whether a row of `token` has a uuid that somebody chose, and that does not begin with the milliseconds of `created_at`.
 * There is an index on these, which SQLite takes only for the very same words.
 */
export const hasChosenUuid = sql<SqlBool>`hex(substr(token.uuid, 1, 6)) <> printf('%012X', token.created_at)`;
