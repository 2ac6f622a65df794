import { type Kysely, sql } from 'kysely';
import type { Client } from 'pg';
import { kyselyOver } from './dialect.js';
import { migrations } from './migrations/index.js';
import { readerOver } from './reader.js';
import { WITHOUT_TIMEOUT } from './session.js';

/** The definition of each table, column, index and constraint, by its name. */
export type Shape = Map<string, string>;

/** The server writes each definition, so that on one server, equal definitions have equal texts. */
const SHAPE = `
  with tables as (
    select oid, relname as name from pg_class
    where relnamespace = $namespace and relkind in ('r', 'p') and relname <> 'latchkey_migrations'
  )
  select 'table ' || name, 'a table' from tables
  union all
  select 'column ' || name || '.' || attname, format_type(atttypid, atttypmod)
    || case when attnotnull then ' not null' else '' end
    || case when attcollation = 0 then '' else ' collate ' || attcollation::regcollation end
    || case when attidentity = '' then '' else ' identity' end
    || coalesce(' default ' || pg_get_expr(adbin, adrelid), '')
  from tables join pg_attribute on attrelid = tables.oid
  left join pg_attrdef on adrelid = attrelid and adnum = attnum
  where attnum > 0 and not attisdropped
  union all
  select 'index ' || relname, pg_get_indexdef(indexrelid, 0, true)
    || case when indisvalid then '' else ' that is not valid' end
  from tables join pg_index on indrelid = tables.oid join pg_class on pg_class.oid = indexrelid
  where indexrelid not in (select conindid from pg_constraint where contype in ('p', 'u', 'x'))
  union all
  select 'constraint ' || conname, 'of ' || name || ': ' || pg_get_constraintdef(pg_constraint.oid)
  from tables join pg_constraint on conrelid = tables.oid
  where contype in ('p', 'u', 'f', 'c', 'x')`;

/** The shape of the current schema. */
export async function shapeOf(client: Client): Promise<Shape> {
  return await queryShape(client, 'current_schema()::regnamespace');
}

/**
 * The shape that the migrations make. They run with temporary tables, in a transaction that is rolled back. The role needs
 * the right to create temporary tables, which every role has unless somebody revoked it.
 */
export async function expectedShape(client: Client): Promise<Shape> {
  await client.query('begin read write; set local search_path to pg_temp');
  try {
    const db = kyselyOver(async ({ sql: text, parameters }) => {
      // A temporary table is never logged, so `unlogged` would be a syntax error.
      const temporary = text.replace(/^(\s*create) unlogged table/i, '$1 table');
      return await client.query({ text: temporary, values: parameters as unknown[], ...WITHOUT_TIMEOUT });
    });
    for (const { up } of Object.values(migrations)) await up(db as Kysely<unknown>, () => Promise.resolve());
    return await queryShape(client, 'pg_my_temp_schema()');
  } finally {
    await client.query('rollback');
  }
}

async function queryShape(client: Client, namespace: string): Promise<Shape> {
  const rows = await readerOver(client).run(sql.raw(SHAPE.replace('$namespace', namespace)));
  return new Map(rows.map(([part, definition]) => [String(part), String(definition)]));
}

/** Describes each part of `expected` that `actual` lacks or defines differently. Additional parts do no harm. */
export function shapeFaults(actual: Shape, expected: Shape): string[] {
  return [...expected].flatMap(([part, definition]) => {
    const found = actual.get(part);
    if (found === undefined) return [`missing: ${part}`];
    return found === definition ? [] : [`different: ${part} is ${found}, and must be ${definition}`];
  });
}
