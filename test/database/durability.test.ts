import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { createAccessToken, getMe, revokeAccessToken } from '../../generated/index.js';
import { openDatabase } from '../../server/database/index.js';
import { clientOf, logInTo, newFolder, type Serving, serveDatabase } from '../support/process.js';
import { answered, startService } from '../support/service.js';

/** Those of the tokens that open nothing. */
async function refusedOf(url: string, tokens: Iterable<string>): Promise<string[]> {
  const waiting = [...tokens];
  const refused: string[] = [];
  const checkers = Array.from({ length: 16 }, async () => {
    for (let token = waiting.pop(); token !== undefined; token = waiting.pop()) {
      const { status } = await fetch(`${url}/api/v1/auth/me`, { headers: { 'X-API-Key': token } });
      if (status === 401) refused.push(token);
      else expect(status).toBe(200);
    }
  });
  await Promise.all(checkers);
  return refused;
}

test('of two processes on one file, each knows at once what the other creates and revokes', async () => {
  const database = join(await newFolder(), 'latchkey.db');
  const first = await serveDatabase(database);
  const second = await serveDatabase(database);
  const { token: session } = await logInTo(first.url);
  const stale: string[] = [];
  let refusals = 0;

  const pair = async (here: Serving, there: Serving) => {
    const [local, remote] = [clientOf(here.url, session), clientOf(there.url, session)];
    const body = { name: 'shared' };
    const { plaintext, token } = await answered(retried(() => createAccessToken({ client: local, body })));
    const { response } = await getMe({ client: clientOf(there.url, plaintext) });
    if (response.status !== 200) stale.push(`created, ${String(response.status)}`);
    const revocation = await retried(() => revokeAccessToken({ client: remote, path: { token_id: token.id } }));
    expect(revocation.response.status).toBe(204);
    const after = await getMe({ client: clientOf(here.url, plaintext) });
    if (after.response.status !== 401) stale.push(`revoked, ${String(after.response.status)}`);
  };
  const retried = async <Answer extends { response: Response }>(call: () => Promise<Answer>) => {
    for (;;) {
      const answer = await call();
      if (answer.response.status !== 503) return answer;
      refusals++;
    }
  };

  const PAIRS = 120;
  const WORKERS = 6;
  const workers = Array.from({ length: WORKERS }, async (_, worker) => {
    const [here, there] = worker % 2 === 0 ? [first, second] : [second, first];
    for (let index = 0; index < PAIRS / WORKERS; index++) await pair(here, there);
  });
  await Promise.all(workers);
  expect(stale).toEqual([]);
  expect(refusals).toBeLessThanOrEqual(0.05 * 2 * PAIRS);
});

test('of two processes on one file, one that stops takes nothing from the other', async () => {
  const database = join(await newFolder(), 'latchkey.db');
  const first = await serveDatabase(database);
  const second = await serveDatabase(database);
  const { client } = await logInTo(second.url);
  const { plaintext } = await answered(createAccessToken({ client, body: { name: 'before' } }));
  first.child.kill('SIGTERM');
  expect((await first.finished).code).toBe(0);
  const after = await answered(createAccessToken({ client, body: { name: 'after' } }));
  expect(await refusedOf(second.url, [plaintext, after.plaintext])).toEqual([]);
});

test('every commit waits for the disk: synchronous is FULL, in WAL mode', async () => {
  const pragmas: unknown[] = [];
  const service = await startService({
    async openDatabase(path) {
      const db = await openDatabase(path);
      await db.write(async (trx) => {
        for (const pragma of ['synchronous', 'journal_mode', 'foreign_keys']) {
          pragmas.push((await sql.raw(`pragma ${pragma}`).execute(trx)).rows[0]);
        }
      });
      return db;
    },
  });
  expect(pragmas).toEqual([{ synchronous: 2 }, { journal_mode: 'wal' }, { foreign_keys: 1 }]);
  await service.admin();
});
