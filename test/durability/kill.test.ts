import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { latchkey, logInTo, newFolder, type Serving, serveDatabase } from '../support/process.js';
import { expectEachChangeOnce } from './events.js';
import { FULL, milliseconds, publish, quantile } from './figures.js';
import { broken, createLedger, type Ledger, promisesOf } from './ledger.js';
import { type Operation, startLoad } from './load.js';

const ROUNDS = FULL ? 200 : 5;
const ROUNDS_OF_A_FILE = 25;
const CONNECTIONS = 64;
/** The most answers of a round; a slow machine takes longer to give them. */
const MOST_ANSWERS = FULL ? 500 : 400;
/** Milliseconds; a run beside all other tests says nothing about how long a start takes. */
const RESTART = FULL ? 2_000 : 10_000;
const ENV = { LATCHKEY_SESSION_MINUTES: '1440' };

test('kill -9 at any moment loses no create, revoke or rotation that was answered', {
  timeout: FULL ? 3_600_000 : 90_000,
}, async () => {
  const all: Operation[] = [];
  const restarts: number[] = [];
  const total = { lost: 0, revived: 0 };
  for (let left = ROUNDS; left > 0; left -= ROUNDS_OF_A_FILE) {
    await attack(Math.min(left, ROUNDS_OF_A_FILE), all, restarts, total);
  }
  const answered = all.filter(({ status }) => status !== null);
  publish('kill', 'rounds', String(ROUNDS));
  publish('kill', 'answered creates, revokes, rotations', String(answered.length), '≥ 20000');
  publish('kill', 'cut off without an answer', String(all.length - answered.length));
  publish('kill', 'lost', String(total.lost), '0');
  publish('kill', 'revived', String(total.revived), '0');
  publish('kill', 'restart p50', milliseconds(quantile(restarts, 0.5)));
  publish('kill', 'restart p99', milliseconds(quantile(restarts, 0.99)), `≤ ${milliseconds(RESTART)}`);

  expect(total).toEqual({ lost: 0, revived: 0 });
  for (const kind of ['create', 'revoke', 'rotate']) {
    expect(answered.filter((operation) => operation.kind === kind).length).toBeGreaterThan(ROUNDS * 5);
  }
  expect(all.length).toBeGreaterThan(answered.length);
  expect(quantile(restarts, 0.99)).toBeLessThanOrEqual(RESTART);
});

/** Kills the service on one file so many times, each time under load. */
async function attack(
  rounds: number,
  all: Operation[],
  restarts: number[],
  total: { lost: number; revived: number },
): Promise<void> {
  const database = join(await newFolder(), 'latchkey.db');
  const ledgers: Ledger[] = [];
  let serving: Serving = await serveDatabase(database, ENV);
  // One session for all rounds: it was answered too, and has to last.
  const { token } = await logInTo(serving.url);
  const count = async (...some: Ledger[]) => {
    const { lost, revived } = await broken({ url: serving.url, token }, promisesOf(...some));
    total.lost += lost;
    total.revived += revived;
  };
  for (let round = 0; round < rounds; round++) {
    const ledger = createLedger();
    ledgers.push(ledger);
    const { operations, answered, ended } = startLoad({ url: serving.url, token }, ledger, CONNECTIONS);
    await answered(Math.random() * MOST_ANSWERS);
    await sleep(Math.random() * 20);
    serving.child.kill('SIGKILL');
    await Promise.all([ended, serving.finished]);
    for (const operation of operations) all.push(operation);

    const start = performance.now();
    serving = await serveDatabase(database, ENV);
    restarts.push(performance.now() - start);
    await count(ledger);
    const { stdout } = await latchkey(['check', '--json', '--database', database]);
    expect(JSON.parse(stdout)).toMatchObject({ whole: true, faults: [] });
    await expectEachChangeOnce(database);
  }
  await count(...ledgers);
  serving.child.kill('SIGKILL');
  await serving.finished;
}
