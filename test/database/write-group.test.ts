import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import { defaultConfig } from '../../server/config/config.js';
import { openDatabase, type Queries, runPrepared } from '../../server/database/index.js';
import { SYSTEM } from '../../server/tokens/actor.js';
import { insertToken } from '../../server/tokens/issue.js';
import { createPasswords, QUICK_HASH } from '../../server/users/passwords.js';
import { addFirstUser } from '../../server/users/users.js';
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

test('the secret of a token whose row cannot be inserted is not stored for the token before it', async () => {
  const db = await openDatabase(join(await newFolder(), 'latchkey.db'));
  onTestFinished(() => db.close());
  const first = { email: 'a@latchkey.local', fullName: '', isAdmin: true, password: 'correct horse battery staple' };
  await addFirstUser({ db, now: Date.now, passwords: createPasswords(QUICK_HASH) }, SYSTEM, first);
  await db.write((trx) => sql`create unique index failing on access_tokens (name)`.execute(trx));
  const inserting = (name: string) =>
    db.write((trx) =>
      insertToken({ config: defaultConfig }, trx, SYSTEM, {
        owner: { organizationId: 1, ownerId: 1 },
        type: 'pat',
        name,
        scopes: [],
        createdAt: 0,
        expiresAt: null,
      }),
    );
  const outcomes = await Promise.allSettled(['a', 'b', 'a', 'c'].map(inserting));
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  const secrets = await db.read.selectFrom('token_secrets').select('token_id').orderBy('token_id').execute();
  expect(secrets.map((row) => row.token_id)).toEqual([1, 2, 3]);
});
