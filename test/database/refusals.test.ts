import { createHash, randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDriver from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { createAccessToken, listAccessTokens } from '../../generated/index.js';
import { canMount, mounting, READ_ONLY } from '../support/namespace.js';
import { latchkey, logInTo, newFolder, serveDatabase } from '../support/process.js';
import { answered } from '../support/service.js';

const PAGE = 4_096;
const TOKENS = 20;

describe('a damaged file', () => {
  const damages: [damage: string, apply: (file: Buffer) => Uint8Array][] = [
    ['its first 16 bytes overwritten', (file) => overwritten(file, [0, 16])],
    ['its header overwritten', (file) => overwritten(file, [0, 100])],
    ['zeros for its header', (file) => Buffer.concat([Buffer.alloc(100), file.subarray(100)])],
    ['the second half of each page overwritten', (file) => overwritten(file, ...halves(file, PAGE / 2))],
    ['the first half of each further page overwritten', (file) => overwritten(file, ...halves(file, 0).slice(1))],
    ['half of it cut off', (file) => file.subarray(0, Math.floor(file.length / 2 / PAGE) * PAGE)],
    ['its last page cut off', (file) => file.subarray(0, -PAGE)],
    ['its last byte cut off', (file) => file.subarray(0, -1)],
    ['all but its first page cut off', (file) => file.subarray(0, PAGE)],
    ['all but half a page cut off', (file) => file.subarray(0, PAGE / 2)],
    ['all but half its header cut off', (file) => file.subarray(0, 50)],
  ];

  test('is served while it has no damage', async () => {
    const { url } = await serveDatabase(await makeDatabase());
    const { client } = await logInTo(url);
    const { items } = await answered(listAccessTokens({ client, query: { tokenType: 'pat' } }));
    expect(items).toHaveLength(TOKENS);
  });

  test('is refused whatever the damage is, and stays as it was', { timeout: 60_000 }, async () => {
    const [original, folder] = [readFileSync(await makeDatabase()), await newFolder()];
    const runs = damages.map(async ([damage, apply], index) => {
      const path = join(folder, `${String(index)}.db`);
      writeFileSync(path, apply(Buffer.from(original)));
      await expectRefusal(path, /is damaged|malformed|is not a database|one of Latchkey's/, damage);
    });
    await Promise.all(runs);
  });
});

describe('what is no Latchkey database', () => {
  test('such as a text file is refused and stays as it was', async () => {
    const path = join(await newFolder(), 'notes.txt');
    writeFileSync(path, 'Not a database, but precious all the same.\n'.repeat(200));
    await expectRefusal(path, /is not a database/);
  });

  test.each(['delete', 'wal'])(
    'such as a foreign SQLite file (journal %s) is refused and stays as it was',
    async (mode) => {
      const path = join(await newFolder(), 'foreign.db');
      const foreign = new SqliteDriver(path);
      foreign.pragma(`journal_mode = ${mode}`);
      foreign.exec("create table users (id integer primary key, name text); insert into users (name) values ('Ada')");
      foreign.close();
      await expectRefusal(path, /is an SQLite database, but not one of Latchkey's/);
    },
  );

  test('such as a folder is refused', async () => {
    const path = join(await newFolder(), 'folder.db');
    mkdirSync(path);
    await expectRefusal(path, /it is not a file/);
    expect(readdirSync(path)).toEqual([]);
  });

  test('such as a device is refused', async () => {
    await expectRefusal('/dev/null', /it is not a file/);
  });
});

test('a database of a newer version is refused with the advice to upgrade, and stays as it was', async () => {
  const path = await makeDatabase();
  const database = new SqliteDriver(path);
  database
    .prepare('insert into kysely_migration (name, timestamp) values (?, ?)')
    .run('9999-not-yet-written', '2040-01-01T00:00:00.000Z');
  database.pragma('wal_checkpoint(TRUNCATE)');
  database.close();
  await expectRefusal(path, /newer version of Latchkey .*9999-not-yet-written.*upgrade Latchkey/);
});

test('a database in a folder that is missing is refused, and the folder is not made', async () => {
  const folder = join(await newFolder(), 'missing');
  const { code, stdout, stderr } = await latchkey(['serve', '--database', join(folder, 'latchkey.db')]);
  expect(stderr).toBe(`latchkey: cannot open database ${join(folder, 'latchkey.db')}: there is no folder ${folder}\n`);
  expect(code).toBe(1);
  expect(stdout).toBe('');
  expect(existsSync(folder)).toBe(false);
});

// Only a mount binds root too; a machine that allows none cannot show this.
describe.skipIf(!canMount)('in a folder that cannot be written', () => {
  test('a new database is refused with the reason', async () => {
    const folder = await newFolder();
    const { code, stdout, stderr } = await latchkey(['serve', '--database', join(folder, 'latchkey.db')], {
      prefix: mounting(READ_ONLY, folder),
    });
    expect(stderr).toMatch(/^latchkey: cannot open database [^\n]*read-only[^\n]*\n$/);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(readdirSync(folder)).toEqual([]);
  });

  test('an existing database is refused with the reason, and stays as it was', async () => {
    const folder = await newFolder();
    const path = join(folder, 'latchkey.db');
    copyFileSync(await makeDatabase(), path);
    const before = fingerprint(path);
    const { code, stdout, stderr } = await latchkey(['serve', '--port', '0', '--database', path], {
      prefix: mounting(READ_ONLY, folder),
    });
    expect(stderr).toMatch(/^latchkey: cannot open database [^\n]+\n$/);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(fingerprint(path)).toEqual(before);
  });
});

test('the database file and what stands beside it are open to their owner alone, whatever the umask', async () => {
  const path = join(await newFolder(), 'latchkey.db');
  await serveDatabase(path, {}, { prefix: ['sh', '-c', 'umask 000 && exec "$@"', 'sh'] });
  for (const file of [path, `${path}-wal`, `${path}-shm`]) {
    expect((statSync(file).mode & 0o777).toString(8), file).toBe('600');
  }
});

/** Makes a database with a user and some tokens, and gives the path of its file, which nobody holds open. */
async function makeDatabase(): Promise<string> {
  const path = join(await newFolder(), 'latchkey.db');
  const serving = await serveDatabase(path);
  const { client } = await logInTo(serving.url);
  for (let index = 0; index < TOKENS; index++) {
    await answered(createAccessToken({ client, body: { name: `token ${String(index)} ${'x'.repeat(200)}` } }));
  }
  serving.child.kill('SIGTERM');
  expect((await serving.finished).code).toBe(0);
  return path;
}

/** Whichever command meets the file ends with code 1 and the reason, without a stack, and leaves it as it was. */
async function expectRefusal(path: string, reason: RegExp, what?: string): Promise<void> {
  const before = fingerprint(path);
  for (const command of [
    ['serve', '--port', '0'],
    ['users', 'list'],
  ]) {
    const { code, stdout, stderr } = await latchkey([...command, '--database', path]);
    expect(stderr, what).toMatch(/^latchkey: /);
    expect(stderr, what).toContain(path);
    expect(stderr, what).not.toMatch(/^ +at /m);
    expect(stderr, what).toMatch(reason);
    expect(code, what).toBe(1);
    expect(stdout, what).toBe('');
    expect(fingerprint(path), what).toEqual(before);
  }
}

function fingerprint(path: string): object {
  const stats = statSync(path);
  const digest = stats.isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : null;
  return { mode: stats.mode, size: stats.size, digest };
}

function overwritten(file: Buffer, ...ranges: [start: number, end: number][]): Buffer {
  for (const [start, end] of ranges) randomBytes(end - start).copy(file, start);
  return file;
}

/** Half of each page, from `offset` in the page on. */
function halves(file: Buffer, offset: number): [start: number, end: number][] {
  const pages = Array.from({ length: file.length / PAGE }, (_, index) => index * PAGE);
  return pages.map((start) => [start + offset, start + offset + PAGE / 2]);
}
