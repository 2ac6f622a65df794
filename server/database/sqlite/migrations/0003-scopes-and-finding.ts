import { type Kysely, sql } from 'kysely';

/** The scopes of all tokens from before there were scopes. */
const BEFORE_SCOPES = ['tokens:read', 'tokens:verify', 'tokens:write'];

export async function up(db: Kysely<unknown>): Promise<void> {
  // Nearly all tokens have one of a few sets of scopes. The id of a set instead of its words saves a fifth of a row.
  await db.schema
    .createTable('scope_sets')
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('scopes', 'text', (column) => column.notNull().unique())
    .execute();
  await db.schema
    .createTable('scope_set_members')
    .addColumn('scope', 'text', (column) => column.notNull())
    .addColumn('scope_set_id', 'integer', (column) => column.notNull().references('scope_sets.id'))
    .addPrimaryKeyConstraint('scope_set_members_key', ['scope', 'scope_set_id'])
    .modifyEnd(sql`without rowid`)
    .execute();
  await sql`insert into scope_sets (id, scopes) values (1, ${sql.lit(BEFORE_SCOPES.join(' '))})`.execute(db);
  for (const scope of BEFORE_SCOPES) {
    await sql`insert into scope_set_members (scope, scope_set_id) values (${sql.lit(scope)}, 1)`.execute(db);
  }
  await db.schema
    .alterTable('access_tokens')
    .addColumn('scope_set_id', 'integer', (column) => column.notNull().defaultTo(1))
    .execute();

  // One index for each order of the list, so that no query sorts the owner's rows.
  await sql`create index access_tokens_by_name on access_tokens (owner_id, name, id)`.execute(db);
  await sql`
    create index access_tokens_by_expiry on access_tokens (owner_id, coalesce(expires_at, 9007199254740991), id)
  `.execute(db);
  await sql`create index access_tokens_by_use on access_tokens (owner_id, coalesce(last_used_at, 0), id)`.execute(db);
}
