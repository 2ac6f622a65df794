import { type Kysely, sql } from 'kysely';
import type { Client } from 'pg';
import { performanceNow, sleep } from '../../timers.js';
import type { OpenOptions } from '../database.js';
import { type Migrations, toMigrations } from '../migration.js';
import { type MigrationProgress, reportTo } from '../progress.js';
import { needsMigration, UnusableDatabase } from '../unusable.js';
import { kyselyOver } from './dialect.js';
import { toFault } from './faults.js';
import { migrations } from './migrations/index.js';
import { requireFit, warnOfSettings } from './server-settings.js';
import { connect, cut, type PostgresSettings, WITHOUT_TIMEOUT } from './session.js';

/** The key of the advisory lock, "LKEY" in ASCII. One process at a time migrates a database. */
const LOCK = 0x4c4b4559;
/** The most milliseconds that a start waits for another process that migrates. */
const LONGEST = 15 * 60_000;
const BETWEEN_NOTICES = 5_000;
/**
 * Lifts the limits of ordinary statements for a migration, which may take longer. They are set only for the transaction,
 * because behind a pooler others use its session next.
 */
const FOR_A_MIGRATION = [
  'set local statement_timeout to 0',
  'set local lock_timeout to 0',
  'set local idle_in_transaction_session_timeout to 0',
];

/**
 * Runs the missing migrations in one transaction, under an advisory lock: if several processes start on one database, one
 * process migrates and the others wait. If no migration is missing, no process waits. Rejects with `UnusableDatabase` if the
 * server is too old or the schema too new, and if a migration is missing and `migrate` is `never`.
 */
export async function migrate(
  settings: PostgresSettings,
  { onWait = ignore, onProgress = ignore, onWarning = ignore, migrate: when = 'start' }: OpenOptions,
): Promise<void> {
  const client = await connect(settings);
  try {
    await requireFit(client);
    if ((await pendingOf(client, settings)).length > 0) {
      if (when === 'never') throw needsMigration(settings.shown);
      await client.query(`begin; ${FOR_A_MIGRATION.join(';')}; set local search_path to "${settings.schema}"`);
      await takeLock(client, onWait);
      await runPending(client, settings, onProgress);
      await client.query({ text: 'commit', ...WITHOUT_TIMEOUT });
    }
    await warnOfSettings(client, onWarning);
  } catch (error) {
    throw toFault(error);
  } finally {
    // The end of the session rolls an open transaction back and releases the lock.
    cut(client);
  }
}

function ignore(): void {
  // The caller gave no callback.
}

export async function migrationsOf(client: Client, { schema }: PostgresSettings): Promise<Migrations> {
  const { rows: tables } = await client.query('select 1 from pg_tables where schemaname = $1 and tablename = $2', [
    schema,
    'latchkey_migrations',
  ]);
  if (tables.length === 0) return toMigrations([], migrations);
  const { rows } = await client.query<{ name: string }>('select name from latchkey_migrations order by name');
  return toMigrations(
    rows.map(({ name }) => name),
    migrations,
  );
}

/** The migrations that the database lacks. Rejects with `UnusableDatabase` if it has one that this program does not know. */
export async function pendingOf(client: Client, settings: PostgresSettings): Promise<string[]> {
  const { pending, unknown } = await migrationsOf(client, settings);
  const [newer] = unknown;
  if (newer === undefined) return pending;
  throw new UnusableDatabase(
    `the database was written by a newer version of Latchkey (it has migration ${newer}); upgrade Latchkey`,
  );
}

/**
 * Takes the lock until the transaction ends. Asks for it repeatedly, because a query that waits in the server cannot call
 * `onWait`.
 */
async function takeLock(client: Client, onWait: () => void): Promise<void> {
  const start = performanceNow();
  let noticeAt = start + 1_000;
  for (;;) {
    const { rows } = await client.query<{ taken: string }>('select pg_try_advisory_xact_lock($1)::text as taken', [
      LOCK,
    ]);
    if (rows[0]?.taken === 'true') return;
    const now = performanceNow();
    if (now - start > LONGEST)
      throw new UnusableDatabase('another process has been changing the schema for 15 minutes');
    if (now >= noticeAt) {
      noticeAt = now + BETWEEN_NOTICES;
      onWait();
    }
    await sleep(100);
  }
}

async function runPending(
  client: Client,
  settings: PostgresSettings,
  onProgress: (progress: MigrationProgress) => void,
): Promise<void> {
  const { schema } = settings;
  // `create schema` needs a right that the role may lack, even if the schema exists.
  const { rows } = await client.query('select 1 from pg_namespace where nspname = $1', [schema]);
  if (rows.length === 0) await client.query(`create schema "${schema}"`);
  await client.query(
    'create table if not exists latchkey_migrations (name text collate "C" primary key, applied_at bigint not null)',
  );
  const db = kyselyOver(
    async ({ sql: text, parameters }) =>
      await client.query({ text, values: parameters as unknown[], ...WITHOUT_TIMEOUT }),
  );
  for (const name of await pendingOf(client, settings)) {
    await migrations[name]?.up(db as Kysely<unknown>, reportTo(onProgress, name));
    await sql`insert into latchkey_migrations values (${name}, extract(epoch from clock_timestamp()) * 1000)`.execute(
      db,
    );
  }
}
