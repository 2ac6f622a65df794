import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { createAccessToken } from '../../generated/index.js';
import { newDatabase } from '../support/databases.js';
import { imitatePostgres } from '../support/postgres-imitation.js';
import { databaseAt } from '../support/postgres-server.js';
import { ADMIN, latchkey, logInTo, newFolder, serveDatabase } from '../support/process.js';
import { change, rowsOf } from '../support/store.js';

// What `latchkey serve` does not start for, a sentence each, and the least that it starts with.

interface Case {
  database: string;
  env?: Record<string, string>;
}

/** The tests' server, asked for a new and empty database. */
async function ownDatabase(): Promise<string> {
  const { database, remove } = await newDatabase('');
  onTestFinished(remove);
  return database;
}

/** A new database with these changes, for a role that owns nothing; the role is gone when the test ends. */
async function asOrdinaryRole(...changes: string[]): Promise<string> {
  const database = await ownDatabase();
  await change({ database }, "create role ordinary login password 'a'", ...changes);
  onTestFinished(async () => {
    await change({ database }, 'drop owned by ordinary', 'drop role ordinary');
  });
  return changed(database, { username: 'ordinary', password: 'a' });
}

function nameOf(url: string): string {
  return new URL(url).pathname.slice(1);
}

function changed(url: string, change: Partial<URL>, parameters = ''): string {
  return Object.assign(new URL(url), change).href + parameters;
}

const SECRET = 'not%20the%20password';

const REFUSALS: [name: string, sentence: RegExp, make: () => Promise<Case>][] = [
  [
    'a wrong password',
    /the user or the password is wrong/,
    async () => ({ database: changed(await ownDatabase(), { password: SECRET }) }),
  ],
  [
    'no password',
    /the user or the password is wrong|the server requires a password, and none is set/,
    async () => ({ database: changed(await ownDatabase(), { password: '' }) }),
  ],
  [
    'a file with the wrong password',
    /the user or the password is wrong/,
    async () => {
      const file = join(await newFolder(), 'password');
      writeFileSync(file, 'not the password\n');
      return { database: await ownDatabase(), env: { LATCHKEY_DATABASE_PASSWORD_FILE: file } };
    },
  ],
  [
    'a file with a password that is not there',
    /the password file \/nowhere cannot be read/,
    async () => ({ database: await ownDatabase(), env: { LATCHKEY_DATABASE_PASSWORD_FILE: '/nowhere' } }),
  ],
  [
    'a database that is not there',
    /there is no such database on that server/,
    () => Promise.resolve({ database: databaseAt(inject('postgres'), 'nowhere') }),
  ],
  [
    'a port where nothing listens',
    /no server listens there/,
    async () => ({ database: changed(await ownDatabase(), { port: '1' }) }),
  ],
  [
    'a host that is not there',
    /there is no such host|the name of the host cannot be resolved/,
    async () => ({ database: changed(await ownDatabase(), { hostname: 'no.such.host.invalid' }) }),
  ],
  [
    'a socket that is not there',
    /there is no such socket or file/,
    async () => ({ database: changed(await ownDatabase(), {}, '?host=/nowhere') }),
  ],
  [
    'TLS that the server does not have',
    /the server has no TLS: use \?sslmode=disable for plain text/,
    async () => ({ database: changed(await ownDatabase(), {}, '?sslmode=verify-full') }),
  ],
  [
    'a root certificate that is not there',
    /the file \/nowhere cannot be read/,
    async () => ({ database: changed(await ownDatabase(), {}, '?sslmode=verify-ca&sslrootcert=/nowhere') }),
  ],
  [
    'a server that is no PostgreSQL',
    /the host does not answer as PostgreSQL does/,
    async () => {
      const other = createServer((socket) => socket.on('error', () => undefined).end());
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
      onTestFinished(() => void other.close());
      const { port } = other.address() as { port: number };
      return { database: `postgres://someone:${SECRET}@127.0.0.1:${String(port)}/a` };
    },
  ],
  [
    'a version before 14',
    /PostgreSQL 13\.21 is too old: it must be 14 or newer/,
    async () => ({
      database: await imitatePostgres(
        (query): Record<string, string> =>
          query.includes('server_version') ? { version: '130021', name: '13.21', encoding: 'UTF8' } : { standby: 'f' },
      ),
    }),
  ],
  [
    'a standby',
    /the server is a standby: use the primary/,
    async () => ({ database: await imitatePostgres(() => ({ standby: 't' })) }),
  ],
  [
    'a newer schema',
    /was written by a newer version of Latchkey \(it has migration 9999-future\); upgrade Latchkey/,
    async () => {
      const database = await ownDatabase();
      await rowsOf({ database }, "insert into latchkey_migrations values ('9999-future', 0)");
      return { database };
    },
  ],
  [
    'another encoding than UTF8',
    /the database has the encoding SQL_ASCII: it must have UTF8/,
    async () => {
      const server = { database: inject('postgres') };
      const [version] = await rowsOf(server, "select current_setting('server_version_num')::int as number");
      // PostgreSQL 14 has no other provider.
      const provider = Number(version?.['number']) < 15_00_00 ? '' : 'locale_provider libc';
      await rowsOf(
        server,
        `create database ascii template template0 encoding 'SQL_ASCII' lc_collate 'C' lc_ctype 'C' ${provider}`,
      );
      onTestFinished(async () => {
        await rowsOf(server, 'drop database ascii with (force)');
      });
      return { database: databaseAt(server.database, 'ascii') };
    },
  ],
  [
    'a role that may make no schema',
    /the user lacks rights, such as to create tables in the schema other/,
    async () => ({ database: await asOrdinaryRole(), env: { LATCHKEY_DATABASE_SCHEMA: 'other' } }),
  ],
  [
    'a role that may make no table',
    /the user lacks rights, such as to create tables in the schema public/,
    () =>
      asOrdinaryRole(
        'drop schema public cascade',
        'create schema public',
        'grant usage on schema public to ordinary',
      ).then((database) => ({ database })),
  ],
  [
    'a role that may read no table',
    /the user lacks rights/,
    async () => ({ database: await asOrdinaryRole(), env: { LATCHKEY_MIGRATE: 'never' } }),
  ],
  [
    'a role that may not connect',
    /the user lacks rights/,
    async () => {
      const database = await asOrdinaryRole();
      await change({ database: inject('postgres') }, `revoke connect on database ${nameOf(database)} from public`);
      return { database };
    },
  ],
];

