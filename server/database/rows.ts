import { type RawBuilder, sql } from 'kysely';
import { type TableName, tableOf } from './tables.js';

/** The values of a row, in the order in which its columns were asked for. */
export type Row = readonly unknown[];

/** Reads a database in one transaction. */
export interface RowReader {
  /** Runs a query that both engines know. Rejects with the engine's error. */
  run(query: RawBuilder<unknown>): Promise<Row[]>;
}

/** Rows that are in memory at once. The largest take some 10 kB. */
const BATCH = 1_000;

interface Selection {
  /** All columns of the table by default; the columns of its key must be among them. */
  columns?: readonly string[];
  /** A condition that both engines know. */
  where?: string;
}

/** Reads the rows of a table in the order of its key. */
export async function* batchesOf(
  reader: RowReader,
  name: TableName,
  { columns = Object.keys(tableOf(name).columns), where = 'true' }: Selection = {},
): AsyncGenerator<Row[]> {
  const { key } = tableOf(name);
  const selected = sql.join(columns.map((column) => sql.ref(column)));
  const ordered = sql.join(key.map((column) => sql.ref(column)));
  const places = key.map((column) => columns.indexOf(column));
  for (let last: Row | undefined; ; ) {
    const beyond =
      last === undefined ? sql`` : sql`and (${ordered}) > (${sql.join(places.map((place) => last?.[place]))})`;
    const rows = await reader.run(
      sql`select ${selected} from ${sql.table(name)} where ${sql.raw(where)} ${beyond} order by ${ordered} limit ${sql.lit(BATCH)}`,
    );
    if (rows.length > 0) yield rows;
    if (rows.length < BATCH) return;
    last = rows.at(-1);
  }
}

export async function countOf(reader: RowReader, name: string): Promise<number> {
  const [[count] = []] = await reader.run(sql`select count(*) from ${sql.table(name)}`);
  return Number(count);
}
