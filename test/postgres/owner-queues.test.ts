import { expect, onTestFinished, test } from 'vitest';
import {
  type Build,
  type Database,
  isStorageFault,
  openDatabase,
  type Queries,
  runPrepared,
  sendPrepared,
  type Turn,
  WriteQueueFull,
} from '../../server/database/index.js';
import { ConnectionLost, TransactionLost } from '../../server/database/postgres/faults.js';
import { createOwnerQueues, type Transacting } from '../../server/database/postgres/owner-queues.js';
import { newDatabase, openNew } from '../support/databases.js';

// Writes of one owner wait for each other in the process, and those that may share a transaction share it.

const CREATING: Turn = { owner: 1, sharesCommit: true };
const CHANGING: Turn = { owner: 1, sharesCommit: false };

const add: Build<{ scopes: string }, { id: number }> = (trx, { scopes }) =>
  trx.insertInto('scope_sets').values({ scopes }).returning('id');

const all: Build<object, { scopes: string }> = (trx) => trx.selectFrom('scope_sets').select('scopes').orderBy('id');

/** The sets of scopes that tests of this file added, and the transactions that added them. */
async function addedTo(db: Database): Promise<{ sets: string[]; transactions: number }> {
  const rows = await db.read
    .selectFrom('scope_sets')
    .select(({ cast, ref }) => ['scopes', cast<string>(cast(ref('xmin' as 'scopes'), 'text'), 'text').as('xmin')])
    .where('scopes', 'like', 'test:%')
    .orderBy('id')
    .execute();
  return { sets: rows.map(({ scopes }) => scopes), transactions: new Set(rows.map(({ xmin }) => xmin)).size };
}

/** Adds a set, after a look at those that are there, and resolves with them. */
async function addAfterLook(trx: Queries, scopes: string): Promise<string[]> {
  const before = await runPrepared(trx, all, {});
  await sendPrepared(trx, add, { scopes });
  return before.map((row) => row.scopes).filter((text) => text.startsWith('test:'));
}

const outcomesOf = async (writes: Promise<unknown>[]) =>
  (await Promise.allSettled(writes)).map((outcome) =>
    outcome.status === 'fulfilled' ? outcome.value : (outcome.reason as Error).message,
  );

test('creations of one owner share a commit, and each sees those before it', async () => {
  const db = await openNew();
  const names = ['test:a', 'test:b', 'test:c', 'test:d'];
  const seen = await Promise.all(names.map((name) => db.write((trx) => addAfterLook(trx, name), CREATING)));
  expect(seen).toEqual(names.map((_, index) => names.slice(0, index)));
  // The first one begins at once, alone.
  expect(await addedTo(db)).toEqual({ sets: names, transactions: 2 });
});

test('a creation that throws is alone to fail, and leaves nothing, whether it has changed something or not', async () => {
  const db = await openNew();
  const throwing = (change: (trx: Queries) => Promise<unknown>) =>
    db.write(async (trx) => {
      await change(trx);
      throw new Error('it fails');
    }, CREATING);
  const adding = (name: string) => db.write((trx) => addAfterLook(trx, name).then(() => name), CREATING);
  const unchanged = [
    adding('test:a'),
    throwing((trx) => runPrepared(trx, all, {})),
    adding('test:b'),
    adding('test:c'),
  ];
  expect(await outcomesOf(unchanged)).toEqual(['test:a', 'it fails', 'test:b', 'test:c']);
  expect(await addedTo(db)).toMatchObject({ transactions: 2 });
  for (const change of [
    (trx: Queries) => sendPrepared(trx, add, { scopes: 'test:undone' }),
    (trx: Queries) => trx.insertInto('scope_sets').values({ scopes: 'test:undone' }).execute(),
  ]) {
    const name = `test:${String(Math.random())}`;
    const changed = [adding(`${name}1`), adding(`${name}2`), throwing(change), adding(`${name}3`)];
    expect(await outcomesOf(changed)).toEqual([`${name}1`, `${name}2`, 'it fails', `${name}3`]);
  }
  const { sets } = await addedTo(db);
  expect(sets).toHaveLength(9);
  expect(sets).not.toContain('test:undone');
});

test('a query that fails in a creation that does not wait for it fails no other creation', async () => {
  const db = await openNew();
  const adding = (scopes: string) => db.write((trx) => sendPrepared(trx, add, { scopes }).then(() => scopes), CREATING);
  const writes = [adding('test:a'), adding('test:b'), adding('test:a'), adding('test:c'), adding('test:b')];
  const [a, b, again, c, last] = await outcomesOf(writes);
  expect([a, b, c]).toEqual(['test:a', 'test:b', 'test:c']);
  expect([again, last]).toEqual([expect.stringContaining('23505'), expect.stringContaining('23505')]);
  expect((await addedTo(db)).sets).toEqual(['test:a', 'test:b', 'test:c']);
});

