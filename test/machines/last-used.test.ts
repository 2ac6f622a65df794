import { expect, onTestFinished, test } from 'vitest';
import { createAccessToken } from '../../generated/index.js';
import { type Database, openDatabase } from '../../server/database/index.js';
import { runCompiled, runDirectly } from '../../server/database/prepared.js';
import { createLastUsed } from '../../server/tokens/last-used.js';
import { isOnPostgres } from '../support/databases.js';
import { answered, type Service, startService } from '../support/service.js';
import { rowsOf } from '../support/store.js';

interface Process {
  lastUsed: ReturnType<typeof createLastUsed>;
  /** The statements of each transaction. */
  transactions: string[][];
  warnings: object[];
}

/** What another process on the database of the service records uses with. */
async function processOn(service: Service): Promise<Process> {
  const db = await openDatabase(service.database);
  const transactions: string[][] = [];
  const write: Database['write'] = (work) =>
    db.write((trx) => {
      const statements: string[] = [];
      transactions.push(statements);
      const traced = trx.withoutPlugins();
      runDirectly(traced, (query, parameters) => {
        statements.push(query.sql);
        return runCompiled(trx, query, parameters);
      });
      return work(traced);
    });
  const warnings: object[] = [];
  const log = { info: () => undefined, warn: (line: object) => warnings.push(line), error: () => undefined };
  const lastUsed = createLastUsed({ write }, log, { delay: 60_000 });
  onTestFinished(async () => {
    await lastUsed.close();
    await db.close();
  });
  return { lastUsed, transactions, warnings };
}

/** Another secret of each token than the newest. */
const OTHER = Buffer.from([0, 0, 0, 0]);

async function makeTokens(service: Service, count: number) {
  const { client } = await service.admin();
  await Promise.all(Array.from({ length: count }, () => answered(createAccessToken({ client, body: { name: 'a' } }))));
  const rows = await rowsOf(service, "select id, secret_start from access_tokens where type = 'pat' order by id");
  return rows.map(({ id, secret_start }) => ({ tokenId: Number(id), digest: { start: secret_start as Buffer } }));
}

function usesOf(service: Service) {
  return rowsOf(
    service,
    "select last_used_at as used, previous_last_used_at as previous from access_tokens where type = 'pat' order by id",
  );
}

test('uses of one token by two processes end with the latest, in whatever order they are written', async () => {
  const service = await startService();
  const tokens = await makeTokens(service, 30);
  const processes = [await processOn(service), await processOn(service), await processOn(service)];
  for (let round = 1; round <= 3; round++) {
    for (const [index, { lastUsed }] of processes.entries()) {
      const inOrder = index === 0 ? tokens : tokens.toReversed();
      for (const token of inOrder) lastUsed.note(token, null, round * 1_000_000 + index);
    }
    await Promise.all(processes.map(({ lastUsed }) => lastUsed.flush()));
    const expected = { used: round * 1_000_000 + 2, previous: null };
    expect(await usesOf(service)).toEqual(tokens.map(() => expected));
  }
  expect(processes.flatMap(({ warnings }) => warnings)).toEqual([]);
});

test('uses of both secrets of a token are written together, and neither is lost', async () => {
  const service = await startService();
  const tokens = await makeTokens(service, 3);
  const { lastUsed } = await processOn(service);
  for (const { tokenId, digest } of tokens) {
    lastUsed.note({ tokenId, digest }, null, 2_000);
    lastUsed.note({ tokenId, digest: { start: OTHER } }, null, 1_000);
  }
  await lastUsed.flush();
  expect(await usesOf(service)).toEqual(tokens.map(() => ({ used: 2_000, previous: 1_000 })));
  for (const token of tokens) lastUsed.note(token, null, 500);
  await lastUsed.flush();
  expect(await usesOf(service)).toEqual(tokens.map(() => ({ used: 2_000, previous: 1_000 })));
});

test('fifty tokens are one statement on PostgreSQL, after one that locks them in their order', async () => {
  const service = await startService();
  const tokens = await makeTokens(service, 50);
  const { lastUsed, transactions } = await processOn(service);
  for (const token of tokens) lastUsed.note(token, null, 1_000);
  await lastUsed.flush();
  expect(transactions).toHaveLength(1);
  const [statements = []] = transactions;
  if (!isOnPostgres) {
    expect(statements).toHaveLength(50);
    return;
  }
  expect(statements).toEqual([
    expect.stringMatching(/ order by "id" for no key update$/),
    expect.stringMatching(/^update "access_tokens" set .* from unnest\(/),
  ]);
});
