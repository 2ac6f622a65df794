import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import SqliteDriver from 'better-sqlite3';
import { Client } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createAccessToken, getMe, listAccessTokens, refreshSession } from '../../generated/index.js';
import { TABLES, type TableName, tableNames } from '../../server/database/tables.js';
import { newDatabase } from '../support/databases.js';
import { blockBehind } from '../support/documents.js';
import { type Clients, fillEveryColumn } from '../support/every-row.js';
import { send } from '../support/http.js';
import { latchkey, latchkeyStarted, newFolder } from '../support/process.js';
import { answered, type Service, startService } from '../support/service.js';
import { change, rowsOf } from '../support/store.js';
import { hasTerminal, latchkeyOnTerminal } from '../support/terminal.js';

// A database is copied between the engines, and no client notices.

type Engine = 'SQLite' | 'PostgreSQL';

/** A database without a row on PostgreSQL; on SQLite the path of a file that is not there. */
async function emptyDatabase(engine: Engine): Promise<string> {
  if (engine === 'SQLite') return join(await newFolder(), 'latchkey.db');
  const { database, remove } = await newDatabase('');
  onTestFinished(remove);
  return database;
}

async function withoutTables(database: string): Promise<string> {
  await rowsOf({ database }, 'drop schema public cascade; create schema public');
  return database;
}

function copy(from: string, to: string, ...more: string[]) {
  return latchkey(['copy', '--from', from, '--to', to, ...more]);
}

function tableRows(database: string, name: TableName) {
  return rowsOf({ database }, `select * from ${name} order by ${TABLES[name].key.join(', ')}`);
}

async function rowCount(database: string): Promise<number> {
  let count = 0;
  for (const name of tableNames) if (!TABLES[name].hasRowsAtFirst) count += (await tableRows(database, name)).length;
  return count;
}

async function filled(engine: Engine): Promise<{ database: string; clients: Clients }> {
  const service = await startService({ database: await emptyDatabase(engine) });
  const clients = await fillEveryColumn(service);
  await service.stop();
  // A running service acts on a report at once.
  await change(
    service,
    `insert into leak_reports (received_at, address, user_agent, request_id, source, url, digests)
      select 1, '203.0.113.7', 'scanner', 'id', 'paste', 'https://paste.example.org', uuid from organizations where id = 1`,
    `insert into outgoing_mails (message_id, owner_id, subject, text, tries, created_at, due_at)
      values ('id', 1, 'Grüße', 'text', 1, 1, 1)`,
  );
  return { database: service.database, clients };
}

async function expectNothingNoticed(service: Service, clients: Clients): Promise<void> {
  const statusOf = async (token: string) => (await getMe({ client: service.as(token) })).response.status;
  for (const token of clients.accepted) expect(await statusOf(token)).toBe(200);
  for (const token of clients.refused) expect(await statusOf(token)).toBe(401);

  const { token, key, json, answer } = clients.repeated;
  const headers = { 'Idempotency-Key': key };
  expect((await send(service, 'POST /api/v1/access-tokens', { token, json, headers })).text).toBe(answer);
  const query = { limit: 2, includeRevoked: true, cursor: clients.cursor };
  const { items } = await answered(listAccessTokens({ client: service.as(token), query }));
  expect(items.map(({ id }) => id)).toEqual(clients.secondPage);

  const session = await answered(
    refreshSession({ client: service.anonymous, body: { refresh_token: clients.refreshToken } }),
  );
  expect(await statusOf(session.access_token)).toBe(200);
  await answered(createAccessToken({ client: service.as(token), body: { name: 'new' } }));
  const [{ id } = {}] = await rowsOf(service, 'select max(id) as id from access_tokens');
  expect(id).toBe(clients.highestId + 1);
}

test.each<[Engine, Engine]>([
  ['SQLite', 'PostgreSQL'],
  ['PostgreSQL', 'SQLite'],
])('everything goes along from %s to %s, and back', async (from, to) => {
  const { database: original, clients } = await filled(from);
  for (const name of tableNames) {
    const rows = await tableRows(original, name);
    for (const column of Object.keys(TABLES[name].columns)) {
      expect(
        rows.some((row) => row[column] !== null),
        `${name}.${column}`,
      ).toBe(true);
    }
  }
  const database = await emptyDatabase(to);
  if (to === 'PostgreSQL') await withoutTables(database);
  const again = await emptyDatabase(from);
  for (const [source, target] of [
    [original, database],
    [database, again],
  ] as const) {
    const { code, stdout, stderr } = await copy(source, target);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /^copied \S+ to \S+ in \d+\.\d s; the rows of both are the same, by their number and a digest:\n/,
    );
    expect(stdout).toMatch(/^ {2}users +6$/m);
    expect(stdout).not.toMatch(/password(%20| )of/);
    for (const name of tableNames) expect(await tableRows(target, name)).toEqual(await tableRows(original, name));
  }
  for (const copied of [database, again]) await expectNothingNoticed(await startService({ database: copied }), clients);
});

