import { expect, onTestFinished, test } from 'vitest';
import { createAccessToken } from '../../generated/index.js';
import { defaultConfig } from '../../server/config/config.js';
import { openDatabase } from '../../server/database/index.js';
import { linkEvents } from '../../server/events/link.js';
import { verifyChain } from '../../server/events/verify.js';
import { createLog } from '../../server/log/log.js';
import { createSweeper } from '../../server/sweeper.js';
import { answered, DAY, type Service, startService } from '../support/service.js';
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
  expect(await verifyChain(setting.db, 1, null, report.head === null ? [] : [report.head])).toMatchObject({
    fault: null,
  });
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
