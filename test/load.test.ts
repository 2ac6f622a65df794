import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { openDatabase } from '../server/database/index.js';
import type { Deps } from '../server/deps.js';
import { createService } from '../server/handlers/service.js';
import { createLoad } from '../server/http/load.js';
import { createLog } from '../server/log/log.js';

// Over HTTP nobody can have exactly one request refused. The timers are fake, because a busy machine has late ones.

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

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
  // Looks are 100 ms apart, and a refusal counts in the ten after it.
  vi.advanceTimersByTime(900);
  expect(await isReady()).toBe(false);
  vi.advanceTimersByTime(100);
  expect(await isReady()).toBe(true);
});

test('refusals that never are ten within a second leave the service ready', async () => {
  const { load, isReady } = await startLoad();
  for (let count = 0; count < 9; count++) load.countRejectedRequest();
  vi.advanceTimersByTime(1_000);
  for (let count = 0; count < 9; count++) load.countRejectedRequest();
  expect(await isReady()).toBe(true);
});

async function startLoad() {
  const log = createLog('info', { write: () => undefined });
  const { setInterval, clearInterval } = globalThis;
  const load = createLoad(log, { setInterval, clearInterval, performanceNow: () => performance.now() });
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
