import { Client } from 'pg';
import type { TestProject } from 'vitest/node';
import { databaseAt, startPostgres } from '../../bench/embedded-postgres.mjs';
import { openDatabase } from '../../server/database/index.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of the server's database `postgres`, as a role that may make databases. */
    postgres: string;
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
  // PostgreSQL 14 knows no other way.
  const { rows } = await admin.query<{ version: number }>(
    `select current_setting('server_version_num')::int as version`,
  );
  provide('postgresCopy', (rows[0]?.version ?? 0) >= 150_000 ? 'strategy file_copy' : '');
  return async () => {
    await admin.query(`drop database if exists ${TEMPLATE} with (force)`);
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
    fsync: 'off',
    full_page_writes: 'off',
    shared_buffers: '64MB',
    timezone: 'Asia/Kolkata',
  });
}
