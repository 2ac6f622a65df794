import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { databaseAt, type RunningPostgres, startPostgres } from '../../bench/embedded-postgres.mjs';
import { createAccessToken } from '../../generated/index.js';
import { openDatabase } from '../../server/database/index.js';
import { checkDatabase, type DatabaseReport } from '../../server/index.js';
import { BROKEN_ROWS } from '../support/broken-rows.js';
import { newDatabase } from '../support/databases.js';
import { latchkey, logOf, serveDatabase } from '../support/process.js';
import { answered, startService } from '../support/service.js';
import { change, rowsOf } from '../support/store.js';

/** A database with three tokens of one user, which each test copies. */
let filled: { database: string; remove(): Promise<void> };

beforeAll(async () => {
  filled = await newDatabase('');
  const ends: (() => Promise<void>)[] = [];
  const service = await startService({ database: filled.database }, (end) => ends.push(end));
  const { client } = await service.admin();
  for (const name of ['a', 'b']) await answered(createAccessToken({ client, body: { name } }));
  for (const end of ends) await end();
});

afterAll(() => filled.remove());

async function copyOfFilled(): Promise<string> {
  const name = `check_${randomUUID().replaceAll('-', '')}`;
  const server = { database: inject('postgres') };
  await change(server, `create database ${name} template ${new URL(filled.database).pathname.slice(1)}`);
  onTestFinished(() => change(server, `drop database ${name} with (force)`));
  return databaseAt(server.database, name);
}

/** The tests' server does without flushes. */
async function faultsOf(database: string): Promise<string[]> {
  const { faults } = await checkDatabase(database);
  return faults.filter((fault) => !fault.startsWith('fsync is off'));
}

describe('the rows and the schema', () => {
  test('of a service that runs have no fault, and are counted', async () => {
    const service = await startService();
    await service.admin();
    expect(await faultsOf(service.database)).toEqual([]);
    expect(await checkDatabase(service.database)).toMatchObject({
      schema: expect.stringMatching(/^\d{4}-[a-z-]+$/) as string,
      pending: [],
      rows: { users: 1, access_tokens: 1, memberships: 0 },
    });
  });

  test.each(BROKEN_ROWS)('with %s have that fault', async (_, statements, fault) => {
    const database = await copyOfFilled();
    await change({ database }, `set session_replication_role = replica; ${statements}`);
    expect(await faultsOf(database)).toContainEqual(typeof fault === 'string' ? fault : expect.stringMatching(fault));
  });

  const BROKEN_SCHEMA: [what: string, statement: string, fault: RegExp][] = [
    ['an index that is gone', 'drop index access_tokens_by_name', /^missing: index access_tokens_by_name$/],
    ['a table that is gone', 'drop table refresh_tokens', /^missing: table refresh_tokens$/],
    ['a column that is gone', 'alter table users drop column search', /^missing: column users.search$/],
    [
      'a column of another type',
      'alter table access_tokens alter column version type integer',
      /^different: column access_tokens.version is integer not null, and must be bigint not null$/,
    ],
    [
      'a column in the order of a language',
      'alter table jobs alter column cursor type text',
      /^different: column jobs.cursor is text collate "default", and must be text collate "C"$/,
    ],
    [
      'a reference that is not enforced',
      'alter table identities drop constraint identities_user_id_fkey',
      /^missing: constraint identities_user_id_fkey$/,
    ],
    [
      'an index over other columns',
      'drop index access_tokens_by_name; create index access_tokens_by_name on access_tokens (owner_id, id)',
      /^different: index access_tokens_by_name is CREATE INDEX .*\(owner_id, id\), and must be CREATE INDEX .*\(owner_id, name, id\)$/,
    ],
    [
      'an index that is not valid',
      "update pg_index set indisvalid = false where indexrelid = 'access_tokens_by_use'::regclass",
      /^different: index access_tokens_by_use is .* that is not valid, and must be /,
    ],
    [
      'a table that a crash empties',
      'alter table idempotent_answers set unlogged',
      /^table idempotent_answers is unlogged: a crash of PostgreSQL empties it$/,
    ],
  ];
  test.each(BROKEN_SCHEMA)('with %s have that fault', async (_, statement, fault) => {
    const database = await copyOfFilled();
    await change({ database }, statement);
    expect(await faultsOf(database)).toContainEqual(expect.stringMatching(fault));
  });

  test('of a newer version, and of another program, have that fault', async () => {
    const database = await copyOfFilled();
    await change({ database }, "insert into latchkey_migrations values ('9999-new', 0)");
    expect(await faultsOf(database)).toEqual([
      'it was written by a newer version of Latchkey (it has 9999-new); upgrade Latchkey',
    ]);
    await change({ database }, 'drop schema public cascade; create schema public; create table users (id int)');
    expect(await faultsOf(database)).toEqual(['the schema public has no tables of Latchkey']);
  });

  test('are not changed by a check', async () => {
    const database = await copyOfFilled();
    const catalog = `select relname, relfilenode from pg_class where relkind in ('r', 'i') order by 1`;
    const before = await rowsOf({ database }, catalog);
    await checkDatabase(database);
    expect(await rowsOf({ database }, catalog)).toEqual(before);
  });
});

