import { createHash } from 'node:crypto';
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import SqliteDriver from 'better-sqlite3';
import { expect, test } from 'vitest';
import { getMe } from '../../generated/index.js';
import { withChecksum } from '../support/plaintext.js';
import { clientOf, latchkey, latchkeyUntilKilled, logOf, newFolder, serve } from '../support/process.js';
import { FULL, milliseconds, publish } from './figures.js';

const RELEASED = 'test/database/released/0.1.0.sqlite';
const TOKENS = FULL ? 1_000_000 : 30_000;
const KILLS = FULL ? 20 : 4;
const WAITING = 'waiting for another process that migrates the database';

test('a start waits longer than any request for a process that visibly migrates, and says so', {
  timeout: 60_000,
}, async () => {
  const database = join(await newFolder(), 'latchkey.db');
  copyFileSync(RELEASED, database);
  const other = new SqliteDriver(database);
  other.pragma('journal_mode = wal');
  // So that changes reach the log before they are committed, as those of a large migration do.
  other.pragma('cache_size = 10');
  other.exec('begin immediate; create table migrated (padding)');
  const starting = serve({ LATCHKEY_DATABASE: database });
  const insert = other.prepare('insert into migrated values (zeroblob(100000))');
  const end = performance.now() + 7_000;
  while (performance.now() < end) {
    insert.run();
    await sleep(250);
  }
  other.exec('rollback');
  other.close();
  const serving = await starting;
  expect(logOf(serving)).toContainEqual(expect.objectContaining({ level: 40, msg: WAITING }));
  expect((await latchkey(['check', '--database', database])).code).toBe(0);
});

test('three starts at once on a large file of an earlier version all serve', { timeout: 600_000 }, async () => {
  const { database, plaintexts } = await largeFile();
  const start = performance.now();
  const all = await Promise.all(
    Array.from({ length: 3 }, async () => {
      const serving = await serve({ LATCHKEY_DATABASE: database });
      return { serving, took: performance.now() - start };
    }),
  );
  for (const { serving } of all) {
    for (const plaintext of plaintexts) expect(await statusOf(serving.url, plaintext)).toBe(200);
  }
  const slowest = Math.max(...all.map(({ took }) => took));
  publish(
    'starts',
    `three starts at once on ${String(TOKENS)} tokens of 0.1.0, all serve after`,
    milliseconds(slowest),
  );
  expect((await latchkey(['check', '--database', database])).code).toBe(0);
});

test('kill -9 in the middle of a large migration leaves a file that the next start completes', {
  timeout: 1_200_000,
}, async () => {
  const { database, plaintexts } = await largeFile();
  const original = `${database}.original`;
  copyFileSync(database, original);
  let inTheMiddle = 0;
  for (let round = 0; round < KILLS; round++) {
    const env = { LATCHKEY_DATABASE: database, LATCHKEY_PORT: '0' };
    const seen = { migrating: false };
    const moment = async () => {
      seen.migrating = await isMigrating(database);
      await sleep(Math.random() * (TOKENS / 200));
    };
    await latchkeyUntilKilled(moment, ['serve'], { env });
    if (isMigrated(database)) {
      for (const ending of ['', '-wal', '-shm']) rmSync(database + ending, { force: true });
      copyFileSync(original, database);
    } else if (seen.migrating) inTheMiddle++;
  }
  const serving = await serve({ LATCHKEY_DATABASE: database });
  for (const plaintext of plaintexts) expect(await statusOf(serving.url, plaintext)).toBe(200);
  const { code, stdout } = await latchkey(['check', '--json', '--database', database]);
  expect(JSON.parse(stdout)).toMatchObject({ whole: true, pending: [], faults: [] });
  expect(code).toBe(0);
  publish('starts', 'kills in the middle of a migration, then a start', `${String(inTheMiddle)} of ${String(KILLS)}`);
  expect(inTheMiddle).toBeGreaterThan(0);
});

/** Resolves with true when a process holds the write lock, which for one that starts means that it migrates. */
async function isMigrating(database: string): Promise<boolean> {
  const connection = new SqliteDriver(database, { timeout: 0 });
  try {
    for (const end = performance.now() + 20_000; performance.now() < end; ) {
      connection.exec('begin immediate; rollback');
      await sleep(3);
    }
    return false;
  } catch (error) {
    expect(error).toMatchObject({ code: 'SQLITE_BUSY' });
    return true;
  } finally {
    connection.close();
  }
}

function isMigrated(database: string): boolean {
  const connection = new SqliteDriver(database, { readonly: true });
  try {
    return connection.prepare('select count(*) > 1 from kysely_migration').pluck().get() === 1;
  } finally {
    connection.close();
  }
}

/** A file of the earliest version with many tokens, some of which are known. */
async function largeFile(): Promise<{ database: string; plaintexts: string[] }> {
  const database = join(await newFolder(), 'latchkey.db');
  copyFileSync(RELEASED, database);
  const plaintexts = ['first', 'second', 'third'].map((name) => withChecksum(`lk_pat_${name.padEnd(30, '0')}`));
  const connection = new SqliteDriver(database);
  connection.pragma('synchronous = off');
  const owner = connection.prepare('select min(id) from users where disabled_at is null').pluck().get();
  const digests = plaintexts.map((plaintext) => createHash('sha256').update(plaintext).digest());
  connection.exec('begin; create temp table known (number integer, digest blob)');
  const known = connection.prepare('insert into known values (?, ?)');
  for (const [index, digest] of digests.entries()) known.run(index, digest);
  connection
    .prepare(
      `with recursive numbers (number) as (select 0 union all select number + 1 from numbers where number < ? - 1)
       insert into access_tokens (id, uuid, owner_id, type, name, prefix, created_at)
       select 1000 + number, randomblob(16), ?, 'pat', 'token ' || number, 'lk_pat_00000', 1000 + number from numbers`,
    )
    .run(TOKENS, owner);
  connection.exec(`insert into token_secrets (digest, token_id)
    select coalesce(known.digest, randomblob(32)), id from access_tokens left join known on known.number = id - 1000
    where id >= 1000; commit`);
  connection.close();
  return { database, plaintexts };
}

async function statusOf(url: string, token: string): Promise<number> {
  return (await getMe({ client: clientOf(url, token) })).response.status;
}
