import { expect, onTestFinished, test } from 'vitest';
import { createAccessToken } from '../../generated/index.js';
import { defaultConfig } from '../../server/config/config.js';
import { openDatabase } from '../../server/database/index.js';
import { linkEvents } from '../../server/events/link.js';
import { verifyChain } from '../../server/events/verify.js';
import { createLog } from '../../server/log/log.js';
import { createSweeper } from '../../server/sweeper.js';
import { afterFirstQuery } from '../support/between-queries.js';
import { answered, DAY, MINUTE, type Service, startService } from '../support/service.js';
import { change, rowsOf } from '../support/store.js';

/** A service with four events of now and two of 20 days later, all linked, and a database beside it. */
async function aged() {
  const service = await startService();
  const { client } = await service.admin();
  await answered(createAccessToken({ client, body: { name: 'a' } }));
  await answered(createAccessToken({ client, body: { name: 'b' } }));
  service.clock.advance(20 * DAY);
  const again = await service.admin();
  await answered(createAccessToken({ client: again.client, body: { name: 'c' } }));
  await service.stop();
  const db = await openDatabase(service.database);
  onTestFinished(() => db.close());
  return { service, db };
}

async function sweep({ service, db }: Awaited<ReturnType<typeof aged>>, auditDays: number | null): Promise<void> {
  const sweeper = createSweeper({
    db,
    now: service.clock.now,
    log: createLog('silent'),
    config: { ...defaultConfig, auditDays },
  });
  expect(await sweeper.sweep()).toBe(true);
  await sweeper.close();
  await linkEvents(db, null);
}

const ACTIONS = 'select seq, action from audit_events order by seq';
const actionsOf = async (service: Service) => (await rowsOf(service, ACTIONS)).map(({ action }) => action);

test('events older than LATCHKEY_AUDIT_DAYS are deleted, an event says so, and the rest verifies', async () => {
  const setting = await aged();
  await sweep(setting, 10);
  expect(await actionsOf(setting.service)).toEqual(['session.opened', 'token.created', 'audit.pruned']);
  const report = await verifyChain(setting.db, 1, null);
  expect(report).toMatchObject({ events: 3, pruned: 4, fault: null });
  const old = { seq: 2, hash: '0'.repeat(64) };
  expect(await verifyChain(setting.db, 1, null, [old])).toMatchObject({ fault: null, deletedAnchors: 1 });
  const [{ changes } = {}] = await rowsOf(
    setting.service,
    "select changes from audit_events where action = 'audit.pruned'",
  );
  const { lastHash } = (JSON.parse(String(changes)) as { after: { lastHash: string } }).after;
  expect(await verifyChain(setting.db, 1, null, [{ seq: 4, hash: lastHash }])).toMatchObject({
    fault: null,
    deletedAnchors: 0,
  });
  expect((await verifyChain(setting.db, 1, null, [{ ...old, seq: 4 }])).fault).toEqual({
    seq: 4,
    what: 'the hash is not the one of the anchor',
  });
  expect(await verifyChain(setting.db, 1, null, report.head === null ? [] : [report.head])).toMatchObject({
    fault: null,
  });
});

test('a deletion while the chain is verified is no fault', async () => {
  const setting = await aged();
  const read = afterFirstQuery(setting.db.read, () => sweep(setting, 10));
  expect(await verifyChain({ read }, 1, null)).toMatchObject({ events: 3, pruned: 4, fault: null });
});

test('an event that a webhook must still get is kept', async () => {
  const setting = await aged();
  const { service, db } = setting;
  await db.write((trx) =>
    trx
      .insertInto('webhooks')
      .values({
        uuid: Buffer.alloc(16, 1),
        organization_id: 1,
        url: 'https://hooks.example.org/',
        secret: Buffer.alloc(64),
        created_at: 1,
        after_id: 0,
        after_seq: 2,
      })
      .execute(),
  );
  await sweep(setting, 10);
  expect((await rowsOf(service, ACTIONS)).map(({ seq }) => seq)).toEqual([3, 4, 5, 6, 7]);
  await change(service, "update webhooks set disabled_at = 1, disabled_reason = 'manual'");
  service.clock.advance(MINUTE * 6);
  await sweep(setting, 10);
  expect((await rowsOf(service, ACTIONS)).map(({ seq }) => seq)).toEqual([5, 6, 7, 8]);
});

test('without it, or while all are younger, all are kept', async () => {
  const setting = await aged();
  const before = await actionsOf(setting.service);
  await sweep(setting, null);
  expect(await actionsOf(setting.service)).toEqual(before);
  setting.service.clock.advance(DAY);
  await sweep(setting, 30);
  expect(await actionsOf(setting.service)).toEqual(before);
});

test('a start of the chain that was cut off without an event is a fault', async () => {
  const { service, db } = await aged();
  await change(
    service,
    'update audit_heads set pruned_seq = 2, pruned_hash = (select hash from audit_events where seq = 2)',
    'delete from audit_events where seq <= 2',
  );
  expect((await verifyChain(db, 1, null)).fault).toEqual({
    seq: 2,
    what: 'no event tells that the events up to this one were deleted',
  });
});
