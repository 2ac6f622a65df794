import { type RawBuilder, sql } from 'kysely';
import type { TableName } from './tables.js';

/** The highest id that SQLite has given in `table`, even if that row was deleted since; null if it has given none. */
export function lastIdOf(table: TableName): RawBuilder<number | null> {
  return sql<number | null>`(select seq from sqlite_sequence where name = ${sql.lit(table)})`;
}
