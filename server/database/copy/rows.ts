import { sql } from 'kysely';
import type { CopySource, Row } from './ends.js';
import { type TableName, tableOf } from './tables.js';

/** Rows that are in memory at once. The largest take some 10 kB. */
const BATCH = 1_000;

/** All rows of a table, in the order of its key. */
export async function* batchesOf(source: Pick<CopySource, 'run'>, name: TableName): AsyncGenerator<Row[]> {
  const { key, columns } = tableOf(name);
  const names = Object.keys(columns);
  const selected = sql.join(names.map((column) => sql.ref(column)));
  const ordered = sql.join(key.map((column) => sql.ref(column)));
  const places = key.map((column) => names.indexOf(column));
  for (let last: Row | undefined; ; ) {
    const beyond =
      last === undefined ? sql`` : sql`where (${ordered}) > (${sql.join(places.map((place) => last?.[place]))})`;
    const rows = await source.run(
      sql`select ${selected} from ${sql.table(name)} ${beyond} order by ${ordered} limit ${sql.lit(BATCH)}`,
    );
    if (rows.length > 0) yield rows;
    if (rows.length < BATCH) return;
    last = rows.at(-1);
  }
}

export async function countOf(source: Pick<CopySource, 'run'>, name: TableName): Promise<number> {
  const [[count] = []] = await source.run(sql`select count(*) from ${sql.table(name)}`);
  return Number(count);
}
