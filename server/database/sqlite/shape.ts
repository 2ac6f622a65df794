import type SqliteDriver from 'better-sqlite3';
import { sql } from 'kysely';
import type { Queries } from '../schema.js';
import { migrate } from './migrate.js';
import { openMemory } from './open.js';

/** Selects the names of all tables, columns and indexes. */
const SHAPE = `
  select object.type || ' ' || object.name as part from sqlite_schema as object
  where object.type in ('table', 'index') and object.name not like 'sqlite\\_%' escape '\\'
  union all
  select 'column ' || object.name || '.' || found.name from sqlite_schema as object, pragma_table_info(object.name) as found
  where object.type = 'table' and object.name not like 'sqlite\\_%' escape '\\'`;

/**
 * Describes the tables, columns and indexes of a database with all migrations that this database lacks. Additional ones
 * do no harm and are not reported.
 */
export async function missingFrom(connection: SqliteDriver.Database): Promise<string[]> {
  const present = new Set(connection.prepare(SHAPE).pluck().all());
  return (await partsOfNew()).filter((part) => !present.has(part)).map((part) => `missing: ${part}`);
}

async function partsOfNew(): Promise<string[]> {
  const { writer, close } = await openMemory();
  try {
    await migrate(writer);
    return await partsOf(writer);
  } finally {
    await close();
  }
}

async function partsOf(queries: Queries): Promise<string[]> {
  const { rows } = await sql.raw<{ part: string }>(SHAPE).execute(queries);
  return rows.map(({ part }) => part);
}
