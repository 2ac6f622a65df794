import { type RawBuilder, sql } from 'kysely';

/** The bytes in a column as lower-case hexadecimal digits: a text is read at a fraction of what a buffer takes. */
export function hexOf(column: string): RawBuilder<string> {
  return sql<string>`lower(hex(${sql.ref(column)}))`;
}
