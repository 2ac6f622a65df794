import { expect, test } from 'vitest';
import { changePassword, logIn } from '../../generated/index.js';
import { openDatabase } from '../../server/database/index.js';
import { createFailedLogins } from '../../server/events/failed-logins.js';
import type { Actor } from '../../server/tokens/actor.js';
import { startService } from '../support/service.js';
import { rowsOf } from '../support/store.js';

// Failed logins are counted, and written once a minute and at a stop.

const FAILED =
  "select address, changes, owner_id, actor_kind from audit_events where action = 'login.failed' order by id";

test('many failures from one address make one event with their number', async () => {
  const service = await startService();
  const { client, password } = await service.admin();
  const wrong = { username: 'nobody@example.org', password: 'a wrong password' };
  for (let tried = 0; tried < 12; tried += 1) await logIn({ client: service.anonymous, body: wrong });
  for (const currentPassword of ['a wrong password', password]) {
    await changePassword({ client, body: { currentPassword, newPassword: 'another password' } });
  }
  expect(await rowsOf(service, FAILED)).toEqual([]);
  await service.stop();
  // Those that were rejected without a look at the password count as well, and so does a wrong one in a change of the password.
  expect(await rowsOf(service, FAILED)).toEqual([
    { address: '127.0.0.1', changes: '{"count":13}', owner_id: null, actor_kind: 'anonymous' },
  ]);
});

test('no event has what was typed as a user or a password', async () => {
  const service = await startService();
  const typed = { username: 'pass-as-user@example.org', password: 'typed by mistake' };
  await logIn({ client: service.anonymous, body: typed });
  await service.stop();
  const rows = JSON.stringify(await rowsOf(service, 'select * from audit_events'));
  expect(rows).toContain('login.failed');
  for (const text of Object.values(typed)) expect(rows).not.toContain(text);
});

test('a flood from many addresses makes an event for each of the first 1,000, and one for all others', () => {
  const failedLogins = createFailedLogins();
  const from = (address: string): Actor => ({
    kind: 'anonymous',
    caller: null,
    address,
    recordedAddress: address,
    userAgent: null,
    requestId: null,
  });
  const isFirst = Array.from({ length: 100_000 }, (_, index) =>
    failedLogins.add(from(`2001:db8::${index.toString(16)}`)),
  );
  expect(isFirst.filter(Boolean)).toHaveLength(1);
  expect(failedLogins.size()).toBe(1_001);
});

test('a flood of 100,000 failures from one address makes one event with its count', async () => {
  const service = await startService();
  const failedLogins = createFailedLogins();
  const actor: Actor = {
    kind: 'anonymous',
    caller: null,
    address: '203.0.113.7',
    recordedAddress: '203.0.113.7',
    userAgent: null,
    requestId: null,
  };
  for (let failed = 0; failed < 100_000; failed++) failedLogins.add(actor);
  const db = await openDatabase(service.database);
  await failedLogins.write(db, service.clock.now());
  await failedLogins.write(db, service.clock.now());
  await db.close();
  expect(await rowsOf(service, FAILED)).toEqual([
    { address: '203.0.113.7', changes: '{"count":100000}', owner_id: null, actor_kind: 'anonymous' },
  ]);
});
