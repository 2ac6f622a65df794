import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { logInTo, newFolder, serveDatabase } from '../support/process.js';
import { openConnection } from '../support/socket.js';
import { FULL, milliseconds, publish } from './figures.js';
import { broken, createLedger, promisesOf } from './ledger.js';
import { startLoad } from './load.js';

const ROUNDS = FULL ? 30 : 3;
const CONNECTIONS = 64;
const IDLE = 40;
/** Milliseconds: what was sent so long before the signal is answered. */
const MARGIN = 50;

test('SIGTERM under load answers what was sent before, loses nothing and leaves no log', {
  timeout: 300_000,
}, async () => {
  const database = join(await newFolder(), 'latchkey.db');
  const ledger = createLedger();
  const total = { answered: 0, cut: 0, longest: 0, wal: 0 };
  let serving = await serveDatabase(database);
  const { token } = await logInTo(serving.url);
  for (let round = 0; round < ROUNDS; round++) {
    const { url, child, finished } = serving;
    const load = startLoad({ url, token }, ledger, CONNECTIONS);
    const idle = await Promise.all(Array.from({ length: IDLE }, () => openConnection(url)));
    const half = await openConnection(url);
    half.write('POST /api/v1/access-tokens HTTP/1.1\r\nHost: here\r\nContent-Length: 99\r\n\r\n{"na');
    // At times so early that the system has made connections which the service has not accepted yet.
    await sleep(round % 3 === 0 ? 60 : 60 + Math.random() * 900);

    const start = performance.now();
    child.kill('SIGTERM');
    const { code, stderr } = await finished;
    total.longest = Math.max(total.longest, performance.now() - start);
    expect(code, stderr).toBe(0);
    await Promise.all([load.ended, half.closed, ...idle.map(({ closed }) => closed)]);
    const sent = load.operations.filter(({ sentAt }) => sentAt <= start - MARGIN);
    total.answered += sent.filter(({ status }) => status !== null && status < 300).length;
    total.cut += sent.filter(({ status }) => status === null || status >= 300).length;
    total.wal = Math.max(total.wal, statSync(`${database}-wal`, { throwIfNoEntry: false })?.size ?? 0);

    serving = await serveDatabase(database);
    const { lost, revived } = await broken({ url: serving.url, token }, promisesOf(ledger));
    expect({ lost, revived }).toEqual({ lost: 0, revived: 0 });
  }
  publish('stop', 'rounds', String(ROUNDS));
  publish('stop', `answered, of those sent ${String(MARGIN)} ms before or earlier`, String(total.answered));
  publish('stop', 'cut off or refused, of those', String(total.cut), '0');
  publish('stop', 'lost and revived', '0', '0');
  publish('stop', 'longest stop', milliseconds(total.longest), '≤ 10000 ms');
  publish('stop', 'bytes of log left', String(total.wal), '0');
  expect(total.answered).toBeGreaterThanOrEqual(ROUNDS * CONNECTIONS);
  expect(total.cut).toBe(0);
  expect(total.wal).toBe(0);
  expect(total.longest).toBeLessThan(10_000);
});
