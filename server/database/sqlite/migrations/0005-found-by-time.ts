import { type Kysely, sql } from 'kysely';

/** Whether somebody chose the uuid: it does not begin with `created_at` in 6 bytes, as a uuid of version 7 does. */
const IS_CHOSEN = sql`hex(substr(uuid, 1, 6)) <> printf('%012X', created_at)`;

const TOKEN_COLUMNS = [
  ...['id', 'uuid', 'owner_id', 'type', 'name', 'prefix', 'created_at', 'expires_at', 'last_used_at', 'revoked_at'],
  ...['description', 'metadata', 'disabled_at', 'lifetime_from', 'secret_start', 'previous_prefix'],
  ...['previous_valid_until', 'previous_last_used_at', 'scope_set_id'],
];
const SECRET_COLUMNS = ['digest', 'token_id', 'valid_until'];
const REFRESH_COLUMNS = ['digest', 'token_id', 'expires_at', 'spent_at'];

/** Replaces the index on all uuids by one on chosen uuids. The owner and the time in it find any other uuid. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // The index belongs to a constraint of the table, so only a new table can be without it. The tables that refer to the
  // old one are replaced too, because a table cannot be dropped while others refer to it.
  await db.schema
    .createTable('new_access_tokens')
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('uuid', 'blob', (column) => column.notNull())
    .addColumn('owner_id', 'integer', (column) => column.notNull().references('users.id'))
    .addColumn('type', 'text', (column) => column.notNull().check(sql`type in ('pat', 'session')`))
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('prefix', 'text', (column) => column.notNull())
    .addColumn('created_at', 'integer', (column) => column.notNull())
    .addColumn('expires_at', 'integer')
    .addColumn('last_used_at', 'integer')
    .addColumn('revoked_at', 'integer')
    .addColumn('description', 'text')
    .addColumn('metadata', 'text')
    .addColumn('disabled_at', 'integer')
    .addColumn('lifetime_from', 'integer')
    .addColumn('secret_start', 'blob')
    .addColumn('previous_prefix', 'text')
    .addColumn('previous_valid_until', 'integer')
    .addColumn('previous_last_used_at', 'integer')
    .addColumn('scope_set_id', 'integer', (column) => column.notNull().defaultTo(1))
    .execute();
  await copyRows(db, 'access_tokens', TOKEN_COLUMNS, 'id');
  // Keep the highest id, so that no id is given again, even if the newest rows are gone.
  await sql`delete from sqlite_sequence where name = 'new_access_tokens'`.execute(db);
  await sql`
    insert into sqlite_sequence (name, seq)
    select 'new_access_tokens', seq from sqlite_sequence where name = 'access_tokens'
  `.execute(db);

  await db.schema
    .createTable('new_token_secrets')
    .addColumn('digest', 'blob', (column) => column.notNull().primaryKey())
    .addColumn('token_id', 'integer', (column) => column.notNull().references('new_access_tokens.id'))
    .addColumn('valid_until', 'integer')
    .modifyEnd(sql`without rowid`)
    .execute();
  await copyRows(db, 'token_secrets', SECRET_COLUMNS, 'digest');

  await db.schema
    .createTable('new_refresh_tokens')
    .addColumn('digest', 'blob', (column) => column.notNull().primaryKey())
    .addColumn('token_id', 'integer', (column) => column.notNull().references('new_access_tokens.id'))
    .addColumn('expires_at', 'integer', (column) => column.notNull())
    .addColumn('spent_at', 'integer')
    .modifyEnd(sql`without rowid`)
    .execute();
  await copyRows(db, 'refresh_tokens', REFRESH_COLUMNS, 'digest');

  for (const table of ['token_secrets', 'refresh_tokens', 'access_tokens']) await db.schema.dropTable(table).execute();
  for (const table of ['access_tokens', 'token_secrets', 'refresh_tokens']) {
    await db.schema.alterTable(`new_${table}`).renameTo(table).execute();
  }

  await sql`create unique index access_tokens_by_chosen_uuid on access_tokens (uuid) where ${IS_CHOSEN}`.execute(db);
  for (const [name, column] of [
    ['owner', 'created_at'],
    ['name', 'name'],
    ['expiry', 'coalesce(expires_at, 9007199254740991)'],
    ['use', 'coalesce(last_used_at, 0)'],
  ] as const) {
    const index = sql.ref(`access_tokens_by_${name}`);
    await sql`create index ${index} on access_tokens (owner_id, ${sql.raw(column)})`.execute(db);
  }
  await db.schema
    .createIndex('superseded_secrets_by_token')
    .on('token_secrets')
    .columns(['token_id', 'valid_until'])
    .where('valid_until', 'is not', null)
    .execute();
  await db.schema
    .createIndex('refresh_tokens_by_token')
    .on('refresh_tokens')
    .columns(['token_id', 'expires_at'])
    .execute();
}

async function copyRows(db: Kysely<unknown>, table: string, columns: string[], key: string): Promise<void> {
  const names = sql.join(columns.map((column) => sql.ref(column)));
  await sql`
    insert into ${sql.table(`new_${table}`)} (${names}) select ${names} from ${sql.table(table)} order by ${sql.ref(key)}
  `.execute(db);
}
