import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import {
  type Build,
  type Database,
  isUniqueViolation,
  openDatabase,
  runPrepared,
  sendPrepared,
} from '../../server/database/index.js';
import { newDatabase } from '../support/databases.js';

// A query that a transaction does not wait for fails the transaction as one that it waits for does.

const add: Build<{ uuid: Uint8Array; slug: string }, unknown> = (trx, { uuid, slug }) =>
  trx.insertInto('organizations').values({ uuid, slug, name: '', created_at: 0 });

const slugs: Build<object, { slug: string }> = (trx) => trx.selectFrom('organizations').select('slug');

const called = (slug: string) => ({ uuid: Buffer.from(randomUUID()).subarray(0, 16), slug });

async function openNew(): Promise<Database> {
  const { database, remove } = await newDatabase('');
  const db = await openDatabase(database);
  onTestFinished(async () => {
    await db.close();
    await remove();
  });
  return db;
}

test('the last query of a transaction is on disk when the write resolves, and fails the write when it fails', async () => {
  const db = await openNew();
  await db.write((trx) => sendPrepared(trx, add, called('a')));
  expect(await runPrepared(db.read, slugs, {})).toEqual([{ slug: 'a' }]);
  const failing = db.write(async (trx) => {
    await sendPrepared(trx, add, called('b'));
    await sendPrepared(trx, add, called('a'));
  });
  await expect(failing).rejects.toSatisfy(isUniqueViolation);
  expect(await runPrepared(db.read, slugs, {})).toEqual([{ slug: 'a' }]);
});

test('a query behind one that failed fails with the error of the first, and nothing is written', async () => {
  const db = await openNew();
  const met: unknown[] = [];
  const failing = db.write(async (trx) => {
    await runPrepared(trx, add, called('a'));
    await sendPrepared(trx, add, called('a'));
    for (let time = 0; time < 2; time++) {
      await runPrepared(trx, slugs, {}).catch((error: unknown) => met.push(error));
    }
  });
  await expect(failing).rejects.toSatisfy(isUniqueViolation);
  expect(met.map(isUniqueViolation)).toEqual([true, true]);
  expect(await runPrepared(db.read, slugs, {})).toEqual([]);
});
