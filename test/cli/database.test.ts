import {
  copyFileSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import SqliteDriver from 'better-sqlite3';
import { beforeEach, describe, expect, test } from 'vitest';
import { createAccessToken, getMe, revokeAccessToken } from '../../generated/index.js';
import { BROKEN_ROWS } from '../support/broken-rows.js';
import {
  clientOf,
  type Finished,
  latchkey,
  logInTo,
  newFolder,
  type Serving,
  serveDatabase,
} from '../support/process.js';
import { answered } from '../support/service.js';

const RELEASED = 'test/database/released/0.1.0.sqlite';

let folder: string;
let database: string;

beforeEach(async () => {
  folder = await newFolder();
  database = join(folder, 'latchkey.db');
});

function run(...args: string[]): Promise<Finished> {
  return latchkey(args, { env: { LATCHKEY_DATABASE: database } });
}

async function stop({ child, finished }: Serving): Promise<void> {
  child.kill('SIGTERM');
  expect((await finished).code).toBe(0);
}

/** A running service with a token that is kept and one that is revoked. */
async function serveTokens() {
  const serving = await serveDatabase(database);
  const { client } = await logInTo(serving.url);
  const create = (name: string) => answered(createAccessToken({ client, body: { name } }));
  const [kept, revoked] = [await create('kept'), await create('revoked')];
  await revokeAccessToken({ client, path: { token_id: revoked.token.id }, throwOnError: true });
  return { serving, client, create, kept: kept.plaintext, revoked: revoked.plaintext };
}

let stopped: Promise<{ file: Buffer; kept: string }> | undefined;

/** The same, made once, after the service has stopped. */
async function stoppedTokens(): Promise<string> {
  stopped ??= serveTokens().then(async ({ serving, kept }) => {
    await stop(serving);
    return { file: readFileSync(database), kept };
  });
  const { file, kept } = await stopped;
  writeFileSync(database, file);
  return kept;
}

async function statusOf({ url }: Serving, token: string): Promise<number> {
  return (await getMe({ client: clientOf(url, token) })).response.status;
}

function write(statements: string, path = database): void {
  const connection = new SqliteDriver(path);
  connection.pragma('foreign_keys = off');
  connection.exec(statements);
  connection.close();
}

describe('latchkey backup', () => {
  test('copies what a running service has answered, to a file of mode 0600 that is whole by itself', async () => {
    const { serving, kept, revoked } = await serveTokens();
    const copy = join(folder, 'copy.db');
    const { code, stdout, stderr } = await latchkey(['backup', copy, '--database', database], {
      prefix: ['sh', '-c', 'umask 000 && exec "$@"', 'sh'],
    });
    expect(stderr).toBe('');
    const figures = /^backed up \S+latchkey\.db to \S+copy\.db: 1 user, 3 tokens, \d+ kB in \d+\.\d s\n$/;
    expect(stdout).toMatch(figures);
    expect(code).toBe(0);
    expect((statSync(copy).mode & 0o777).toString(8)).toBe('600');
    expect(readdirSync(folder).filter((name) => name.startsWith('copy'))).toEqual(['copy.db']);
    await stop(serving);

    const restored = await serveDatabase(copy);
    expect(await statusOf(restored, kept)).toBe(200);
    expect(await statusOf(restored, revoked)).toBe(401);
  });

  test('of a database that nobody has open, and of one of an earlier version, is the same', async () => {
    copyFileSync(RELEASED, database);
    expect(await run('backup', join(folder, 'copy.db'))).toMatchObject({ code: 0, stderr: '' });
    const { stdout } = await run('check', '--database', join(folder, 'copy.db'), '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      whole: true,
      schema: '0001-tokens',
      rows: { access_tokens: 6, users: 2 },
    });
  });

  test('overwrites nothing', async () => {
    const { serving } = await serveTokens();
    const precious = join(folder, 'precious.txt');
    writeFileSync(precious, 'precious');
    symlinkSync(database, join(folder, 'link.db'));
    const refusals = [
      [precious, `${precious} exists already; a backup overwrites nothing`],
      [database, `${database} is the database itself`],
      [join(folder, 'link.db'), `${join(folder, 'link.db')} is the database itself`],
      [`${database}-journal`, `SQLite uses the name ${database}-journal for a file of the database itself`],
    ] as const;
    const before = readdirSync(folder);
    for (const [file, reason] of refusals) {
      expect(await run('backup', file)).toEqual({ code: 1, stdout: '', stderr: `latchkey: ${reason}\n` });
    }
    expect(readFileSync(precious, 'utf8')).toBe('precious');
    expect(readdirSync(folder)).toEqual(before);
    await stop(serving);
  });

  test('of a damaged database ends with code 1 and leaves no copy', async () => {
    await stoppedTokens();
    damage(database, 5);
    const { code, stdout, stderr } = await run('backup', join(folder, 'copy.db'));
    expect(stderr).toMatch(/^latchkey: the copy of database \S+ is not whole: [^\n]+\n$/);
    expect([code, stdout]).toEqual([1, '']);
    expect(readdirSync(folder).filter((name) => name.startsWith('copy'))).toEqual([]);
  });

  test('of no database, or to no folder, says so', async () => {
    const nothing = await run('backup', join(folder, 'copy.db'));
    expect(nothing).toEqual({ code: 2, stdout: '', stderr: `latchkey: there is no database ${database}\n` });
    copyFileSync(RELEASED, database);
    const nowhere = await run('backup', join(folder, 'missing', 'copy.db'));
    expect(nowhere.stderr).toMatch(/^latchkey: cannot write \S+: there is no folder \S+missing\n$/);
    expect(nowhere.code).toBe(1);
  });
});

