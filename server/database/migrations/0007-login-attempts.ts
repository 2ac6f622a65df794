import { type Kysely, sql } from 'kysely';
import type { Migration, SharedMigration } from '../migration.js';

const BY_EXPIRY = 'create index login_attempts_by_expiry on login_attempts (expires_at)';

const sqlite: Migration = {
  async up(db) {
    await run(
      db,
      `create table login_attempts (
        key blob not null primary key,
        failed integer not null,
        under_way integer not null,
        expires_at integer not null
      ) without rowid`,
      BY_EXPIRY,
    );
  },
};

const postgres: Migration = {
  async up(db) {
    await run(
      db,
      // Unlogged, so that a guess waits for no disk. After a crash of the server the table is empty.
      `create unlogged table login_attempts (
        key bytea primary key,
        failed bigint not null,
        under_way bigint not null,
        expires_at bigint not null
      )`,
      BY_EXPIRY,
    );
  },
};

export const loginAttempts: SharedMigration = { sqlite, postgres };

async function run(db: Kysely<unknown>, ...statements: string[]): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
