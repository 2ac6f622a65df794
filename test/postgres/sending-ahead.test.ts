import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { Connection } from 'pg';
import { expect, onTestFinished, test, vi } from 'vitest';
import {
  type Build,
  type Database,
  isUniqueViolation,
  type Queries,
  runPrepared,
  sendPrepared,
} from '../../server/database/index.js';
import { openNew } from '../support/databases.js';

// A query that a transaction does not wait for fails the transaction as one that it waits for does. Queries that are asked
// together are one batch.

const add: Build<{ uuid: Uint8Array; slug: string }, unknown> = (trx, { uuid, slug }) =>
  trx.insertInto('organizations').values({ uuid, slug, name: '', created_at: 0 });

const slugs: Build<object, { slug: string }> = (trx) => trx.selectFrom('organizations').select('slug');

/** Takes a list, which the driver converts, so that the query is no part of a batch. */
const slugsIn: Build<{ list: string[] }, { slug: string }> = (trx, { list }) =>
  trx.selectFrom('organizations').select('slug').where(sql<boolean>`slug = any(${list}::text[])`);

const called = (slug: string) => ({ uuid: Buffer.from(randomUUID()).subarray(0, 16), slug });

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

const quotient: Build<{ by: number }, { quotient: number }> = (trx, { by }) =>
  trx.selectNoFrom(sql<number>`12 / ${by}::int`.as('quotient'));

/** Opens a database whose connections for look-ups know the statement of `quotient`. */
async function openDividing(): Promise<Database> {
  const db = await openNew();
  for (let time = 0; time < 3; time++) await Promise.all([1, 1].map((by) => runPrepared(db.read, quotient, { by })));
  return db;
}

const outcomesOf = async (db: Database, divisors: number[]) =>
  (await Promise.allSettled(divisors.map((by) => runPrepared(db.read, quotient, { by })))).map((outcome) =>
    outcome.status === 'fulfilled' ? outcome.value[0]?.quotient : String(outcome.reason),
  );

test('a look-up that fails does not fail those that were asked with it', async () => {
  const db = await openDividing();
  const failed: unknown = expect.stringContaining('division by zero');
  expect(await outcomesOf(db, [1, 2, 0, 3, 0, 4, 6, 12])).toEqual([12, 6, failed, 4, failed, 3, 2, 1]);
});

test('look-ups that all fail are asked at most twice each', async () => {
  const db = await openDividing();
  const bind = vi.spyOn(Connection.prototype as unknown as { bind: () => void }, 'bind');
  onTestFinished(() => {
    bind.mockRestore();
  });
  const outcomes = await outcomesOf(db, Array<number>(40).fill(0));
  expect(new Set(outcomes).size).toBe(1);
  expect(bind.mock.calls.length).toBeLessThanOrEqual(80);
});

test('queries of every kind run in the order in which they are asked', async () => {
  const db = await openNew();
  const insertPlainly = (trx: Queries, time: string) =>
    trx
      .insertInto('organizations')
      .values({ ...called(`${time} b`), name: '', created_at: 0 })
      .execute();
  // The first time, the connection learns the statements.
  for (const [time, before] of Object.entries({ first: 0, second: 3 })) {
    const counts = await db.write(async (trx) => {
      const look = () => runPrepared(trx, slugs, {});
      const first = look();
      await sendPrepared(trx, add, called(`${time} a`));
      const second = look();
      await insertPlainly(trx, time);
      const third = look();
      await sendPrepared(trx, add, called(`${time} c`));
      const listed = runPrepared(trx, slugsIn, { list: [`${time} a`, `${time} b`, `${time} c`] });
      return (await Promise.all([first, second, third, listed, look()])).map((rows) => rows.length);
    });
    expect(counts).toEqual([before, before + 1, before + 2, 3, before + 3]);
  }
});