describe('latchkey restore', () => {
  test('where there is no database puts the backup there, and a service starts on it', async () => {
    const { serving, kept, revoked } = await serveTokens();
    const copy = join(folder, 'copy.db');
    await run('backup', copy);
    const elsewhere = join(folder, 'elsewhere.db');
    const { code, stdout, stderr } = await run('restore', copy, '--database', elsewhere);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^restored \S+elsewhere\.db from \S+copy\.db: 1 user, 3 tokens, \d+ kB in \d+\.\d s\n$/);
    expect(code).toBe(0);
    expect((statSync(elsewhere).mode & 0o777).toString(8)).toBe('600');
    expect(readdirSync(folder).filter((name) => name.startsWith('elsewhere'))).toEqual(['elsewhere.db']);
    await stop(serving);

    const restored = await serveDatabase(elsewhere);
    expect(await statusOf(restored, kept)).toBe(200);
    expect(await statusOf(restored, revoked)).toBe(401);
  });

  test('replaces a database with --force alone, and keeps that whole under another name', async () => {
    const { serving, create, kept } = await serveTokens();
    const copy = join(folder, 'copy.db');
    await run('backup', copy);
    const later = await create('later');
    // Killed, so that what came last is in the log alone.
    serving.child.kill('SIGKILL');
    await serving.finished;

    const refused = await run('restore', copy);
    expect(refused.stderr).toBe(
      `latchkey: there is a database ${database} already; --force replaces it, and keeps it\n`,
    );
    expect(refused.code).toBe(1);
    const { code, stdout } = await run('restore', copy, '--force');
    expect(stdout).toMatch(/^restored [^\n]+\nthe replaced database is kept as \S+latchkey\.db\.replaced-1\n$/);
    expect(code).toBe(0);
    const names = ['copy.db', 'latchkey.db', 'latchkey.db.replaced-1'];
    expect(readdirSync(folder).sort()).toEqual(names);

    const restored = await serveDatabase(database);
    expect(await statusOf(restored, kept)).toBe(200);
    expect(await statusOf(restored, later.plaintext)).toBe(401);
    const replaced = await serveDatabase(`${database}.replaced-1`);
    for (const token of [kept, later.plaintext]) expect(await statusOf(replaced, token)).toBe(200);
    await stop(restored);
    await run('restore', copy, '--force');
    expect(existsSync(`${database}.replaced-2`)).toBe(true);
  });

  test('follows a link to the database, and refuses to restore a database onto itself', async () => {
    await stoppedTokens();
    const [copy, link] = [join(folder, 'copy.db'), join(folder, 'link.db')];
    await run('backup', copy);
    symlinkSync(database, link);
    expect(await run('restore', copy, '--force', '--database', link)).toMatchObject({ code: 0, stderr: '' });
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(existsSync(`${database}.replaced-1`)).toBe(true);
    const { code, stderr } = await run('restore', link, '--force');
    expect(stderr).toBe(`latchkey: ${link} is the database itself\n`);
    expect(code).toBe(1);
  });

  test('refuses while a service runs on the database, which serves on', async () => {
    const { serving, kept, create } = await serveTokens();
    await run('backup', join(folder, 'copy.db'));
    const before = readdirSync(folder);
    const { code, stdout, stderr } = await run('restore', join(folder, 'copy.db'), '--force');
    expect(stderr).toBe(`latchkey: database ${database} is in use by another process; stop the service first\n`);
    expect([code, stdout]).toEqual([1, '']);
    expect(readdirSync(folder)).toEqual(before);
    const { plaintext } = await create('afterwards');
    for (const token of [kept, plaintext]) expect(await statusOf(serving, token)).toBe(200);
  });

  test('replaces a database that is too damaged to be opened, and keeps all of it', async () => {
    const kept = await stoppedTokens();
    const copy = join(folder, 'copy.db');
    await run('backup', copy);
    damage(database, 0);
    const damaged = readFileSync(database);
    expect(await run('restore', copy, '--force')).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(`${database}.replaced-1`).equals(damaged)).toBe(true);
    expect(await statusOf(await serveDatabase(database), kept)).toBe(200);
  });

  const spoilt: [what: string, spoil: (file: string) => void, reason: RegExp][] = [
    [
      'a damaged backup',
      (file) => {
        damage(file, 5);
      },
      /cannot be restored/,
    ],
    [
      'a text',
      (file) => {
        writeFileSync(file, 'precious '.repeat(1_000));
      },
      /file is not a database/,
    ],
    [
      'a foreign database',
      (file) => {
        write('pragma application_id = 7', file);
      },
      /not one of Latchkey's/,
    ],
    [
      'a backup of a newer version',
      (file) => {
        write("insert into kysely_migration values ('9999-new', '2040')", file);
      },
      /newer version of Latchkey \(it has 9999-new\)/,
    ],
  ];
  test.each(spoilt)('of %s ends with code 1, and the database stays', async (_, spoil, reason) => {
    const kept = await stoppedTokens();
    const copy = join(folder, 'copy.db');
    await run('backup', copy);
    spoil(copy);
    const before = readdirSync(folder);
    const { code, stdout, stderr } = await run('restore', copy, '--force');
    expect(stderr).toMatch(reason);
    expect([code, stdout]).toEqual([1, '']);
    expect(readdirSync(folder)).toEqual(before);
    expect(await statusOf(await serveDatabase(database), kept)).toBe(200);
  });
});

