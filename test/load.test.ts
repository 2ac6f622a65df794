import { expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '../server/database/index.js';
import type { Deps } from '../server/deps.js';
import { createService } from '../server/handlers/service.js';
import { createLoad } from '../server/http/load.js';
import { createLog } from '../server/log/log.js';

// Over HTTP nobody can have exactly one request refused.

test('refusing one request, or nine, leaves the service ready; ten within a second do not', async () => {
  const { load, isReady } = await startLoad();
  load.countRejectedRequest();
  expect(await isReady()).toBe(true);
  for (let count = 1; count < 9; count++) load.countRejectedRequest();
  expect(await isReady()).toBe(true);
  load.countRejectedRequest();
  expect(await isReady()).toBe(false);
});

test('a second after the last refusal the service is ready again', async () => {
  const { load, isReady } = await startLoad();
  for (let count = 0; count < 10; count++) load.countRejectedRequest();
  expect(await isReady()).toBe(false);
  const start = performance.now();
  await expect.poll(isReady, { timeout: 5_000, interval: 20 }).toBe(true);
  // Looks are 100 ms apart, and a refusal counts in the ten after it.
  expect(performance.now() - start).toBeGreaterThan(800);
});

test('refusals that never are ten within a second leave the service ready', async () => {
  const { load, isReady } = await startLoad();
  for (let count = 0; count < 9; count++) load.countRejectedRequest();
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  for (let count = 0; count < 9; count++) load.countRejectedRequest();
  expect(await isReady()).toBe(true);
});

async function startLoad() {
  const log = createLog('info', { write: () => undefined });
  const load = createLoad(log);
  const db = await openDatabase(':memory:');
  onTestFinished(async () => {
    load.close();
    await db.close();
  });
  const { getReadiness } = createService({ phase: 'ready', load, clocks: { isSkewed: false } });
  const isReady = () =>
    getReadiness({ db, feed: { count: () => 0 } } as Deps).then(
      () => true,
      (error: unknown) => {
        expect(error).toMatchObject({ code: 'overloaded' });
        return false;
      },
    );
  return { load, isReady };
}
