import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('organizations')
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('uuid', 'blob', (column) => column.notNull().unique())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('slug', 'text', (column) => column.notNull().unique())
    .addColumn('created_at', 'integer', (column) => column.notNull())
    .execute();

  await db.schema
    .createTable('users')
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('organization_id', 'integer', (column) => column.notNull().references('organizations.id'))
    .addColumn('email', 'text', (column) => column.notNull().unique())
    .addColumn('full_name', 'text', (column) => column.notNull())
    .addColumn('password_hash', 'text', (column) => column.notNull())
    .addColumn('is_admin', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'integer', (column) => column.notNull())
    .addColumn('disabled_at', 'integer')
    .execute();

  // With `autoincrement`, SQLite never gives an id again, even if the row with the highest id is gone.
  await db.schema
    .createTable('access_tokens')
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('uuid', 'blob', (column) => column.notNull().unique())
    .addColumn('owner_id', 'integer', (column) => column.notNull().references('users.id'))
    .addColumn('type', 'text', (column) => column.notNull().check(sql`type in ('pat', 'session')`))
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('prefix', 'text', (column) => column.notNull())
    .addColumn('created_at', 'integer', (column) => column.notNull())
    .addColumn('expires_at', 'integer')
    .addColumn('last_used_at', 'integer')
    .addColumn('revoked_at', 'integer')
    .execute();
  await db.schema
    .createIndex('access_tokens_by_owner')
    .on('access_tokens')
    .columns(['owner_id', 'created_at', 'id'])
    .execute();

  await db.schema
    .createTable('token_secrets')
    .addColumn('digest', 'blob', (column) => column.notNull().primaryKey())
    .addColumn('token_id', 'integer', (column) => column.notNull().references('access_tokens.id'))
    .addColumn('valid_until', 'integer')
    .modifyEnd(sql`without rowid`)
    .execute();
  // The index leaves out the newest secrets, which are nearly all rows: no query needs them in it.
  await db.schema
    .createIndex('superseded_secrets_by_token')
    .on('token_secrets')
    .columns(['token_id', 'valid_until'])
    .where('valid_until', 'is not', null)
    .execute();

  await db.schema
    .createTable('refresh_tokens')
    .addColumn('digest', 'blob', (column) => column.notNull().primaryKey())
    .addColumn('token_id', 'integer', (column) => column.notNull().references('access_tokens.id'))
    .addColumn('access_digest', 'blob', (column) => column.notNull())
    .addColumn('expires_at', 'integer', (column) => column.notNull())
    .addColumn('spent_at', 'integer')
    .modifyEnd(sql`without rowid`)
    .execute();
  await db.schema
    .createIndex('refresh_tokens_by_token')
    .on('refresh_tokens')
    .columns(['token_id', 'expires_at'])
    .execute();
}