describe('latchkey check', () => {
  test('finds a database whole while a service runs on it, and counts its rows', async () => {
    await serveTokens();
    const { code, stdout, stderr } = await run('check');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^\S+latchkey\.db is whole: \d+ kB, schema \d{4}-[a-z-]+\n/);
    expect(stdout).toMatch(/^ {2}access_tokens +3$/m);
    expect(stdout).toMatch(/^ {2}users +1$/m);
  });

  test('says what the next start will do with an earlier version, and changes nothing', async () => {
    copyFileSync(RELEASED, database);
    const before = readFileSync(database);
    const { code, stdout } = await run('check');
    expect(stdout).toMatch(/schema 0001-tokens$/m);
    expect(stdout).toMatch(/^the next start runs the pending migrations: 0002-life-cycle, 0003-scopes-and-finding/m);
    expect(code).toBe(0);
    expect(readFileSync(database).equals(before)).toBe(true);
  });

  test.each([
    ...BROKEN_ROWS,
    ['an index that is gone', 'drop index access_tokens_by_name', 'missing: index access_tokens_by_name'],
    ['a table that is gone', 'drop table refresh_tokens', 'missing: table refresh_tokens'],
  ])('finds %s, and ends with code 1', async (_, statements, fault) => {
    await stoppedTokens();
    write(statements);
    const { code, stdout, stderr } = await run('check', '--json');
    const report = JSON.parse(stdout) as { whole: boolean; faults: string[] };
    expect(report.whole).toBe(false);
    expect(report.faults).toContainEqual(typeof fault === 'string' ? fault : expect.stringMatching(fault));
    expect([code, stderr]).toEqual([1, '']);
  });

  test('finds a damaged page, and a file that was cut short', async () => {
    await stoppedTokens();
    const whole = readFileSync(database);
    damage(database, 5);
    const damaged = await run('check');
    expect(damaged.stdout).toMatch(/^\S+latchkey\.db has \d+ faults?:\n {2}\S/);
    expect([damaged.code, damaged.stderr]).toEqual([1, '']);
    writeFileSync(database, whole.subarray(0, -1));
    const { code, stdout } = await run('check');
    expect(stdout).toContain('it was cut short');
    expect(code).toBe(1);
  });

  test('of a database in memory ends with code 2', async () => {
    const { code, stderr } = await run('check', '--database', ':memory:');
    expect(stderr).toBe('latchkey: this command needs a database in a file, not in memory\n');
    expect(code).toBe(2);
  });
});

/** Overwrites the page of this number, counted from 0. */
function damage(path: string, page: number): void {
  const file = readFileSync(path);
  file.fill(0xff, page * 4_096, (page + 1) * 4_096);
  writeFileSync(path, file);
}