test('a connection that ends in a shared transaction fails all its creations, and none is stored', async () => {
  const db = await openNew();
  const ending: Build<object, unknown> = (trx) =>
    trx.selectNoFrom(({ fn }) => fn<boolean>('pg_terminate_backend', [fn<number>('pg_backend_pid')]).as('ended'));
  const adding = (scopes: string) => db.write((trx) => addAfterLook(trx, scopes), CREATING);
  const outcomes = await Promise.allSettled([
    adding('test:alone'),
    adding('test:a'),
    db.write((trx) => sendPrepared(trx, ending, {}), CREATING),
    adding('test:b'),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected']);
  for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toSatisfy(isStorageFault);
  expect((await addedTo(db)).sets).toEqual(['test:alone']);
});

test('writes of one owner end in the order in which they came, and another owner does not wait for them', async () => {
  const db = await openNew();
  const ended: string[] = [];
  let goOn: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (goOn = resolve));
  const write = (name: string, turn: Turn, until?: Promise<void>) =>
    db
      .write(async (trx) => {
        await runPrepared(trx, all, {});
        await until;
      }, turn)
      .then(() => ended.push(name));
  const writes = [
    write('change', CHANGING, held),
    write('creation', CREATING),
    write('second change', CHANGING),
    write('second creation', CREATING),
  ];
  await write('of another owner', { owner: 2, sharesCommit: false });
  expect(ended).toEqual(['of another owner']);
  goOn();
  await Promise.all(writes);
  expect(ended.slice(1)).toEqual(['change', 'creation', 'second change', 'second creation']);
});

test('closing waits for the writes that wait, and answers the look-ups that were asked', async () => {
  const { database, remove } = await newDatabase('');
  onTestFinished(remove);
  const db = await openDatabase(database);
  await runPrepared(db.read, all, {});
  const writes = [1, 2, 3].map(() => db.write((trx) => runPrepared(trx, all, {}), CHANGING));
  const look = runPrepared(db.read, all, {});
  await db.close();
  expect((await Promise.allSettled([...writes, look])).map(({ status }) => status)).toEqual(Array(4).fill('fulfilled'));
});

/** Queues whose transactions have no server: they end as `end` says. */
function queuesOver(end: (works: number) => Promise<void>, patience?: number) {
  const runs: number[] = [];
  const transact = async <T>(work: (trx: Queries, changes: () => number) => Promise<T>): Promise<T> => {
    const index = runs.push(0) - 1;
    const trx = { count: () => void (runs[index] = (runs[index] ?? 0) + 1) };
    const value = await work(trx as unknown as Queries, () => 0);
    await end(runs[index] ?? 0);
    return value;
  };
  const transacting: Transacting = { once: transact, repeatedly: transact };
  const queues = createOwnerQueues(transacting, patience);
  const write = (turn: Turn) =>
    queues.write(turn, (trx) => {
      (trx as unknown as { count: () => void }).count();
      return Promise.resolve('done');
    });
  /** How many works ran in each transaction. */
  return { write, runs };
}

test('after a lost commit nothing runs again; after a deadlock each creation runs alone', async () => {
  const failingWith = (error: Error) => queuesOver((works) => (works > 1 ? Promise.reject(error) : Promise.resolve()));
  const creations = [CREATING, CREATING, CREATING];
  const lost = failingWith(new ConnectionLost('lost'));
  expect(await outcomesOf(creations.map(lost.write))).toEqual(['done', 'lost', 'lost']);
  expect(lost.runs).toEqual([1, 2]);
  const aborted = failingWith(new TransactionLost('deadlock'));
  expect(await outcomesOf(creations.map(aborted.write))).toEqual(['done', 'done', 'done']);
  expect(aborted.runs).toEqual([1, 2, 1, 1]);
});

test('a write whose predecessors take too long is rejected, and does not run', async () => {
  const hanging = queuesOver(() => new Promise((_, reject) => setTimeout(reject, 50, new ConnectionLost('late'))), 70);
  const outcomes = await Promise.allSettled([CHANGING, CHANGING, CHANGING, CHANGING].map(hanging.write));
  const reasons = outcomes.map((outcome) => (outcome as PromiseRejectedResult).reason as Error);
  expect(reasons.map(({ constructor }) => constructor)).toEqual([
    ConnectionLost,
    ConnectionLost,
    WriteQueueFull,
    WriteQueueFull,
  ]);
  expect(hanging.runs).toEqual([1, 1]);
});