test.each(REFUSALS)('%s is one sentence, and exit code 1', async (_, sentence, make) => {
  const { database, env } = await make();
  const { code, stdout, stderr } = await latchkey(['serve'], {
    env: { LATCHKEY_PORT: '0', LATCHKEY_DATABASE: database, ...env },
  });
  expect(stderr).toMatch(sentence);
  expect(stderr).toMatch(/^latchkey: .*\n$/);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).not.toMatch(/not(%20| )the(%20| )password|password of tester|password%20of/);
});

test.each([
  ['an unknown sslmode', 'postgres://a:secret@127.0.0.1/a?sslmode=prefer'],
  ['an unknown parameter', 'postgres://a:secret@127.0.0.1/a?ssl=true'],
  ['a certificate without TLS', 'postgres://a:secret@127.0.0.1/a?sslmode=disable&sslrootcert=a'],
  ['no user', 'postgres://127.0.0.1/a'],
  ['one slash', 'postgres:/127.0.0.1/a'],
  ['a port beyond 65535', 'postgres://a:secret@127.0.0.1:65536/a'],
  ['a malformed escape', 'postgres://a:secret%zz@127.0.0.1/a'],
  ['a path in place of a name', 'postgres://a:secret@127.0.0.1/a/b'],
])('a URL with %s is wrong, and exit code 2', async (_, database) => {
  for (const args of [['serve'], ['users', 'list'], ['check']]) {
    const { code, stdout, stderr } = await latchkey(args, { env: { LATCHKEY_DATABASE: database } });
    expect(stderr).toMatch(/^latchkey: LATCHKEY_DATABASE must be a file's path, :memory:, or a URL postgres:.*\n$/);
    expect(stderr).not.toContain('secret');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  }
});

test.each(['backup', 'restore'])('%s says what to use instead, and exit code 2', async (name) => {
  const env = { LATCHKEY_DATABASE: inject('postgres') };
  const { code, stderr } = await latchkey([name, 'a.db'], { env, cwd: await newFolder() });
  expect(stderr).toMatch(/^latchkey: .*pg_dump and pg_restore, or a base backup with WAL archiving\n$/);
  expect(code).toBe(2);
});

const GRANTS = [
  'grant usage on schema public to ordinary',
  'grant select, insert, update, delete on all tables in schema public to ordinary',
  'grant usage on all sequences in schema public to ordinary',
];

test.each([
  ['the owner of its schema', ['create schema own authorization ordinary'], { LATCHKEY_DATABASE_SCHEMA: 'own' }],
  ['one that may only read and write rows, behind LATCHKEY_MIGRATE=never', GRANTS, { LATCHKEY_MIGRATE: 'never' }],
])('an ordinary role serves as %s', async (_, changes, env) => {
  const database = await asOrdinaryRole(...changes);
  const { url } = await serveDatabase(database, env);
  const { client } = await logInTo(url, ADMIN);
  const { response } = await createAccessToken({ client, body: { name: 'a' } });
  expect(response.status).toBe(201);
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
});
