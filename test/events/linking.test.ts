import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createAccessToken } from '../../generated/index.js';
import { type Database, openDatabase, openMemoryDatabase, type Queries } from '../../server/database/index.js';
import type { EventRow } from '../../server/database/schema.js';
import { HASHED_COLUMNS } from '../../server/events/chain.js';
import { createLinking } from '../../server/events/link.js';
import { recordEvent } from '../../server/events/record.js';
import { verifyChain } from '../../server/events/verify.js';
import { OPERATOR } from '../../server/tokens/actor.js';
import { FULL } from '../durability/figures.js';
import { isOnPostgres } from '../support/databases.js';
import { answered, startService } from '../support/service.js';
import { rowsOf } from '../support/store.js';

// How events get their places in the chain on an engine with one writer: at the end of the transaction.

const record = (trx: Queries, label: string) =>
  recordEvent(trx, OPERATOR, 1, {
    action: 'token.created',
    owner: { organizationId: 1, ownerId: 1 },
    target: { uuid: '01983f0b-0b7e-7d42-9b02-6be3f1f4d5c6', name: label, prefix: 'lk_pat_Ab3d5' },
    changes: { after: { name: label } },
  });

async function fileWithLinking(): Promise<Database> {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-'));
  const db = await openDatabase(join(folder, 'latchkey.db'), { atCommit: createLinking(null) });
  onTestFinished(async () => {
    await db.close();
    await rm(folder, { recursive: true });
  });
  return db;
}

const places = async ({ read }: Database) =>
  await read.selectFrom('audit_events').select(['seq', 'target_label']).orderBy('id').execute();

test.skipIf(isOnPostgres)('a change that fails in a group of writes leaves no event, and no gap', async () => {
  const db = await fileWithLinking();
  const writes = ['a', 'fails', 'b', 'c'].map((label) =>
    db.write(async (trx) => {
      await record(trx, label);
      if (label === 'fails') throw new Error('undone');
    }),
  );
  const outcomes = await Promise.allSettled(writes);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
  expect(await places(db)).toEqual([
    { seq: 1, target_label: 'a' },
    { seq: 2, target_label: 'b' },
    { seq: 3, target_label: 'c' },
  ]);
  // Alone in its transaction, too.
  await expect(
    db.write(async (trx) => {
      await record(trx, 'fails');
      throw new Error('undone');
    }),
  ).rejects.toThrow('undone');
  await db.write((trx) => record(trx, 'd'));
  expect((await places(db)).at(-1)).toEqual({ seq: 4, target_label: 'd' });
  expect(await verifyChain(db, 1, null)).toMatchObject({ events: 4, unlinked: 0, fault: null });
});

test.skipIf(isOnPostgres)('an event has its place as soon as its change is answered', async () => {
  const service = await startService();
  const { client } = await service.admin();
  await answered(createAccessToken({ client, body: { name: 'a' } }));
  expect(await rowsOf(service, 'select count(*) as count from audit_events where seq is null')).toEqual([{ count: 0 }]);
});

const EVENTS = 100;
/** How many of the events are changed, each in every column. */
const CHANGED = FULL ? EVENTS : 5;

test.skipIf(isOnPostgres)(
  'a flipped byte in any column of any event of a chain is found, and the event is named',
  { timeout: FULL ? 600_000 : 30_000 },
  async () => {
    const db = await openMemoryDatabase(undefined, createLinking(null));
    onTestFinished(() => db.close());
    await db.write(async (trx) => {
      for (let made = 1; made <= EVENTS; made++) await record(trx, `token ${String(made)}`);
    });
    const rows = await db.read.selectFrom('audit_events').selectAll().orderBy('seq').execute();
    expect(rows).toHaveLength(EVENTS);
    for (let changed = 0; changed < CHANGED; changed++) {
      const row = rows[Math.floor((changed * (EVENTS - 1)) / Math.max(1, CHANGED - 1))] as EventRow;
      for (const column of [...HASHED_COLUMNS, 'hash'] as const) {
        const value = row[column];
        const forged = flipped(value, changed);
        await write(db, row.id, { [column]: forged });
        const { fault } = await verifyChain(db, 1, null);
        expect(fault, `${column} of event ${String(row.seq)}`).toMatchObject({ seq: row.seq });
        await write(db, column === 'id' ? Number(forged) : row.id, { [column]: value });
      }
    }
    expect(await verifyChain(db, 1, null)).toMatchObject({ events: EVENTS, fault: null });
  },
);

async function write(db: Database, id: number, values: Partial<EventRow>): Promise<void> {
  await db.write((trx) => trx.updateTable('audit_events').set(values).where('id', '=', id).execute());
}

/** Another value of the same type that differs in one byte; of null, a text. */
function flipped(value: string | number | Uint8Array | null, place: number): string | number | Uint8Array {
  if (value === null) return 'x';
  // Beyond what other rows have, so that no unique index refuses it.
  if (typeof value === 'number') return value + 2 ** 20;
  const bytes = Buffer.from(value);
  const index = place % bytes.length;
  bytes[index] = (bytes[index] ?? 0) ^ 1;
  return typeof value === 'string' ? bytes.toString('latin1') : bytes;
}
