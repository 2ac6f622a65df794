import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Client, Pool, types } from 'pg';
import { inject, onTestFinished } from 'vitest';
import { type Database, openDatabase } from '../../server/database/index.js';
import { tableNames } from '../../server/database/tables.js';
import { databaseAt, TEMPLATE } from './postgres-server.js';

// The databases of tests, on the engine that the project names in vitest.config.ts.

export const isOnPostgres = process.env['LATCHKEY_TEST_ENGINE'] === 'postgres';

export interface TestDatabase {
  /** The path of a file, or the URL of a PostgreSQL database. */
  database: string;
  remove(): Promise<void>;
}

/** Creates a database without rows: a file in `folder`, or a PostgreSQL database that `remove` drops. */
export async function newDatabase(folder: string): Promise<TestDatabase> {
  if (!isOnPostgres) return inFolder(folder);
  const url = await createDatabase();
  return { database: url, remove: () => removeDatabase(url) };
}

/** Opens a new PostgreSQL database for one test. */
export async function openNew(): Promise<Database> {
  const { database, remove } = await newDatabase('');
  const db = await openDatabase(database);
  onTestFinished(async () => {
    await db.close();
    await remove();
  });
  return db;
}

/**
 * Takes a database without rows for a test that changes only rows. On PostgreSQL `remove` empties it for the next test, which
 * takes a tenth of the time of a new database.
 */
export async function borrowDatabase(folder: string): Promise<TestDatabase> {
  if (!isOnPostgres) return inFolder(folder);
  const url = returned.pop() ?? (await createDatabase());
  return { database: url, remove: () => giveBack(url) };
}

function inFolder(folder: string): TestDatabase {
  return { database: join(folder, 'latchkey.db'), remove: () => Promise.resolve() };
}

/** The URLs of emptied databases. */
const returned: string[] = [];
/** The URLs of databases that a test has changed in more than their rows. */
const altered = new Set<string>();

/** Tells that a test changes more than rows of a database, which is dropped after the test then. */
export function markAltered(url: string): void {
  altered.add(url);
}

async function createDatabase(): Promise<string> {
  const name = `${inject('postgresPrefix')}${randomUUID().replaceAll('-', '')}`;
  await toServer(`create database ${name} template ${TEMPLATE} ${inject('postgresCopy')}`);
  return databaseAt(inject('postgres'), name);
}

/** Drops a test's PostgreSQL database, even if clients are connected to it. */
export async function removeDatabase(url: string): Promise<void> {
  await readers.get(url)?.end();
  readers.delete(url);
  altered.delete(url);
  await toServer(`drop database if exists ${new URL(url).pathname.slice(1)} with (force)`);
}

/** Bytes of rows above which a database is dropped, because deleting leaves them on the disk. */
const LARGEST = 4_000_000;
const READER = 'reader of the tests';

const EMPTYING = `
  select pg_terminate_backend(pid, 10000) from pg_stat_activity
    where datname = current_database() and backend_type = 'client backend' and application_name <> '${READER}';
  set session_replication_role = replica;
  ${tableNames.map((name) => `delete from ${name}`).join(';\n')};
  set session_replication_role = origin;
  select setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
    from pg_sequences where last_value is not null;
  select sum(pg_table_size(oid))::int as size from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'`;

async function giveBack(url: string): Promise<void> {
  if (!altered.has(url) && (await emptied(url)) < LARGEST) returned.push(url);
  else await removeDatabase(url);
}

/** Deletes all rows, and resolves with the bytes that the tables still take; with infinity if the database is gone. */
async function emptied(url: string): Promise<number> {
  try {
    const results = (await readerOf(url).query(EMPTYING)) as unknown as { rows: { size: number }[] }[];
    return results.at(-1)?.rows[0]?.size ?? Infinity;
  } catch (error) {
    const isGone = error instanceof Error && 'code' in error && error.code === '3D000';
    if (isGone) return Infinity;
    throw error;
  }
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

/** The driver's own parsers, except that an integer of 8 bytes becomes a number, as on SQLite. */
const TYPES = {
  getTypeParser: ((...wanted: Parameters<typeof types.getTypeParser>) =>
    wanted[0] === types.builtins.INT8
      ? Number
      : (types.getTypeParser(...wanted) as (text: string) => unknown)) as typeof types.getTypeParser,
};

const readers = new Map<string, Pool>();

/** The connections on which tests read a PostgreSQL database. They are kept: to connect takes longer than most queries. */
export function readerOf(url: string): Pool {
  const known = readers.get(url);
  if (known !== undefined) return known;
  const pool = new Pool({
    connectionString: url,
    types: TYPES,
    application_name: READER,
    idleTimeoutMillis: 20_000,
    allowExitOnIdle: true,
  });
  // Tests of outages end all connections.
  pool.on('error', () => undefined);
  readers.set(url, pool);
  return pool;
}
