import { rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import SqliteDriver from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { createAccessToken, getMe, listAccessTokens, revokeAccessToken } from '../../generated/index.js';
import { canMount, mounting, SMALL } from '../support/namespace.js';
import { clientOf, latchkey, logInTo, logOf, newFolder, type Serving, serveDatabase } from '../support/process.js';
import { answered } from '../support/service.js';
import { fillDisk } from './disk.js';
import { FULL, milliseconds, publish } from './figures.js';
import { broken, createLedger, promisesOf } from './ledger.js';
import { startLoad } from './load.js';
import { canAttach, failing } from './strace.js';

const CONNECTIONS = 16;
const LASTS = FULL ? 5_000 : 1_500;

/** What goes wrong, until the function that it gives is called. */
type Fault = (serving: Serving, database: string) => Promise<() => Promise<void>>;

/** What was seen while the fault lasted. */
interface Weather {
  /** Of creates, revokes and rotations. */
  statuses: Set<number>;
  /** Of a token that serves, and of one that is revoked, asked over and over. */
  good: Set<number>;
  bad: Set<number>;
  /** Milliseconds of the slowest of these. */
  slowest: number;
}

/**
 * Lets the fault come over a service under load and go again, and holds that nothing which was answered is lost, nothing
 * that was refused took place, and all is well 4 seconds later without a restart.
 */
async function weather(
  name: string,
  serving: Serving,
  database: string,
  fault: Fault,
  lasts = LASTS,
): Promise<Weather> {
  const { client, token } = await logInTo(serving.url);
  const create = () => createAccessToken({ client, body: { name: 'watched' } });
  const [good, bad] = [await answered(create()), await answered(create())];
  await revokeAccessToken({ client, path: { token_id: bad.token.id }, throwOnError: true });
  const ledger = createLedger();
  const load = startLoad({ url: serving.url, token }, ledger, CONNECTIONS);
  await sleep(500);

  const calm = await fault(serving, database);
  const before = load.operations.length;
  const seen: Weather = { statuses: new Set(), good: new Set(), bad: new Set(), slowest: 0 };
  for (const end = performance.now() + lasts; performance.now() < end; ) {
    for (const [statuses, plaintext] of [
      [seen.good, good.plaintext],
      [seen.bad, bad.plaintext],
    ] as const) {
      const start = performance.now();
      statuses.add((await getMe({ client: clientOf(serving.url, plaintext) })).response.status);
      seen.slowest = Math.max(seen.slowest, performance.now() - start);
    }
    await sleep(5);
  }
  const during = load.operations.slice(before);
  await calm();
  const over = performance.now();
  const extra: string[] = [];
  const again = async () => {
    const { data, response } = await create();
    if (data !== undefined) extra.push(data.token.id);
    return response.status;
  };
  await expect.poll(again, { interval: 20, timeout: 4_000 }).toBe(201);
  const recovery = performance.now() - over;
  await load.stop();

  for (const { status, headers } of during) {
    if (status !== null) seen.statuses.add(status);
    if (status === 503) expect(headers['retry-after']).toMatch(/^[1-9]\d*$/);
  }
  const promises = promisesOf(ledger);
  expect(await broken({ url: serving.url, token }, promises)).toEqual({ lost: 0, revived: 0 });
  const known = [good.token.id, ...extra, ...promises.serving.map(({ id }) => id)].sort();
  expect(await servingIds(serving.url, token)).toEqual(known);
  expect((await getMe({ client: clientOf(serving.url, good.plaintext) })).response.status).toBe(200);

  serving.child.kill('SIGTERM');
  expect((await serving.finished).code).toBe(0);
  expect(logOf(serving).length).toBeGreaterThan(0);
  const answeredCount = load.operations.filter(({ status }) => status !== null && status < 300).length;
  publish('storage', `${name}: answered in all, lost or revived`, `${String(answeredCount)}, 0`, '0');
  publish('storage', `${name}: changes meanwhile`, [...seen.statuses].sort().join(' '));
  publish(
    'storage',
    `${name}: reads meanwhile, slowest`,
    `${[...seen.good].join(' ')}, ${milliseconds(seen.slowest)}`,
    '≤ 1000 ms',
  );
  publish('storage', `${name}: well again after`, milliseconds(recovery), '≤ 4000 ms');
  return seen;
}

/** The ids of all tokens that serve, but for sessions. */
async function servingIds(url: string, token: string): Promise<string[]> {
  const found: string[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const query = { tokenType: 'pat' as const, limit: 200, ...(cursor !== undefined && { cursor }) };
    const page = await answered(listAccessTokens({ client: clientOf(url, token), query }));
    found.push(...page.items.map(({ id }) => id));
    cursor = page.nextCursor;
  }
  return found.sort();
}

async function isWhole(database: string): Promise<void> {
  expect(await latchkey(['check', '--database', database])).toMatchObject({ code: 0, stderr: '' });
}

describe('while the service runs', () => {
  // A disk of one's own needs a mount, which not every machine allows.
  test.skipIf(!canMount)(
    'a full disk refuses changes with 503, and what serves serves on',
    { timeout: 60_000 },
    async () => {
      const mounted = join(await newFolder(), 'small');
      await mkdir(mounted);
      const database = join(mounted, 'latchkey.db');
      const prefix = mounting(SMALL, mounted);
      const serving = await serveDatabase(database, {}, { prefix });
      const seen = await weather('full disk', serving, database, ({ child }) => {
        const ballast = join('/proc', String(child.pid), 'root', mounted, 'ballast');
        fillDisk(ballast);
        return Promise.resolve(() => {
          rmSync(ballast);
          return Promise.resolve();
        });
      });
      expect(seen.statuses).toContain(503);
      expect([...seen.statuses].filter((status) => ![200, 201, 204, 503].includes(status))).toEqual([]);
      expect([...seen.good, ...seen.bad]).toEqual([200, 401]);
      expect(seen.slowest).toBeLessThan(1_000);
    },
  );

  test('a write lock that another process holds for 3 seconds holds up changes and no reads', {
    timeout: 60_000,
  }, async () => {
    const database = join(await newFolder(), 'latchkey.db');
    const serving = await serveDatabase(database);
    const seen = await weather(
      'locked',
      serving,
      database,
      () => {
        const other = new SqliteDriver(database);
        other.exec('begin immediate');
        return Promise.resolve(() => {
          other.exec('rollback');
          other.close();
          return Promise.resolve();
        });
      },
      3_000,
    );
    expect([...seen.statuses].filter((status) => ![200, 201, 204, 503].includes(status))).toEqual([]);
    expect([...seen.good, ...seen.bad]).toEqual([200, 401]);
    expect(seen.slowest).toBeLessThan(1_000);
    await isWhole(database);
  });

  // As the system answers where the disk fails, or was mounted anew for reading alone after it did. strace puts it in.
  describe.skipIf(!canAttach)('the system refuses', () => {
    test.each([
      ['flushes (EIO)', 'fsync,fdatasync', 'EIO'],
      ['writes (EROFS)', 'pwrite64', 'EROFS'],
      ['writes (EIO)', 'pwrite64', 'EIO'],
    ])('%s: changes are 503, and what serves serves on', { timeout: 60_000 }, async (name, calls, error) => {
      const database = join(await newFolder(), 'latchkey.db');
      const serving = await serveDatabase(database);
      const seen = await weather(name, serving, database, ({ child }) => failing(child, calls, error, database));
      expect(seen.statuses).toContain(503);
      expect([...seen.statuses].filter((status) => ![200, 201, 204, 503].includes(status))).toEqual([]);
      expect([...seen.good, ...seen.bad]).toEqual([200, 401]);
      await isWhole(database);
    });

    test('reads (EIO): nothing is answered but the truth or 503', { timeout: 60_000 }, async () => {
      const database = join(await newFolder(), 'latchkey.db');
      const serving = await serveDatabase(database);
      const seen = await weather('reads (EIO)', serving, database, ({ child }) =>
        failing(child, 'pread64', 'EIO', database),
      );
      expect([...seen.statuses].filter((status) => ![200, 201, 204, 503].includes(status))).toEqual([]);
      expect([...seen.good].filter((status) => ![200, 503].includes(status))).toEqual([]);
      expect([...seen.bad].filter((status) => ![401, 503].includes(status))).toEqual([]);
      await isWhole(database);
    });
  });
});
