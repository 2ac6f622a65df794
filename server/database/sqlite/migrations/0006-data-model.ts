import { type Kysely, sql } from 'kysely';
import type { Report } from '../../progress.js';

/** Rows that are copied in one statement. */
const CHUNK = 25_000;

/** Whether somebody chose the uuid: it does not begin with `created_at` in 6 bytes, as a uuid of version 7 does. */
const IS_CHOSEN = "hex(substr(uuid, 1, 6)) <> printf('%012X', created_at)";

/** Separates the folded texts of a row. */
const SEPARATOR = '\u001F';

const TOKEN_COLUMNS = `id, uuid, owner_id, type, name, prefix, created_at, expires_at, last_used_at, revoked_at, disabled_at,
  scope_set_id, secret_start, description, metadata, lifetime_from, previous_prefix, previous_valid_until,
  previous_last_used_at`;
const USER_COLUMNS = 'id, organization_id, email, full_name, password_hash, is_admin, created_at, disabled_at';

/** Adds all columns of the data model at once, because each rebuild of the tables takes long. */
export async function up(db: Kysely<unknown>, report: Report = () => Promise.resolve()): Promise<void> {
  await rebuildUsers(db);
  await rebuildTokens(db, report);
  await createTables(db);
}

async function rebuildUsers(db: Kysely<unknown>): Promise<void> {
  await run(
    db,
    `create table new_users (
      id integer primary key autoincrement,
      organization_id integer not null references organizations (id),
      kind text not null,
      email text unique,
      external_id text,
      full_name text not null,
      password_hash text,
      is_admin integer not null,
      created_at integer not null,
      disabled_at integer,
      search text
    )`,
    `insert into new_users (${USER_COLUMNS}, kind) select ${USER_COLUMNS}, 'person' from users order by id`,
  );
  await fillSearch(db, 'new_users', ['full_name', 'email'], 0);
  await replace(db, 'users');
  await run(
    db,
    `create unique index users_by_external_id on users (organization_id, external_id) where external_id is not null`,
  );
}

async function rebuildTokens(db: Kysely<unknown>, report: Report): Promise<void> {
  await run(
    db,
    `create table new_access_tokens (
      id integer primary key autoincrement,
      uuid blob not null,
      organization_id integer not null,
      owner_id integer not null references users (id),
      type text not null,
      name text not null,
      prefix text not null,
      created_at integer not null,
      expires_at integer,
      last_used_at integer,
      revoked_at integer,
      disabled_at integer,
      scope_set_id integer not null,
      version integer not null,
      secret_start blob,
      description text,
      metadata text,
      lifetime_from integer,
      previous_prefix text,
      previous_valid_until integer,
      previous_last_used_at integer,
      search text,
      settings text,
      created_by integer references users (id),
      created_with integer references new_access_tokens (id),
      revoked_by integer references users (id),
      revoked_reason text
    )`,
  );
  await copyTokens(db, report);
  await replace(db, 'access_tokens');
  const indexes = [
    `create unique index access_tokens_by_chosen_uuid on access_tokens (uuid) where ${IS_CHOSEN}`,
    'create index access_tokens_by_owner on access_tokens (owner_id, created_at)',
    'create index access_tokens_by_name on access_tokens (owner_id, name)',
    'create index access_tokens_by_expiry on access_tokens (owner_id, coalesce(expires_at, 9007199254740991))',
    'create index access_tokens_by_use on access_tokens (owner_id, coalesce(last_used_at, 0))',
  ];
  const isEmpty = (await countOf(db, 'access_tokens')) === 0;
  for (const [done, index] of indexes.entries()) {
    if (!isEmpty) await report({ step: 'indexes made', done, total: indexes.length });
    await run(db, index);
  }
}

async function copyTokens(db: Kysely<unknown>, report: Report): Promise<void> {
  const total = await countOf(db, 'access_tokens');
  for (let done = 0, last = 0; done < total; ) {
    await report({ step: 'tokens copied', done, total });
    const { numAffectedRows } = await sql`
      insert into new_access_tokens (${sql.raw(TOKEN_COLUMNS)}, organization_id, version)
      select ${sql.raw(TOKEN_COLUMNS)}, (select organization_id from users where users.id = owner_id), 1
      from access_tokens where id > ${last} order by id limit ${CHUNK}
    `.execute(db);
    await fillSearch(db, 'new_access_tokens', ['name', 'description'], last);
    const { rows } = await sql<{ id: number }>`select max(id) as id from new_access_tokens`.execute(db);
    done += Number(numAffectedRows);
    last = rows[0]?.id ?? total;
  }
}

/** Fills `search` in the rows with an id above `after`. It stays null if both texts are ASCII: a byte for each character. */
async function fillSearch(db: Kysely<unknown>, table: string, columns: [string, string], after: number): Promise<void> {
  const [first, second] = columns.map((column) => sql.ref(column));
  const { rows } = await sql<{ id: number; first: string; second: string }>`
    select id, ${first} as first, coalesce(${second}, '') as second from ${sql.table(table)}
    where id > ${after} and (length(${first}) <> length(cast(${first} as blob))
      or length(${second}) <> length(cast(${second} as blob)))
  `.execute(db);
  if (rows.length === 0) return;
  const found = rows.map(({ id, first, second }) => [
    id,
    [first, second].map((text) => text.toUpperCase()).join(SEPARATOR),
  ]);
  await sql`
    update ${sql.table(table)} set search = found.value ->> 1 from json_each(${JSON.stringify(found)}) as found
    where ${sql.table(table)}.id = found.value ->> 0
  `.execute(db);
}

async function createTables(db: Kysely<unknown>): Promise<void> {
  await run(
    db,
    `create table memberships (
      organization_id integer not null references organizations (id),
      user_id integer not null references users (id),
      role text not null,
      created_at integer not null,
      primary key (organization_id, user_id)
    ) without rowid`,
    'create index memberships_by_user on memberships (user_id)',
    `create table identities (
      issuer text not null,
      subject text not null,
      user_id integer not null references users (id),
      created_at integer not null,
      primary key (issuer, subject)
    ) without rowid`,
    'create index identities_by_user on identities (user_id)',
    `create table jobs (
      name text not null primary key,
      claimed_until integer not null,
      cursor text
    ) without rowid`,
  );
}

/** Gives the new table the name and the highest id of the old one, so that no id is ever given again. */
async function replace(db: Kysely<unknown>, table: string): Promise<void> {
  await run(
    db,
    `delete from sqlite_sequence where name = 'new_${table}'`,
    `insert into sqlite_sequence (name, seq) select 'new_${table}', seq from sqlite_sequence where name = '${table}'`,
    `drop table ${table}`,
    `alter table new_${table} rename to ${table}`,
  );
}

async function countOf(db: Kysely<unknown>, table: string): Promise<number> {
  const { rows } = await sql<{ rows: number }>`select count(*) as rows from ${sql.table(table)}`.execute(db);
  return rows[0]?.rows ?? 0;
}

async function run(db: Kysely<unknown>, ...statements: string[]): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
