import { describe, expect, test } from 'vitest';
import { createAccessToken } from '../../generated/index.js';
import { openDatabase } from '../../server/database/index.js';
import { type EventRow, HASHED_COLUMNS, hashOf, START } from '../../server/events/chain.js';
import { linkEvents } from '../../server/events/link.js';
import { type Anchor, type ChainReport, verifyChain } from '../../server/events/verify.js';
import { isOnPostgres } from '../support/databases.js';
import { answered, type Service, startService } from '../support/service.js';
import { change, rowsOf } from '../support/store.js';

// Each event is linked to the one before by its hash, so that no event can be changed, moved, added or removed unnoticed.

async function chainOf(names: number, options = {}): Promise<Service> {
  const service = await startService(options);
  const { client } = await service.admin();
  for (let made = 0; made < names; made += 1) await answered(createAccessToken({ client, body: { name: 'a' } }));
  await service.stop();
  return service;
}

async function verify(
  { database }: Service,
  anchors: Anchor[] = [],
  key: Uint8Array | null = null,
): Promise<ChainReport> {
  const db = await openDatabase(database);
  try {
    return await verifyChain(db, 1, key, anchors);
  } finally {
    await db.close();
  }
}

test('a stop links all events, and their chain is whole', async () => {
  const service = await chainOf(5);
  expect(await verify(service)).toEqual({
    events: 7,
    pruned: 0,
    unlinked: 0,
    withoutKey: 0,
    deletedAnchors: 0,
    head: { seq: 7, hash: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
    fault: null,
  });
});

test('the hash covers every column but itself', async () => {
  const service = await chainOf(0);
  const [row = {}] = await rowsOf(service, 'select * from audit_events limit 1');
  expect([...HASHED_COLUMNS, 'hash'].sort()).toEqual(Object.keys(row).sort());
});

const bytes = (hex: string) => (isOnPostgres ? `decode('${hex}', 'hex')` : `x'${hex}'`);

/** Another value for each column, in SQL. */
const FORGED: Record<Exclude<keyof EventRow, 'seq'>, string> = {
  id: '1000',
  uuid: bytes('00112233445566778899aabbccddeeff'),
  organization_id: '1',
  at: 'at + 1',
  action: "'token.updated'",
  actor_kind: "'cli'",
  actor_id: '2',
  actor_token: bytes('00112233445566778899aabbccddeeff'),
  actor_label: "'eve@example.org'",
  address: "'127.0.0.2'",
  user_agent: "'other'",
  request_id: "'other'",
  owner_id: '2',
  target_kind: "'tokens'",
  target_uuid: bytes('00112233445566778899aabbccddeeff'),
  target_label: "'b'",
  target_prefix: "'b'",
  reason: "'user'",
  changes: "'{}'",
  hash: bytes('00'.repeat(32)),
};

/** All values that differ from `value` in one byte, or in whether there is one. */
function flipped(value: EventRow[keyof EventRow]): EventRow[keyof EventRow][] {
  if (value === null) return ['', 0];
  if (typeof value === 'number') return [null, ...[0, 1, 2, 3, 4, 5].map((byte) => value + 256 ** byte)];
  if (typeof value === 'string') {
    const changed = (at: number) => String.fromCharCode(value.charCodeAt(at) ^ 1);
    return [null, ...Array.from(value, (_, at) => value.slice(0, at) + changed(at) + value.slice(at + 1))];
  }
  return [null, ...Array.from(value, (_, at) => value.map((byte, index) => (index === at ? byte ^ 0xff : byte)))];
}

test('any flipped byte in any column of a chain of 100 changes the hash of its event', async () => {
  const { database } = await chainOf(98);
  const db = await openDatabase(database);
  const rows = await db.read.selectFrom('audit_events').selectAll().orderBy('seq').execute();
  await db.close();
  expect(rows).toHaveLength(100);
  let previous = START;
  let count = 0;
  for (const row of rows) {
    expect(hashOf(previous, row, null).equals(row.hash ?? START)).toBe(true);
    for (const column of HASHED_COLUMNS) {
      for (const value of flipped(row[column])) {
        const forged = { ...row, [column]: value };
        if (hashOf(previous, forged, null).equals(row.hash ?? START)) throw new Error(`${column} is not covered`);
        count += 1;
      }
    }
    previous = row.hash ?? START;
  }
  expect(count).toBeGreaterThan(10_000);
});

describe('the first fault of a chain is named', () => {
  const columns = Object.entries(FORGED).filter(([column]) => column !== 'organization_id');
  test.each(columns)('where %s was changed', async (column, value) => {
    const service = await chainOf(3);
    await change(service, `update audit_events set ${column} = ${value} where seq = 4`);
    expect((await verify(service)).fault).toMatchObject({
      seq: 4,
      what: expect.stringContaining('was changed') as string,
    });
  });

  test('where an event was removed, at the start, in the middle or at the end', async () => {
    for (const seq of [1, 3, 5]) {
      const service = await chainOf(3);
      await change(service, `delete from audit_events where seq = ${String(seq)}`);
      expect((await verify(service)).fault).toEqual({ seq, what: 'the event is missing' });
    }
  });

  test('where two events changed their places', async () => {
    const service = await chainOf(3);
    await change(
      service,
      'update audit_events set seq = 100 where seq = 3',
      'update audit_events set seq = 3 where seq = 4',
      'update audit_events set seq = 4 where seq = 100',
    );
    expect((await verify(service)).fault).toMatchObject({ seq: 3 });
  });

  test('where an event was added behind the end', async () => {
    const service = await chainOf(3);
    await change(
      service,
      `insert into audit_events (uuid, organization_id, seq, at, action, actor_kind)
        select uuid, organization_id, 6, at, action, actor_kind from audit_events where seq = 5`,
    );
    expect((await verify(service)).fault).toEqual({ seq: 6, what: 'the event stands behind the end of the chain' });
  });

  test('where an event was added before the start', async () => {
    for (const seq of [0, -7]) {
      const service = await chainOf(3);
      await change(
        service,
        `insert into audit_events (uuid, organization_id, seq, at, action, actor_kind)
          select ${bytes('00112233445566778899aabbccddeeff')}, organization_id, ${String(seq)}, at, action, actor_kind
            from audit_events where seq = 5`,
      );
      expect((await verify(service)).fault).toEqual({ seq, what: 'the event stands before the start of the chain' });
    }
  });

  test('where the end was cut off together with the note of it, by an anchor alone', async () => {
    const service = await chainOf(3);
    const { head } = await verify(service);
    await change(
      service,
      'delete from audit_events where seq > 3',
      'update audit_heads set seq = 3, hash = (select hash from audit_events where seq = 3)',
    );
    expect((await verify(service)).fault).toBeNull();
    const anchors = head === null ? [] : [head];
    expect((await verify(service, anchors)).fault).toEqual({ seq: 5, what: 'the chain ends at 3, before the anchor' });
  });

  test('where a whole chain was written anew, by an anchor alone', async () => {
    const service = await chainOf(3);
    const { head } = await verify(service);
    await change(
      service,
      "update audit_events set address = '10.0.0.1', seq = null, hash = null",
      `update audit_heads set seq = 0, hash = ${bytes('00'.repeat(32))}`,
    );
    const db = await openDatabase(service.database);
    await linkEvents(db, null);
    await db.close();
    expect((await verify(service)).fault).toBeNull();
    expect((await verify(service, head === null ? [] : [head])).fault).toEqual({
      seq: 5,
      what: 'the hash is not the one of the anchor',
    });
  });
});

test('many writers make one chain without a fork', async () => {
  const service = await startService();
  const { client } = await service.admin();
  const second = await startService({ database: service.database });
  const other = second.as((await second.admin()).token);
  await Promise.all(
    Array.from({ length: 64 }, (_, index) =>
      answered(createAccessToken({ client: index % 2 === 0 ? client : other, body: { name: 'a' } })),
    ),
  );
  await Promise.all([service.stop(), second.stop()]);
  const db = await openDatabase(service.database);
  while ((await linkEvents(db, null)) !== 'all');
  await db.close();
  expect(await verify(service)).toMatchObject({ events: 67, unlinked: 0, fault: null });
});
