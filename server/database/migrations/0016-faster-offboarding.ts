import { type Kysely, sql } from 'kysely';
import type { SharedMigration } from '../migration.js';

/** The sessions of an owner who has many tokens besides. */
async function addSessionIndex(db: Kysely<unknown>, columns: string): Promise<void> {
  await sql`create index sessions_by_owner on access_tokens (${sql.raw(columns)}) where type = 'session'`.execute(db);
}

/** An offboarding under way begins at the first token again, and finds only those that are left. */
async function renameReached(db: Kysely<unknown>): Promise<void> {
  for (const [before, after] of [
    ['before_at', 'reached_at'],
    ['before_id', 'reached_id'],
  ] as const) {
    await sql`alter table offboardings rename column ${sql.ref(before)} to ${sql.ref(after)}`.execute(db);
  }
  await sql`update offboardings set reached_at = null, reached_id = null`.execute(db);
}

/**
 * Offboardings change the oldest tokens first: PostgreSQL writes an index in a fifth less time where each entry comes behind
 * the one before. It also finds out faster whether somebody chose the uuid of a token, which each change asks.
 */
export const fasterOffboarding: SharedMigration = {
  sqlite: {
    async up(db) {
      await renameReached(db);
      await addSessionIndex(db, 'owner_id, created_at');
    },
  },
  postgres: {
    async up(db) {
      await renameReached(db);
      await addSessionIndex(db, 'owner_id, created_at, id');
      await sql`drop index access_tokens_by_chosen_uuid`.execute(db);
      await sql`create unique index access_tokens_by_chosen_uuid on access_tokens (uuid)
        where substr(uuid, 1, 6) <> substr(int8send(created_at), 3)`.execute(db);
    },
  },
};
