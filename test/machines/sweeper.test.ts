import { expect, onTestFinished, test } from 'vitest';
import { createAccessToken, logIn } from '../../generated/index.js';
import { type Config, defaultConfig } from '../../server/config/config.js';
import { openDatabase } from '../../server/database/index.js';
import type { Log } from '../../server/log/log.js';
import { createSweeper } from '../../server/sweeper.js';
import { isOnPostgres } from '../support/databases.js';
import { answered, DAY, MINUTE, type Service, startService } from '../support/service.js';
import { change, rowsOf } from '../support/store.js';

/** The sweeper of one process more on the database of the service. */
async function sweeperOn(service: Service, config: Partial<Config> = {}, heard: Partial<Log> = {}) {
  const db = await openDatabase(service.database);
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined, ...heard };
  const sweeper = createSweeper({ db, now: service.clock.now, log, config: { ...defaultConfig, ...config } });
  onTestFinished(async () => {
    await sweeper.close();
    await db.close();
  });
  return sweeper;
}

async function countsOf(service: Service) {
  const [attempts, answers] = await Promise.all(
    ['login_attempts', 'idempotent_answers'].map((table) => rowsOf(service, `select count(*) as count from ${table}`)),
  );
  return { attempts: attempts?.[0]?.['count'], answers: answers?.[0]?.['count'] };
}

test('what has expired is deleted, and what has not is kept', async () => {
  const service = await startService();
  const { client } = await service.admin();
  const body = { username: 'a@example.org', password: 'a wrong password' };
  await logIn({ client: service.anonymous, body });
  await answered(
    createAccessToken({ client, body: { name: 'a' }, headers: { 'Idempotency-Key': 'key-of-this-test' } }),
  );
  const sweeper = await sweeperOn(service);
  // Two pairs, the network, and that the administrator is known there.
  expect(await countsOf(service)).toEqual({ attempts: 4, answers: 1 });
  service.clock.advance(15 * MINUTE - 1);
  expect(await sweeper.sweep()).toBe(true);
  expect(await countsOf(service)).toEqual({ attempts: 4, answers: 1 });
  service.clock.advance(5 * MINUTE);
  expect(await sweeper.sweep()).toBe(true);
  expect(await countsOf(service)).toEqual({ attempts: 1, answers: 1 });
  service.clock.advance(DAY);
  expect(await sweeper.sweep()).toBe(true);
  expect(await countsOf(service)).toEqual({ attempts: 1, answers: 0 });
  service.clock.advance(30 * DAY);
  expect(await sweeper.sweep()).toBe(true);
  expect(await countsOf(service)).toEqual({ attempts: 0, answers: 0 });
});

test('of several processes one sweeps in five minutes, and deletes more than fit into one transaction', async () => {
  const service = await startService();
  const sweepers = await Promise.all(Array.from({ length: 4 }, () => sweeperOn(service)));
  const key = isOnPostgres ? "decode(lpad(to_hex(number), 32, '0'), 'hex')" : "cast(printf('%016d', number) as blob)";
  const fill = `insert into login_attempts
    with recursive numbers(number) as (select 1 union all select number + 1 from numbers where number < 500)
    select ${key}, 1, 0, 1 from numbers`;
  for (let round = 0; round < 3; round++) {
    await change(service, fill);
    const swept = await Promise.all(sweepers.map((sweeper) => sweeper.sweep()));
    expect(swept.filter(Boolean)).toHaveLength(1);
    expect((await countsOf(service)).attempts).toBe(0);
    expect(await Promise.all(sweepers.map((sweeper) => sweeper.sweep()))).toEqual([false, false, false, false]);
    service.clock.advance(5 * MINUTE);
  }
});

test('the end of the audit log is logged every hour, by one process', async () => {
  const service = await startService();
  await service.admin();
  await expect
    .poll(async () => rowsOf(service, 'select seq from audit_heads where seq = 2'), { timeout: 5_000 })
    .toHaveLength(1);
  const lines: object[] = [];
  const info = (members: object, message: string) => {
    if (message === 'end of the audit log') lines.push(members);
  };
  const sweepers = await Promise.all([1, 2].map(() => sweeperOn(service, {}, { info })));
  for (let minutes = 0; minutes <= 120; minutes += 5) {
    for (const sweeper of sweepers) await sweeper.sweep();
    service.clock.advance(5 * MINUTE);
  }
  const hash = expect.stringMatching(/^[0-9a-f]{64}$/) as string;
  expect(lines).toEqual(Array.from({ length: 3 }, () => ({ organization: 'latchkey', seq: 2, hash })));
});
