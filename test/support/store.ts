import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import SqliteDriver from 'better-sqlite3';
import { Client, Pool, type QueryResult, types } from 'pg';
import { inject } from 'vitest';
import { isPostgresUrl } from '../../server/config/postgres-url.js';
import { tableNames } from '../../server/database/tables.js';
import { without } from './matchers.js';
import { databaseAt, TEMPLATE } from './postgres-server.js';

// The database of a test, on the engine that its project names in vitest.config.ts.

type Row = Record<string, unknown>;

/** The tables that requests change. */
const TABLES = ['organizations', 'users', 'access_tokens', 'token_secrets', 'refresh_tokens', 'idempotent_answers'];

export const isOnPostgres = process.env['LATCHKEY_TEST_ENGINE'] === 'postgres';

/** Creates a database: a file in `folder`, or a PostgreSQL database that `remove` drops. */
export async function newDatabase(folder: string): Promise<{ database: string; remove(): Promise<void> }> {
  if (!isOnPostgres) return { database: join(folder, 'latchkey.db'), remove: () => Promise.resolve() };
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await toServer(`create database ${name} template ${TEMPLATE} ${inject('postgresCopy')}`);
  return {
    database: databaseAt(inject('postgres'), name),
    remove: () => removeDatabase(databaseAt(inject('postgres'), name)),
  };
}

/** Drops a test's PostgreSQL database, even if clients are connected to it. */
export async function removeDatabase(database: string): Promise<void> {
  await readers.get(database)?.end();
  readers.delete(database);
  await toServer(`drop database if exists ${new URL(database).pathname.slice(1)} with (force)`);
}

let admin: Promise<Client> | undefined;

/** Runs a statement about a database as a whole, on a connection that all tests of this worker share. */
async function toServer(statement: string): Promise<void> {
  admin ??= connectAdmin();
  await (await admin).query(statement);
}

async function connectAdmin(): Promise<Client> {
  const client = new Client(inject('postgres'));
  // Tests of outages end all connections.
  client.on('error', () => {
    admin = undefined;
  });
  await client.connect();
  return client;
}

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

/** Runs statements that change a database of either engine, on a connection of its own. */
export async function change({ database }: { database: string }, ...statements: string[]): Promise<void> {
  if (isPostgresUrl(database)) {
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

/** The driver's own parsers, except that an integer of 8 bytes becomes a number, as on SQLite. */
const TYPES = {
  getTypeParser: ((...wanted: Parameters<typeof types.getTypeParser>) =>
    wanted[0] === types.builtins.INT8
      ? Number
      : (types.getTypeParser(...wanted) as (text: string) => unknown)) as typeof types.getTypeParser,
};

/** The connections that read a PostgreSQL database, by its URL. To connect takes longer than most queries. */
const readers = new Map<string, Pool>();

function readerOf(url: string): Pool {
  const known = readers.get(url);
  if (known !== undefined) return known;
  const pool = new Pool({ connectionString: url, types: TYPES, idleTimeoutMillis: 5_000, allowExitOnIdle: true });
  // Tests of outages end all connections.
  pool.on('error', () => undefined);
  readers.set(url, pool);
  return pool;
}
