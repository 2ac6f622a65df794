import { type Kysely, sql } from 'kysely';

/** The first bytes of a digest, which are kept. */
const DIGEST_LENGTH = 16;

export async function up(db: Kysely<unknown>): Promise<void> {
  // A new table instead of an update: rows that are inserted in the order of the key fill its pages.
  await db.schema
    .createTable('new_token_secrets')
    .addColumn('digest', 'blob', (column) => column.notNull().primaryKey())
    .addColumn('token_id', 'integer', (column) => column.notNull().references('access_tokens.id'))
    .addColumn('valid_until', 'integer')
    .modifyEnd(sql`without rowid`)
    .execute();
  await sql`
    insert into new_token_secrets (digest, token_id, valid_until)
    select substr(digest, 1, ${sql.lit(DIGEST_LENGTH)}), token_id, valid_until from token_secrets order by digest
  `.execute(db);
  await db.schema.dropTable('token_secrets').execute();
  await db.schema.alterTable('new_token_secrets').renameTo('token_secrets').execute();
  await db.schema
    .createIndex('superseded_secrets_by_token')
    .on('token_secrets')
    .columns(['token_id', 'valid_until'])
    .where('valid_until', 'is not', null)
    .execute();
  await sql`update refresh_tokens set digest = substr(digest, 1, ${sql.lit(DIGEST_LENGTH)})`.execute(db);

  // SQLite adds the row's integer key to each index, so an index that names the key stores it twice.
  for (const [name, column] of [
    ['owner', 'created_at'],
    ['name', 'name'],
    ['expiry', 'coalesce(expires_at, 9007199254740991)'],
    ['use', 'coalesce(last_used_at, 0)'],
  ] as const) {
    await sql`drop index ${sql.ref(`access_tokens_by_${name}`)}`.execute(db);
    await sql`create index ${sql.ref(`access_tokens_by_${name}`)} on access_tokens (owner_id, ${sql.raw(column)})`.execute(
      db,
    );
  }
}
