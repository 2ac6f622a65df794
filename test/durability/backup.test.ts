import { join } from 'node:path';
import { expect, test } from 'vitest';
import { latchkey, logInTo, newFolder, serveDatabase } from '../support/process.js';
import { FULL, milliseconds, publish, quantile } from './figures.js';
import { broken, createLedger, promisesOf, verdictsOn } from './ledger.js';
import { startLoad } from './load.js';

const ROUNDS = FULL ? 30 : 3;
const CONNECTIONS = 64;

test('a backup under load holds what was answered before it began, and can be restored', {
  timeout: 600_000,
}, async () => {
  const folder = await newFolder();
  const database = join(folder, 'latchkey.db');
  const serving = await serveDatabase(database);
  const { token } = await logInTo(serving.url);
  const ledger = createLedger();
  const load = startLoad({ url: serving.url, token }, ledger, CONNECTIONS);
  await expect.poll(() => ledger.over().length, { interval: 20, timeout: 20_000 }).toBeGreaterThan(200);

  const times: number[] = [];
  const copies = [];
  for (let round = 0; round < ROUNDS; round++) {
    const copy = join(folder, `copy-${String(round)}.db`);
    const promises = promisesOf(ledger);
    const start = performance.now();
    const { code, stderr } = await latchkey(['backup', copy, '--database', database]);
    expect([code, stderr]).toEqual([0, '']);
    times.push(performance.now() - start);
    // What was changed while it ran may be in it as it was before or after.
    const untouched = new Set(ledger.serving().map(({ plaintext }) => plaintext));
    copies.push({ copy, promises, untouched });
  }
  await load.stop();
  const refused = load.operations.filter(({ status }) => status === null || status >= 300);
  serving.child.kill('SIGKILL');
  await serving.finished;

  const total = { promises: 0, lost: 0, revived: 0 };
  for (const { copy, promises, untouched } of copies) {
    const { code, stderr } = await latchkey(['restore', copy, '--force', '--database', database]);
    expect([code, stderr]).toEqual([0, '']);
    expect(await latchkey(['check', '--database', database])).toMatchObject({ code: 0, stderr: '' });
    const restored = await serveDatabase(database);
    const asked = { url: restored.url, token };
    const serving = promises.serving.filter(({ plaintext }) => untouched.has(plaintext));
    const { lost, revived } = await broken(asked, { serving, over: promises.over });
    const touched = promises.serving
      .filter(({ plaintext }) => !untouched.has(plaintext))
      .map(({ plaintext }) => plaintext);
    const unknown = (await verdictsOn(asked, touched)).filter((code) => code === 'unknown');
    total.promises += promises.serving.length + promises.over.length;
    total.lost += lost + unknown.length;
    total.revived += revived;
    restored.child.kill('SIGTERM');
    expect((await restored.finished).code).toBe(0);
  }
  publish('backup', 'backups under 64 writing connections, each restored', String(ROUNDS));
  publish('backup', 'requests that were refused meanwhile', String(refused.length), '0');
  publish('backup', 'answered before a backup', String(total.promises));
  publish('backup', 'lost', String(total.lost), '0');
  publish('backup', 'revived', String(total.revived), '0');
  publish(
    'backup',
    'a backup, p50 and longest',
    times.length === 0 ? '' : `${milliseconds(quantile(times, 0.5))}, ${milliseconds(Math.max(...times))}`,
  );
  expect(total).toMatchObject({ lost: 0, revived: 0 });
  expect(refused).toEqual([]);
});
