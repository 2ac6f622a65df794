import { sql } from 'kysely';
import type { Client } from 'pg';
import { brokenRules } from '../broken-rules.js';
import type { OpenOptions } from '../database.js';
import { type DatabaseReport, emptyReport } from '../report.js';
import { countOf, type RowReader } from '../rows.js';
import { TABLES, tableNames } from '../tables.js';
import { sqlStateOf, toFault } from './faults.js';
import { migrationsOf } from './migrate.js';
import { explained } from './open-errors.js';
import { readerOver } from './reader.js';
import { checkSettings } from './server-settings.js';
import { CONNECTIONS, connect, cut, LOOKUP_CONNECTIONS, type PostgresSettings, toSettings } from './session.js';
import { expectedShape, type Shape, shapeFaults, shapeOf } from './shape.js';

const INSUFFICIENT_PRIVILEGE = '42501';

/**
 * Reads the whole database at `url` in one snapshot, and reports its content, its faults, and the faults of the server's
 * settings. The check changes nothing. Rejects with `UnusableDatabase` if the server cannot be reached or is a standby.
 */
export async function checkPostgres(
  url: string,
  { connections = CONNECTIONS, ...options }: OpenOptions,
): Promise<DatabaseReport> {
  const settings = toSettings(url, options);
  return await explained(settings, async () => {
    const client = await connect(settings);
    const report = emptyReport();
    try {
      const { faults, warnings } = await checkSettings(client, connections + LOOKUP_CONNECTIONS);
      report.faults.push(...faults);
      report.warnings.push(...warnings);
      const expected = await expectedShapeOrWarning(client, report);
      await client.query('begin isolation level repeatable read read only; set local statement_timeout to 0');
      await read(client, settings, report, expected);
      return report;
    } catch (error) {
      throw toFault(error);
    } finally {
      cut(client);
    }
  });
}

async function expectedShapeOrWarning(client: Client, { warnings }: DatabaseReport): Promise<Shape | undefined> {
  try {
    return await expectedShape(client);
  } catch (error) {
    if (sqlStateOf(error) !== INSUFFICIENT_PRIVILEGE) throw error;
    warnings.push('the schema was not checked, because the role may not make temporary tables');
    return undefined;
  }
}

async function read(
  client: Client,
  settings: PostgresSettings,
  report: DatabaseReport,
  expected: Shape | undefined,
): Promise<void> {
  const { faults } = report;
  const reader = readerOver(client);
  const { applied, pending, unknown } = await migrationsOf(client, settings);
  report.schema = applied.at(-1) ?? null;
  report.pending = pending;
  if (report.schema === null) {
    faults.push(`the schema ${settings.schema} has no tables of Latchkey`);
    return;
  }
  const shape = await shapeOf(client);
  if (unknown.length > 0) {
    faults.push(`it was written by a newer version of Latchkey (it has ${unknown.join(', ')}); upgrade Latchkey`);
  } else if (pending.length === 0 && expected !== undefined) faults.push(...shapeFaults(shape, expected));

  const tables = [...shape.keys()].flatMap((part) => /^table (.*)/.exec(part)?.[1] ?? []).sort();
  const present = tableNames.filter((name) => tables.includes(name));
  for (const table of tables) report.rows[table] = await countOf(reader, table);
  report.bytes = await sizeOf(reader, tables);
  faults.push(...(await unloggedTables(reader)));
  faults.push(...(await danglingReferences(reader)));
  // The queries of the rules need every table and column.
  const isIncomplete = present.length < tableNames.length || faults.some((fault) => /^missing: column/.test(fault));
  if (!isIncomplete) faults.push(...(await brokenRules(reader, report.schema)));
}

async function sizeOf(reader: RowReader, tables: readonly string[]): Promise<number> {
  const [[bytes] = []] = await reader.run(sql`
    select coalesce(sum(pg_total_relation_size(oid)), 0) from pg_class
    where relnamespace = current_schema()::regnamespace and relname in (${sql.join(tables)})
  `);
  return Number(bytes);
}

/** Describes the unlogged tables, which a crash of the server would empty, except those that may be unlogged. */
async function unloggedTables(reader: RowReader): Promise<string[]> {
  const lasting = tableNames.filter((name) => !TABLES[name].isUnlogged);
  const rows = await reader.run(sql`
    select relname from pg_class
    where relnamespace = current_schema()::regnamespace and relpersistence = 'u' and relname in (${sql.join(lasting)})
  `);
  return rows.map(([name]) => `table ${String(name)} is unlogged: a crash of PostgreSQL empties it`);
}

/**
 * Counts the rows that refer to a missing row. They can exist despite the constraints if triggers were disabled, for
 * example by pg_restore. A row that refers to several missing rows of one table counts once.
 */
async function danglingReferences(reader: RowReader): Promise<string[]> {
  const references = await reader.run(sql`
    select child.relname, parent.relname, string_agg(attname, ' ' order by attname) from pg_constraint
    join pg_class as child on child.oid = conrelid join pg_class as parent on parent.oid = confrelid
    join pg_attribute on attrelid = conrelid and attnum = conkey[1]
    where contype = 'f' and child.relnamespace = current_schema()::regnamespace
    group by 1, 2 order by 1, 2
  `);
  const faults: string[] = [];
  for (const names of references) {
    const [child = '', parent = '', columns = ''] = names.map(String);
    const places = columns.split(' ').map((column, place) => {
      const [reference, key] = [sql.ref(`child.${column}`), sql.ref(`parent_${String(place)}.id`)];
      return {
        join: sql`left join ${sql.table(parent)} as ${sql.ref(`parent_${String(place)}`)} on ${key} = ${reference}`,
        dangles: sql`(${reference} is not null and ${key} is null)`,
      };
    });
    const [[rows] = []] = await reader.run(sql`
      select count(*) from ${sql.table(child)} as child ${sql.join(
        places.map(({ join }) => join),
        sql` `,
      )} where ${sql.join(
        places.map(({ dangles }) => dangles),
        sql` or `,
      )}
    `);
    if (Number(rows) > 0) faults.push(`rows of ${child} that refer to a missing row of ${parent}: ${String(rows)}`);
  }
  return faults;
}
