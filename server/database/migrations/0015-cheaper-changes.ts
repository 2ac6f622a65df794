import { type Kysely, sql } from 'kysely';
import type { SharedMigration } from '../migration.js';

/** The columns of tokens that name a user. */
const COLUMNS = ['owner_id', 'created_by', 'revoked_by'];

/** An index that a revocation leaves as it is. */
async function replaceIndex(db: Kysely<unknown>, columns: string): Promise<void> {
  await sql`drop index access_tokens_by_end`.execute(db);
  await sql`create index access_tokens_by_end on access_tokens (${sql.raw(columns)})
    where type = 'pat' and expires_at is not null`.execute(db);
}

/**
 * Takes work from each change of a token. The index of tokens that expire contains the revoked ones as well. On PostgreSQL
 * tokens no longer have foreign keys to users, because each one that changes costs a query and a lock of the user's row: a
 * third of the time of a transfer. Users are never deleted, and `latchkey check` looks at the rows. The ids in an event of a
 * thousand tokens are not compressed any more.
 */
export const cheaperChanges: SharedMigration = {
  sqlite: { up: (db) => replaceIndex(db, 'expires_at') },
  postgres: {
    async up(db) {
      await replaceIndex(db, 'expires_at, id');
      await sql`alter table audit_events alter column changes set storage external`.execute(db);
      for (const column of COLUMNS)
        await sql`alter table access_tokens drop constraint ${sql.ref(`access_tokens_${column}_fkey`)}`.execute(db);
    },
  },
};
