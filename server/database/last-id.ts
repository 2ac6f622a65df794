import { type RawBuilder, sql } from 'kysely';
import { hasOneWriter } from './locks.js';
import type { Queries } from './schema.js';
import type { TableName } from './tables.js';

/** The id that this transaction gave last to a row that it inserted. */
export function lastGivenId(trx: Queries): RawBuilder<number> {
  return hasOneWriter(trx) ? sql<number>`last_insert_rowid()` : sql<number>`lastval()`;
}

/** The highest id that SQLite has given in `table`, even if that row was deleted since; null if it has given none. */
export function lastIdOf(table: TableName): RawBuilder<number | null> {
  return sql<number | null>`(select seq from sqlite_sequence where name = ${sql.lit(table)})`;
}
