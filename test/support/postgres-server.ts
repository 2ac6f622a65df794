import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import type { TestProject } from 'vitest/node';
import { databaseAt, startPostgres } from '../../bench/embedded-postgres.mjs';
import { openDatabase } from '../../server/database/index.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of the server's database `postgres`, as a role that may make databases. */
    postgres: string;
    /** How the names of this run's databases begin. */
    postgresPrefix: string;
    /** How to copy a database, at the end of `create database`: by files, which takes half the time of the default. */
    postgresCopy: '' | 'strategy file_copy';
  }
}

/** The database that each test's database is a copy of: the current schema, without rows. */
export const TEMPLATE = 'latchkey_template';

/**
 * Starts a PostgreSQL for all tests of this run, or uses the server at LATCHKEY_TEST_POSTGRES, whose role must be allowed to
 * make databases.
 */
export default async function setUp({ provide }: TestProject): Promise<() => Promise<void>> {
  const { url, stop } = await serverForTests();
  const admin = new Client(url);
  // If the run is interrupted, the server stops while this client is connected.
  admin.on('error', () => undefined);
  await admin.connect();
  await admin.query(`drop database if exists ${TEMPLATE} with (force)`);
  await admin.query(`create database ${TEMPLATE} template template0 encoding 'UTF8'`);
  const database = await openDatabase(databaseAt(url, TEMPLATE));
  await database.close();
  provide('postgres', url);
  const prefix = `test_${randomUUID().slice(0, 8)}_`;
  provide('postgresPrefix', prefix);
  // PostgreSQL 14 knows no other way.
  const { rows } = await admin.query<{ version: number }>(
    `select current_setting('server_version_num')::int as version`,
  );
  provide('postgresCopy', (rows[0]?.version ?? 0) >= 150_000 ? 'strategy file_copy' : '');
  return async () => {
    const { rows: left } = await admin.query<{ name: string }>(
      'select datname as name from pg_database where starts_with(datname, $1)',
      [prefix],
    );
    for (const { name } of [...left, { name: TEMPLATE }]) {
      await admin.query(`drop database if exists ${name} with (force)`);
    }
    await admin.end();
    await stop();
  };
}

export { databaseAt };

async function serverForTests(): Promise<{ url: string; stop(): Promise<void> }> {
  const given = process.env['LATCHKEY_TEST_POSTGRES'] ?? '';
  if (given !== '') return { url: given, stop: () => Promise.resolve() };
  return await startPostgres({
    max_connections: '300',
    // No test on this server is about durability.
    fsync: 'off',
    full_page_writes: 'off',
    wal_level: 'minimal',
    max_wal_senders: '0',
    checkpoint_timeout: '1h',
    // The log may be in memory.
    max_wal_size: '128MB',
    min_wal_size: '32MB',
    autovacuum: 'off',
    shared_buffers: '64MB',
    timezone: 'Asia/Kolkata',
  });
}
