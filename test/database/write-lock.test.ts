import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import SqliteDriver from 'better-sqlite3';
import { expect, test } from 'vitest';
import { createAccessToken, listAccessTokens } from '../../generated/index.js';
import { logInTo, newFolder, serveDatabase } from '../support/process.js';
import { answered } from '../support/service.js';

test('while another process holds the write lock, a create that waits too long is 503 with Retry-After, and was not made', async () => {
  const database = join(await newFolder(), 'latchkey.db');
  const { url } = await serveDatabase(database);
  const { client } = await logInTo(url);
  const other = new SqliteDriver(database);
  other.exec('begin immediate');
  const start = performance.now();
  const { response, error } = await createAccessToken({ client, body: { name: 'too late' } });
  expect(performance.now() - start).toBeLessThan(10_000);
  expect(response.status).toBe(503);
  expect(response.headers.get('Retry-After')).toMatch(/^[1-9]\d*$/);
  expect(error).toEqual({ code: 'service_unavailable', detail: expect.any(String) as string });
  other.exec('rollback');
  other.close();
  const { items } = await answered(listAccessTokens({ client, query: { tokenType: 'pat' } }));
  expect(items).toEqual([]);
});

test('while another process holds the write lock, each create waits its own time', async () => {
  const database = join(await newFolder(), 'latchkey.db');
  const { url } = await serveDatabase(database);
  const { client } = await logInTo(url);
  const other = new SqliteDriver(database);
  other.exec('begin immediate');
  const create = async (name: string) => (await createAccessToken({ client, body: { name } })).response.status;
  const first = create('first');
  await sleep(500);
  // These two are of one group, as soon as the first has waited long enough.
  const second = create('second');
  await sleep(3_500);
  const third = create('third');
  expect(await Promise.all([first, second])).toEqual([503, 503]);
  other.exec('rollback');
  other.close();
  expect(await third).toBe(201);
}, 20_000);
