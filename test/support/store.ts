import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import SqliteDriver from 'better-sqlite3';
import { Client, types } from 'pg';
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

/** Runs a query on a database of either engine, on a connection of its own. */
export async function rowsOf({ database }: { database: string }, query: string): Promise<Row[]> {
  if (isPostgresUrl(database)) return await onServer(database, query);
  const connection = new SqliteDriver(database, { readonly: true });
  try {
    return connection.prepare<[], Row>(query).all();
  } finally {
    connection.close();
  }
}

/** Runs statements that change a database of either engine, on a connection of its own. */
export async function change({ database }: { database: string }, ...statements: string[]): Promise<void> {
  if (isPostgresUrl(database)) {
    for (const statement of statements) await onServer(database, statement);
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
  const content: Record<string, unknown[]> = {};
  for (const table of TABLES) {
    const rows = await rowsOf(service, `select * from ${table} order by 1`);
    content[table] = rows.map((row) => without(row, 'last_used_at', 'previous_last_used_at'));
  }
  return content;
}

/** The whole content of the database as bytes, in which a test searches for secrets. */
export async function bytesOf(service: { database: string }): Promise<Buffer> {
  if (!isPostgresUrl(service.database)) return await readFile(service.database);
  const values: unknown[] = [];
  for (const table of tableNames) {
    for (const row of await rowsOf(service, `select * from ${table}`)) values.push(...Object.values(row));
  }
  return Buffer.concat(values.map((value) => (Buffer.isBuffer(value) ? value : Buffer.from(String(value)))));
}

/** The driver's own parsers, except that an integer of 8 bytes becomes a number, as on SQLite. */
const TYPES = {
  getTypeParser: ((...wanted: Parameters<typeof types.getTypeParser>) =>
    wanted[0] === types.builtins.INT8
      ? Number
      : (types.getTypeParser(...wanted) as (text: string) => unknown)) as typeof types.getTypeParser,
};

async function onServer(url: string, query: string): Promise<Row[]> {
  const client = new Client({ connectionString: url, types: TYPES });
  await client.connect();
  try {
    return (await client.query<Row>(query)).rows;
  } finally {
    await client.end();
  }
}
