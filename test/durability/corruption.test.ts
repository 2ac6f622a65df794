import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDriver from 'better-sqlite3';
import { expect, test } from 'vitest';
import { createAccessToken, getMe } from '../../generated/index.js';
import { clientOf, latchkey, logInTo, newFolder, serveDatabase } from '../support/process.js';
import { publish } from './figures.js';
import { broken, createLedger, type Promises, promisesOf, verdictsOn } from './ledger.js';
import { startLoad } from './load.js';

test('pages that are damaged under a running service give 503 and no wrong answer, and a backup mends it', {
  timeout: 60_000,
}, async () => {
  const folder = await newFolder();
  const [database, copy] = [join(folder, 'latchkey.db'), join(folder, 'copy.db')];
  const { token, promises } = await fill(database);
  expect(await latchkey(['backup', copy, '--database', database])).toMatchObject({ code: 0 });

  const serving = await serveDatabase(database);
  const asked = { url: serving.url, token };
  damage(database, secretPagesOf(database));
  const statusOf = async (plaintext: string) =>
    (await getMe({ client: clientOf(serving.url, plaintext) })).response.status;
  const seen = { good: new Set<number>(), bad: new Set<number>(), creates: new Set<number>() };
  for (const { plaintext } of promises.serving) seen.good.add(await statusOf(plaintext));
  for (const plaintext of promises.over) seen.bad.add(await statusOf(plaintext));
  const made: string[] = [];
  for (let index = 0; index < 50; index++) {
    const { data, response } = await createAccessToken({
      client: clientOf(serving.url, token),
      body: { name: 'later' },
    });
    seen.creates.add(response.status);
    if (data !== undefined) made.push(data.plaintext);
  }
  publish('storage', 'damaged pages: a token that serves', [...seen.good].sort().join(' '), '200 or 503');
  publish('storage', 'damaged pages: one that is over', [...seen.bad].sort().join(' '), '401 or 503');
  publish('storage', 'damaged pages: a create', [...seen.creates].sort().join(' '), '201 or 503');
  expect([...seen.good].sort()).toEqual([200, 503]);
  expect([...seen.bad].filter((status) => ![401, 503].includes(status))).toEqual([]);
  expect([...seen.creates].filter((status) => ![201, 503].includes(status))).toEqual([]);
  for (const plaintext of made) expect(await statusOf(plaintext)).toBe(200);
  expect((await fetch(`${serving.url}/healthz`)).status).toBe(200);
  serving.child.kill('SIGTERM');
  await serving.finished;

  const refused = await latchkey(['serve', '--database', database, '--port', '0']);
  expect(refused.stderr).toMatch(/^latchkey: [^\n]*(damaged|malformed)[^\n]*\n$/);
  expect(refused.code).toBe(1);
  expect((await latchkey(['check', '--database', database])).code).toBe(1);
  expect(await latchkey(['restore', copy, '--force', '--database', database])).toMatchObject({ code: 0 });
  const restored = { ...asked, url: (await serveDatabase(database)).url };
  expect(await broken(restored, promises)).toEqual({ lost: 0, revived: 0 });
  expect(new Set(await verdictsOn(restored, made))).toEqual(new Set(made.length === 0 ? [] : ['unknown']));
});

/** Makes a database with some thousand secrets, which nobody has open then. */
async function fill(database: string): Promise<{ token: string; promises: Promises }> {
  const serving = await serveDatabase(database);
  const { token } = await logInTo(serving.url);
  const ledger = createLedger();
  const load = startLoad({ url: serving.url, token }, ledger, 64);
  await expect.poll(() => load.operations.length, { interval: 20, timeout: 20_000 }).toBeGreaterThan(1_500);
  await load.stop();
  serving.child.kill('SIGTERM');
  await serving.finished;
  return { token, promises: promisesOf(ledger) };
}

/** Every third leaf of the tree in which secrets are looked up. */
function secretPagesOf(database: string): number[] {
  const connection = new SqliteDriver(database, { readonly: true });
  const query = "select pageno from dbstat where name = 'token_secrets' and pagetype = 'leaf' order by pageno";
  const pages = connection.prepare(query).pluck().all() as number[];
  connection.close();
  return pages.filter((_, index) => index % 3 === 0);
}

/** SQLite has no checksums: of a page it notices what cannot be one, and not each changed byte. */
function damage(database: string, pages: readonly number[]): void {
  const file = openSync(database, 'r+');
  for (const page of pages) writeSync(file, Buffer.alloc(4_096, 0xff), 0, 4_096, (page - 1) * 4_096);
  closeSync(file);
}