describe('the settings of a server of its own', () => {
  let server: RunningPostgres;
  beforeAll(async () => {
    server = await startPostgres({ max_connections: '20', shared_buffers: '16MB' });
  });
  afterAll(() => server.stop());

  async function set(...settings: string[]): Promise<void> {
    const statements = settings.map((setting) => `alter system set ${setting}`);
    await change({ database: server.url }, 'alter system reset all', ...statements, 'select pg_reload_conf()');
    // The server reads them a moment later.
    for (const setting of settings.length > 0 ? settings : ['fsync = on']) {
      const [name, value] = setting.split(' = ');
      const query = `select 1 from pg_settings where name = '${String(name)}' and reset_val = '${String(value)}'`;
      while ((await rowsOf({ database: server.url }, query)).length === 0) await sleep(20);
    }
  }

  function check(...args: string[]) {
    return latchkey(['check', ...args], { env: { LATCHKEY_DATABASE: server.url } });
  }

  test('are without a fault by default, and a fault each where answered changes may be lost', async () => {
    await serveDatabase(server.url);
    const whole = await check();
    expect(whole.stdout).toMatch(
      /^postgres:\/\/tester@127\.0\.0\.1:\d+\/postgres is whole: \d+ kB, schema \d{4}-[a-z-]+\n/,
    );
    expect(whole.stdout).toMatch(/^ {2}users +1$/m);
    expect(whole).toMatchObject({ code: 0, stderr: '' });

    await set(
      'fsync = off',
      'synchronous_commit = off',
      'full_page_writes = off',
      'default_transaction_read_only = on',
    );
    const { code, stdout } = await check('--json');
    const report = JSON.parse(stdout) as DatabaseReport & { whole: boolean };
    expect(code).toBe(1);
    expect(report).toMatchObject({ whole: false, rows: { users: 1 } });
    const faults = ['fsync is off', 'synchronous_commit is off', 'default_transaction_read_only is on'];
    expect(report.faults).toEqual(faults.map((fault) => expect.stringMatching(`^${fault}: `) as string));
    expect(report.warnings).toEqual([expect.stringMatching(/^full_page_writes is off: /)]);

    await set('fsync = off', 'synchronous_commit = off');
    const serving = await serveDatabase(server.url);
    // The address and the log come on two streams.
    await expect
      .poll(() => logOf(serving).filter(({ level }) => level === 40))
      .toMatchObject([{ msg: expect.stringMatching(/^fsync is off: when the machine of PostgreSQL fails/) as string }]);
    await set();
  });

  test('do not matter to a commit of the service where the server would answer before it is on disk', async () => {
    await set('synchronous_commit = off');
    const database = await openDatabase(server.url);
    const { rows } = await database.write((trx) =>
      sql`select current_setting('synchronous_commit') as value`.execute(trx),
    );
    await database.close();
    expect(rows).toEqual([{ value: 'on' }]);
    await set();
  });

  test('are a warning where another process would find too few connections', async () => {
    const env = { LATCHKEY_DATABASE: server.url, LATCHKEY_DATABASE_CONNECTIONS: '15' };
    const { code, stdout } = await latchkey(['check'], { env });
    expect(stdout).toMatch(
      /^ {2}warning: \d+ of 17 connections are in use \(max_connections\): another process of the service may need 17$/m,
    );
    expect(code).toBe(0);
  });
});