test.each<[Engine, Engine]>([
  ['SQLite', 'SQLite'],
  ['PostgreSQL', 'PostgreSQL'],
])('a copy from %s to %s is the same, and may have the digest of each table', async (from, to) => {
  const { database } = await filled(from);
  const target = await emptyDatabase(to);
  const { code, stdout } = await copy(database, target, '--json');
  expect(code).toBe(0);
  const { tables } = JSON.parse(stdout) as { tables: Record<string, { rows: number; digest: string }> };
  expect(Object.keys(tables)).toEqual(tableNames);
  for (const name of tableNames) {
    const rows = await tableRows(target, name);
    expect(rows).toEqual(await tableRows(database, name));
    expect(tables[name]).toEqual({ rows: rows.length, digest: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
  }
});

/** Makes PostgreSQL run `body` before it inserts a row into `table`. */
async function beforeInsert(database: string, table: TableName, body: string): Promise<void> {
  await change(
    { database },
    `create function slow() returns trigger language plpgsql as $$ begin ${body}; return new; end $$`,
    `create trigger slow before insert on ${table} for each row execute function slow()`,
  );
}

async function untilInserting(database: string, table: TableName): Promise<void> {
  const query = `select 1 from pg_stat_activity where datname = current_database() and state = 'active'
    and query like 'insert into ${table} %'`;
  while ((await rowsOf({ database }, query)).length === 0) await sleep(20);
}

test('the guide shows what a copy prints', async () => {
  const service = await startService({ database: await emptyDatabase('SQLite') });
  const { client } = await service.admin();
  await answered(createAccessToken({ client, body: { name: 'kept' } }));
  await service.stop();
  const target = await emptyDatabase('PostgreSQL');
  const cwd = dirname(service.database);
  const { stdout } = await latchkey(['copy', '--from', 'latchkey.db', '--to', target], { cwd });
  const [command = '', ...printed] = blockBehind('copy', 'text').split('\n');
  expect(command).toMatch(/^\$ latchkey copy --from latchkey\.db --to postgres:\S+$/);
  const masked = (text: string) => text.replace(/postgres:\S+/, 'URL').replace(/\d+\.\d s/, 'TIME');
  expect(masked(stdout)).toBe(masked(printed.join('\n')));
});

test.runIf(hasTerminal)('a terminal shows how far a copy is', async () => {
  const { database } = await filled('SQLite');
  const target = await emptyDatabase('PostgreSQL');
  await beforeInsert(target, 'jobs', 'perform pg_sleep(1)');
  const { code, output } = await latchkeyOnTerminal(['copy', '--from', database, '--to', target]);
  expect(output).toMatch(/copying \[=+ *\] +\d+ % {2}\d+ of \d+ rows {2}jobs/);
  expect(output).toMatch(/\r\u001B\[Kcopied /);
  expect(code).toBe(0);
});

describe('what is written meanwhile', () => {
  test.each<Engine>(['SQLite', 'PostgreSQL'])('is not in the copy of a database on %s', async (engine) => {
    const service = await startService({ database: await emptyDatabase(engine) });
    const { client } = await service.admin();
    await answered(createAccessToken({ client, body: { name: 'before' } }));
    const target = await emptyDatabase('PostgreSQL');
    await beforeInsert(target, 'organizations', 'perform pg_sleep(1)');
    const copying = copy(service.database, target);
    await untilInserting(target, 'organizations');
    await answered(createAccessToken({ client, body: { name: 'meanwhile' } }));
    expect(await copying).toMatchObject({ code: 0, stderr: '' });
    const tokens = await tableRows(target, 'access_tokens');
    expect(tokens.map(({ name }) => name)).toEqual(['session', 'before']);
    expect(await tableRows(target, 'token_secrets')).toHaveLength(2);
  });
});

describe('a copy that does not come to its end leaves no row', () => {
  test.each<[NodeJS.Signals, number | null, RegExp]>([
    ['SIGINT', 130, /^latchkey: interrupted: postgres:\S+ has no rows\n$/],
    ['SIGKILL', null, /^$/],
  ])('after %s', async (signal, exitCode, message) => {
    const { database } = await filled('SQLite');
    const target = await emptyDatabase('PostgreSQL');
    await beforeInsert(target, 'jobs', 'perform pg_sleep(1)');
    const { child, finished } = latchkeyStarted(['copy', '--from', database, '--to', target], {});
    await untilInserting(target, 'jobs');
    child.kill(signal);
    const { code, stdout, stderr } = await finished;
    expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' });
    expect(stderr).toMatch(message);
    expect(await rowCount(target)).toBe(0);
    await rowsOf({ database: target }, 'drop trigger slow on jobs');
    expect(await copy(database, target)).toMatchObject({ code: 0 });
  });

  test('after SIGKILL in a file', async () => {
    const { database } = await filled('PostgreSQL');
    const target = await emptyDatabase('SQLite');
    const { child, finished } = latchkeyStarted(['copy', '--from', database, '--to', target], {});
    while (!existsSync(`${target}-wal`)) await sleep(1);
    child.kill('SIGKILL');
    await finished;
    const repeated = await copy(database, target);
    // It may have been killed a moment after its commit.
    if (repeated.code !== 0) expect(repeated.stderr).toMatch(/is not empty/);
    expect(await tableRows(target, 'access_tokens')).toEqual(await tableRows(database, 'access_tokens'));
  });

  const NOT_TAKEN: [what: string, spoil: string, reason: RegExp][] = [
    [
      'a row without the row that it refers to',
      'delete from users where id = 2',
      /was not copied to \S+, which has no rows: .*violates foreign key/,
    ],
    [
      'a text in place of an instant',
      "update users set created_at = 'yesterday' where id = 2",
      /a row of users has a created_at that is not an integer below 2\^53/,
    ],
    [
      'a text that PostgreSQL cannot store',
      "update users set full_name = 'a' || char(0) where id = 2",
      /a row of users has a full_name that is not a text without the character U\+0000/,
    ],
  ];
  test.each(NOT_TAKEN)('of %s', async (_, spoil, reason) => {
    const { database } = await filled('SQLite');
    const connection = new SqliteDriver(database);
    connection.pragma('foreign_keys = off');
    connection.exec(spoil);
    connection.close();
    const target = await emptyDatabase('PostgreSQL');
    const { code, stdout, stderr } = await copy(database, target);
    expect(stderr).toMatch(reason);
    expect(stderr).toMatch(/^latchkey: [^\n]+\n$/);
    expect([code, stdout]).toEqual([1, '']);
    expect(await rowCount(target)).toBe(0);
  });

  test.each<Engine>(['SQLite', 'PostgreSQL'])('where %s stores something else', async (engine) => {
    const { database } = await filled('SQLite');
    const target = await emptyDatabase(engine);
    if (engine === 'PostgreSQL') await beforeInsert(target, 'users', "new.full_name := 'other'");
    else {
      expect(await latchkey(['migrate', '--database', target])).toMatchObject({ code: 0 });
      await change(
        { database: target },
        "create trigger other after insert on users begin update users set full_name = 'other' where id = new.id; end",
      );
    }
    const { code, stdout, stderr } = await copy(database, target);
    expect(stderr).toMatch(/^latchkey: the rows of users in \S+ differ from those of \S+; no row was kept\n$/);
    expect([code, stdout]).toEqual([1, '']);
    expect(await rowCount(target)).toBe(0);
  });
});

describe('latchkey copy', () => {
  test.each<Engine>(['SQLite', 'PostgreSQL'])(
    'refuses a target on %s that has rows, and one that is in use',
    async (engine) => {
      const { database } = await filled('SQLite');
      const service = await startService({ database: await emptyDatabase(engine) });
      await service.admin();
      await expect.poll(() => rowsOf(service, 'select seq from audit_heads')).toHaveLength(1);
      const before = await rowCount(service.database);
      const full = await copy(database, service.database);
      expect(full.stderr).toMatch(/^latchkey: database \S+ is not empty: it has rows of organizations\n$/);
      expect([full.code, full.stdout]).toEqual([1, '']);
      expect(await rowCount(service.database)).toBe(before);

      const target = await emptyDatabase(engine);
      expect(await latchkey(['migrate'], { env: { LATCHKEY_DATABASE: target } })).toMatchObject({ code: 0 });
      const release = await lockedByAnother(target, engine);
      const used = await copy(database, target);
      expect(used.stderr).toMatch(/^latchkey: database \S+ is in use by another process\n$/);
      expect([used.code, used.stdout]).toEqual([1, '']);
      await release();
      expect(await copy(database, target)).toMatchObject({ code: 0 });
    },
  );

  test('refuses a source of an earlier version, and makes no target', async () => {
    const folder = await newFolder();
    const [source, target] = [join(folder, 'old.db'), join(folder, 'new.db')];
    await copyFile('test/database/released/0.1.0.sqlite', source);
    const { code, stderr } = await copy(source, target);
    expect(stderr).toBe(`latchkey: database ${source} lacks migrations: run latchkey migrate\n`);
    expect(code).toBe(1);
    expect(existsSync(target)).toBe(false);
    const empty = await withoutTables(await emptyDatabase('PostgreSQL'));
    expect(await copy(empty, target)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^latchkey: database postgres:\S+ lacks migrations/) as string,
    });
    expect(existsSync(target)).toBe(false);
  });

  test('reads the password of a URL without one from a file', async () => {
    const { database } = await filled('SQLite');
    const target = new URL(await emptyDatabase('PostgreSQL'));
    const file = join(dirname(database), 'password');
    writeFileSync(file, `${decodeURIComponent(target.password)}\n`);
    const own = target.href;
    target.password = '';
    const env = { LATCHKEY_DATABASE_PASSWORD_FILE: file };
    const args = ['copy', '--from', database, '--to', target.href];
    expect(await latchkey(args, { env })).toMatchObject({ code: 0, stderr: '' });
    writeFileSync(file, 'of another server');
    const back = ['copy', '--from', own, '--to', join(dirname(database), 'back.db')];
    expect(await latchkey(back, { env })).toMatchObject({ code: 0, stderr: '' });
  });

  const WRONG: [what: string, from: string, to: string, sentence: RegExp][] = [
    ['a source that is not there', 'none.db', 'new.db', /^latchkey: there is no database none\.db\n$/],
    [
      'a source in memory',
      ':memory:',
      'new.db',
      /^latchkey: --from must be a lasting database, and not one in memory\n$/,
    ],
    ['a target in memory', 'a.db', ':memory:', /^latchkey: --to must be a lasting database, and not one in memory\n$/],
    ['one database twice', 'a.db', './a.db', /^latchkey: --from and --to are the same database\n$/],
    ['a malformed URL', 'a.db', 'postgres://a:secret@127.0.0.1/a?sslmode=prefer', /^latchkey: --to must be .*\n$/],
  ];
  test.each(WRONG)('ends with code 2 for %s', async (_, from, to, sentence) => {
    const cwd = await newFolder();
    writeFileSync(join(cwd, 'a.db'), '');
    const { code, stdout, stderr } = await latchkey(['copy', '--from', from, '--to', to], { cwd });
    expect(stderr).toMatch(sentence);
    expect(stderr).not.toContain('secret');
    expect([code, stdout]).toEqual([2, '']);
    expect(readdirSync(cwd)).toEqual(['a.db']);
  });
});

async function lockedByAnother(database: string, engine: Engine): Promise<() => Promise<void>> {
  if (engine === 'SQLite') {
    const connection = new SqliteDriver(database);
    connection.exec('begin immediate');
    return () => Promise.resolve(void connection.close());
  }
  const client = new Client(database);
  await client.connect();
  await client.query('begin; select 1 from users for update; lock table users in row exclusive mode');
  return () => client.end();
}

test.each<Engine>(['SQLite', 'PostgreSQL'])('the list of tables is the schema on %s', async (engine) => {
  const database = await emptyDatabase(engine);
  expect(await latchkey(['migrate'], { env: { LATCHKEY_DATABASE: database } })).toMatchObject({ code: 0 });
  const listed = tableNames.map((name) => {
    const { key, columns, givesIds = false } = TABLES[name];
    return [name, { key: [...key].sort(), columns: Object.keys(columns).sort(), givesIds }];
  });
  expect(Object.fromEntries(listed)).toEqual(await schemaOf(database, engine));
});

interface TableShape {
  key: string[];
  columns: string[];
  givesIds: boolean;
}

/** Each table but those that say which migrations were run. */
async function schemaOf(database: string, engine: Engine): Promise<Record<string, TableShape>> {
  const rows = await rowsOf(
    { database },
    engine === 'SQLite'
      ? `select object.name as "table", found.name as "column", found.pk > 0 as in_key,
          object.sql like '%autoincrement%' and found.pk > 0 as is_given
        from sqlite_schema as object, pragma_table_info(object.name) as found
        where object.type = 'table' and object.name not like 'sqlite%' and object.name not like 'kysely%'`
      : `select found.table_name as "table", column_name as "column", is_identity = 'YES' as is_given, exists (
          select 1 from pg_index where indisprimary and indrelid = found.table_name::regclass
            and found.ordinal_position = any(indkey)) as in_key
        from information_schema.columns as found
        where table_schema = 'public' and table_name <> 'latchkey_migrations'`,
  );
  const tables: Record<string, TableShape> = {};
  for (const row of rows) {
    const shape = (tables[String(row['table'])] ??= { key: [], columns: [], givesIds: false });
    shape.columns.push(String(row['column']));
    if (Boolean(row['in_key'])) shape.key.push(String(row['column']));
    shape.givesIds ||= Boolean(row['is_given']);
  }
  for (const shape of Object.values(tables)) for (const names of [shape.key, shape.columns]) names.sort();
  return tables;
}
