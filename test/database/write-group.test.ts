import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openDatabase, type Queries, runPrepared } from '../../server/database/index.js';
import { newFolder } from '../support/process.js';

// Writes that arrive together share a transaction on SQLite. Each of them is still all or nothing by itself.

const insert = (trx: Queries, { scopes }: { scopes: string }) => trx.insertInto('scope_sets').values({ scopes });

const FAILING: Record<string, (trx: Queries) => Promise<unknown>> = {
  'before it changes anything': (trx) => trx.selectFrom('scope_sets').select('id').execute(),
  'after a change': (trx) => insert(trx, { scopes: 'undone' }).execute(),
  'after a change by a prepared query': (trx) => runPrepared(trx, insert, { scopes: 'undone' }),
  'at a row that exists': async (trx) => {
    await insert(trx, { scopes: 'undone' }).execute();
    await runPrepared(trx, insert, { scopes: 'first' });
  },
};

test.each(Object.entries(FAILING))('a write that fails %s undoes its own changes alone', async (_, work) => {
  const db = await openDatabase(join(await newFolder(), 'latchkey.db'));
  onTestFinished(() => db.close());
  const before = await db.read.selectFrom('scope_sets').selectAll().execute();
  const outcomes = await Promise.allSettled([
    db.write((trx) => runPrepared(trx, insert, { scopes: 'first' })),
    db.write(async (trx) => {
      await work(trx);
      throw new Error('it fails');
    }),
    db.write((trx) => insert(trx, { scopes: 'second' }).execute()),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  const rows = await db.read.selectFrom('scope_sets').selectAll().orderBy('id').execute();
  expect(rows.slice(before.length).map(({ scopes }) => scopes)).toEqual(['first', 'second']);
});
