import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { getMe } from '../../generated/index.js';
import { createClockCheck } from '../../server/clock-check.js';
import { openDatabase } from '../../server/database/index.js';
import { send } from '../support/http.js';
import { answered, startService } from '../support/service.js';

/** A service on a machine whose clock is ahead of the database server's by what the test sets, in milliseconds. */
async function startAhead(ahead = 0) {
  const machine = { ahead, now: () => Date.now() + machine.ahead };
  const service = await startService({ openDatabase, clockCheck: { now: machine.now, interval: 20 } });
  const warnings = () =>
    service.log
      .filter((line) => line.includes("differs from the database server's"))
      .map((line) => JSON.parse(line) as { level: number; aheadMs: number; ready: boolean });
  const readiness = () => send(service, 'GET /readyz');
  return { service, machine, warnings, readiness };
}

test('clocks that agree are no matter', async () => {
  const { service, warnings, readiness, machine } = await startAhead();
  machine.ahead = -500;
  for (let look = 0; look < 5; look++) expect((await readiness()).status).toBe(200);
  expect(warnings()).toEqual([]);
  expect(service.log.join('')).not.toContain('clock');
});

test.each([5_000, -5_000])(
  'a clock that is %i ms ahead is told once, with the figure, and requests go on',
  async (ahead) => {
    const { service, machine, warnings, readiness } = await startAhead();
    machine.ahead = ahead;
    await expect.poll(() => warnings().length).toBe(1);
    const [{ aheadMs, ...warning } = {}] = warnings();
    expect(Math.abs(Number(aheadMs) - ahead)).toBeLessThan(500);
    expect(warning).toMatchObject({ level: 40, ready: true });
    expect((await readiness()).status).toBe(200);
    machine.ahead = 0;
    await expect.poll(() => service.log.join('')).toContain('agree again');
    expect(warnings()).toHaveLength(1);
  },
);

test.each([31_000, -3_600_000])(
  'a clock that is %i ms ahead makes the process not ready until it is right',
  async (ahead) => {
    const { service, machine, warnings, readiness } = await startAhead(ahead);
    const { client } = await service.admin();
    for (let round = 0; round < 2; round++) {
      await expect.poll(async () => (await readiness()).status).toBe(503);
      expect(await readiness()).toMatchObject({
        body: {
          detail: 'The clocks of this machine and of the database server differ by more than 30 seconds.',
          code: 'clock_skew',
        },
        headers: { 'retry-after': '60' },
      });
      expect(warnings().at(-1)).toMatchObject({ ready: false });
      await answered(getMe({ client }));
      machine.ahead = 0;
      await expect.poll(async () => (await readiness()).status).toBe(200);
      machine.ahead = ahead;
    }
  },
);

test('it is not ready from the start where the clock is wrong at the start', async () => {
  const { readiness } = await startAhead(3_600_000);
  expect((await readiness()).status).toBe(503);
});

test('what a slow answer may account for is no difference, and no answer changes nothing', async () => {
  const lines: object[] = [];
  const log = { info: () => undefined, warn: (line: object) => lines.push(line), error: () => undefined };
  let ahead = 0;
  let clock: () => Promise<number | null> = async () => {
    await sleep(2_200);
    return Date.now();
  };
  const check = createClockCheck({ clock: () => clock() }, log, { now: () => Date.now() + ahead });
  // Halfway through the answer it was 1.1 seconds earlier.
  await check.compare();
  expect(lines).toEqual([]);

  ahead = 40_000;
  clock = () => Promise.resolve(Date.now());
  await check.compare();
  clock = () => Promise.reject(new Error('no answer'));
  await check.compare();
  expect(check.isSkewed).toBe(true);
  expect(lines).toHaveLength(1);
  check.close();
});
