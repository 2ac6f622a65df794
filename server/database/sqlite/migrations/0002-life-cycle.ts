import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const [column, type] of [
    ['description', 'text'],
    ['metadata', 'text'],
    ['disabled_at', 'integer'],
    ['lifetime_from', 'integer'],
    ['secret_start', 'blob'],
    ['previous_prefix', 'text'],
    ['previous_valid_until', 'integer'],
    ['previous_last_used_at', 'integer'],
  ] as const) {
    await db.schema.alterTable('access_tokens').addColumn(column, type).execute();
  }
  // Starts from the secrets: they find their tokens by a key, but tokens have no index to their newest secrets.
  await sql`
    update access_tokens set secret_start = substr(secret.digest, 1, 4)
    from token_secrets as secret where secret.token_id = access_tokens.id and secret.valid_until is null
  `.execute(db);

  // A refresh no longer needs this column: it finds the secret that it supersedes as a rotation does.
  await db.schema.alterTable('refresh_tokens').dropColumn('access_digest').execute();

  await db.schema
    .createTable('idempotent_answers')
    .addColumn('id', 'blob', (column) => column.notNull().primaryKey())
    .addColumn('sealed', 'blob', (column) => column.notNull())
    .addColumn('expires_at', 'integer', (column) => column.notNull())
    .modifyEnd(sql`without rowid`)
    .execute();
  await db.schema.createIndex('idempotent_answers_by_expiry').on('idempotent_answers').column('expires_at').execute();
}
