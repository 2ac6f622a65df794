import { join } from 'node:path';
import SqliteDriver from 'better-sqlite3';
import { beforeEach, expect, test } from 'vitest';
import { type Database, openDatabase, type Queries, runPrepared } from '../../server/database/index.js';
import { newFolder } from '../support/process.js';

// On SQLite, the first reads of the requests of one turn share a snapshot. Meanwhile this process and others write.

const insert = (trx: Queries, { scopes }: { scopes: string }) => trx.insertInto('scope_sets').values({ scopes });
const newest = (read: Queries) => read.selectFrom('scope_sets').select('scopes').orderBy('id', 'desc').limit(1);

let db: Database;
let other: SqliteDriver.Database;

beforeEach(async () => {
  const file = join(await newFolder(), 'latchkey.db');
  db = await openDatabase(file);
  other = new SqliteDriver(file);
  return async () => {
    other.close();
    await db.close();
  };
});

const write = (scopes: string) => db.write((trx) => runPrepared(trx, insert, { scopes }));
const writeInOther = (scopes: string) => other.prepare('insert into scope_sets (scopes) values (?)').run(scopes);
const read = async () => (await runPrepared(db.read, newest, {}))[0]?.scopes;

test('reads see what was committed before the call, by this process or another, and nothing later', async () => {
  await write('by this process');
  await expect(reading(read)).resolves.toBe('by this process');
  writeInOther('by another');
  const reads: Promise<unknown>[] = [];
  db.readTogether(() => {
    reads.push(read());
    writeInOther('meanwhile');
    reads.push(read());
  });
  reads.push(read());
  expect(await Promise.all(reads)).toEqual(['by another', 'by another', 'meanwhile']);
});

test('reads during a write of this process do not see its changes', async () => {
  await write('committed');
  const seen = await db.write(async (trx) => {
    await runPrepared(trx, insert, { scopes: 'uncommitted' });
    return await reading(read);
  });
  expect(seen).toBe('committed');
  expect(await reading(read)).toBe('uncommitted');
});

test('a write that begins among the reads is committed', async () => {
  await reading(() => write('written'));
  expect(await read()).toBe('written');
});

test('reads that throw, or are nested, leave no snapshot behind', async () => {
  expect(() => {
    db.readTogether(() => {
      void read();
      throw new Error('it fails');
    });
  }).toThrow('it fails');
  db.readTogether(() => {
    db.readTogether(() => void read());
    void read();
  });
  writeInOther('later');
  expect(await read()).toBe('later');
  await write('last');
  expect(await read()).toBe('last');
});

test('reads of a closed database reject one by one', async () => {
  const closed = await openDatabase(join(await newFolder(), 'latchkey.db'));
  await closed.close();
  const readClosed = () => runPrepared(closed.read, newest, {});
  await expect(reading(readClosed, closed)).rejects.toThrow('not open');
});

/** Calls `work` among reads that share a snapshot. */
function reading<T>(work: () => Promise<T>, database = db): Promise<T> {
  let result: Promise<T> | undefined;
  database.readTogether(() => {
    result = work();
  });
  return result ?? Promise.reject(new Error('not called'));
}
