import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { createAccessToken, offboardUser } from '../../generated/index.js';
import { type Database, openDatabase, syncLater } from '../../server/database/index.js';
import { openNew } from '../support/databases.js';
import { fill } from '../support/fill.js';
import { answered, startService } from '../support/service.js';

// PostgreSQL acknowledges a commit before it is on disk only where another commit follows before anybody is answered.

const setting = sql<{ value: string }>`select current_setting('synchronous_commit') as value`;

test('one commit need not wait for the disk, and the next one on the connection waits again', async () => {
  const db = await openNew();
  const met = await db.write(async (trx) => {
    await syncLater(trx);
    return (await setting.execute(trx)).rows;
  });
  expect(met).toEqual([{ value: 'off' }]);
  const others = await Promise.all(Array.from({ length: 20 }, () => db.write((trx) => setting.execute(trx))));
  expect(others.map(({ rows }) => rows)).toEqual(Array(20).fill([{ value: 'on' }]));
});

interface State {
  value: string;
  begun: number;
  ended: number;
}

const state = sql<State>`select current_setting('synchronous_commit') as value,
  (exists (select from offboardings))::int as begun, (exists (select from offboardings where ended_at is not null))::int as ended`;

test('the first and the last commit of an offboarding wait for the disk', async () => {
  const met: State[] = [];
  const recorded = (db: Database): Database => ({
    ...db,
    write: (work, turn) =>
      db.write(async (trx) => {
        const done = await work(trx);
        met.push(...(await state.execute(trx)).rows);
        return done;
      }, turn),
  });
  const service = await startService({ openDatabase: async (...given) => recorded(await openDatabase(...given)) });
  const admin = await service.admin();
  const [ada, bea] = [await service.newUser('ada@example.org'), await service.newUser('bea@example.org')];
  await answered(createAccessToken({ client: ada.client, body: { name: 'filled' } }));
  await fill(service, ada.session.id, 20_000);
  const body = { tokens: 'transfer', to: bea.session.id } as const;
  const path = { user_id: ada.session.id };
  expect(await answered(offboardUser({ client: admin.client, path, body }))).toMatchObject({
    transferredCount: 20_001,
  });
  // No other transaction sees either before that commit.
  expect(met.find(({ begun }) => begun === 1)?.value).toBe('on');
  expect(met.some(({ value }) => value === 'off')).toBe(true);
  expect(met.find(({ ended }) => ended === 1)?.value).toBe('on');
});
