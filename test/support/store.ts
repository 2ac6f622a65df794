import { readFile } from 'node:fs/promises';
import SqliteDriver from 'better-sqlite3';
import { Client, type QueryResult } from 'pg';
import { isPostgresUrl } from '../../server/config/postgres-url.js';
import { tableNames } from '../../server/database/tables.js';
import { markAltered, readerOf } from './databases.js';
import { without } from './matchers.js';

// What a test reads and changes in a database of either engine, beside the service.

type Row = Record<string, unknown>;

/** The tables that requests change. */
const TABLES = ['organizations', 'users', 'access_tokens', 'token_secrets', 'refresh_tokens', 'idempotent_answers'];

/** The rows that a query finds in a database of either engine. */
export async function rowsOf(service: { database: string }, query: string): Promise<Row[]> {
  const [rows = []] = await rowsOfEach(service, [query]);
  return rows;
}

/** The rows that each of these queries finds. */
async function rowsOfEach({ database }: { database: string }, queries: string[]): Promise<Row[][]> {
  if (isPostgresUrl(database)) {
    const results: unknown = await readerOf(database).query(queries.join(';\n'));
    return (Array.isArray(results) ? results : [results]).map(({ rows }: QueryResult<Row>) => rows);
  }
  const connection = new SqliteDriver(database, { readonly: true });
  try {
    return queries.map((query) => connection.prepare<[], Row>(query).all());
  } finally {
    connection.close();
  }
}

const CHANGES_ROWS = /^\s*(insert into|update|delete from) (?!latchkey_migrations)/i;

/** Runs statements that change a database of either engine, on a connection of its own. */
export async function change({ database }: { database: string }, ...statements: string[]): Promise<void> {
  if (isPostgresUrl(database)) {
    if (!statements.every((statement) => CHANGES_ROWS.test(statement))) markAltered(database);
    const client = new Client(database);
    await client.connect();
    try {
      for (const statement of statements) await client.query(statement);
    } finally {
      await client.end();
    }
    return;
  }
  const connection = new SqliteDriver(database);
  try {
    for (const statement of statements) connection.exec(statement);
  } finally {
    connection.close();
  }
}

/** All rows of `TABLES` without the instants of last use, which a rejected request may change. */
export async function contentOf(service: { database: string }): Promise<Record<string, unknown[]>> {
  const rows = await rowsOfEach(
    service,
    TABLES.map((table) => `select * from ${table} order by 1`),
  );
  const withoutUse = (row: Row) => without(row, 'last_used_at', 'previous_last_used_at');
  return Object.fromEntries(TABLES.map((table, index) => [table, (rows[index] ?? []).map(withoutUse)]));
}

/** The whole content of the database as bytes, in which a test searches for secrets. */
export async function bytesOf(service: { database: string }): Promise<Buffer> {
  if (!isPostgresUrl(service.database)) return await readFile(service.database);
  const rows = await rowsOfEach(
    service,
    tableNames.map((table) => `select * from ${table}`),
  );
  const values: unknown[] = rows.flat().flatMap((row) => Object.values(row));
  return Buffer.concat(values.map((value) => (Buffer.isBuffer(value) ? value : Buffer.from(String(value)))));
}
