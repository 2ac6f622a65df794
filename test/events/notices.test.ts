import { describe, expect, onTestFinished, test } from 'vitest';
import {
  type AuditEvent,
  createAccessToken,
  listAccessTokenEvents,
  listAuditEvents,
  revokeAccessToken,
  rotateAccessToken,
  transferAccessTokens,
  updateAccessToken,
} from '../../generated/index.js';
import { type Config, defaultConfig } from '../../server/config/config.js';
import { openDatabase } from '../../server/database/index.js';
import { NO_MAILS } from '../../server/mail/mails.js';
import { createNotices } from '../../server/notices/notices.js';
import { noticeBatch } from '../../server/notices/round.js';
import { isOnPostgres } from '../support/databases.js';
import { answered, type Client, DAY, MINUTE, type Service, startService } from '../support/service.js';
import { change, rowsOf } from '../support/store.js';

// Tokens that expire are noticed once for each number of days.

/** What notices tokens in one process more on the database of the service. */
async function noticesOn(service: Service, config: Partial<Config> = {}) {
  const db = await openDatabase(service.database);
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const deps = { db, now: service.clock.now, log, config: { ...defaultConfig, ...config }, mails: NO_MAILS };
  const notices = createNotices(deps);
  onTestFinished(async () => {
    await notices.close();
    await db.close();
  });
  return { ...notices, deps };
}

async function create(client: Client, name: string, expiresInDays: number | null) {
  const { token } = await answered(createAccessToken({ client, body: { name, expiresInDays } }));
  return token.id;
}

const isNotice = ({ action }: AuditEvent) => action === 'token.expiring' || action === 'token.expired';

/** The notices so far, oldest first: the name of the token, and the days or `expired`. */
async function noticed(service: Service): Promise<[name: string, what: unknown][]> {
  const { items } = await answered(listAuditEvents({ client: (await service.admin()).client, query: { limit: 200 } }));
  return items
    .filter(isNotice)
    .toReversed()
    .map(({ action, target, changes }) => [
      target?.label ?? '',
      action === 'token.expired' ? 'expired' : changes.after?.['days'],
    ]);
}

/** Moves the clock, and notices what is due then. A round on PostgreSQL stays a few seconds behind. */
async function later(service: Service, notices: { sweep(): Promise<boolean> }, days: number): Promise<void> {
  service.clock.advance(days * DAY + MINUTE);
  expect(await notices.sweep()).toBe(true);
}

test('a token is noticed once at each number of days, and when it has expired', async () => {
  const service = await startService();
  const { client } = await service.admin();
  const notices = await noticesOn(service);
  await create(client, 'long', 40);
  await create(client, 'endless', null);
  const found: unknown[] = [];
  for (const days of [9, 1, 1, 22, 3, 3, 1, 1]) {
    await later(service, notices, days);
    found.push((await noticed(service)).map(([, what]) => what));
  }
  const all = [30, 7, 1, 'expired'];
  expect(found).toEqual([[], [30], [30], [30, 7], [30, 7], all.slice(0, 3), all, all]);
});

test('the event is by the service, about the token, and its owner sees it', async () => {
  const service = await startService();
  const user = await service.newUser();
  const notices = await noticesOn(service);
  const id = await create(user.client, 'short', 8);
  await later(service, notices, 1);
  const again = await service.logIn(user.email, user.password);
  const { items } = await answered(listAccessTokenEvents({ client: again.client, path: { token_id: id } }));
  expect(items.filter(isNotice)).toMatchObject([
    {
      action: 'token.expiring',
      actor: { kind: 'system', userId: null },
      address: null,
      ownerId: user.session.id,
      target: { kind: 'token', tokenId: id, label: 'short' },
      reason: null,
      changes: { after: { days: 7, expiresAt: '2030-06-23T12:00:00.000Z' } },
    },
  ]);
});

test('a token gets no notice for days that it never had, and after a pause the nearest one alone', async () => {
  const service = await startService();
  const { client } = await service.admin();
  const notices = await noticesOn(service, { expiryNoticeDays: [1, 30, 7] });
  await create(client, 'a week', 7);
  await create(client, 'eight days', 8);
  await create(client, 'forty days', 40);
  await later(service, notices, 0);
  expect(await noticed(service)).toEqual([]);
  await later(service, notices, 6);
  expect(await noticed(service)).toEqual([
    ['a week', 1],
    ['eight days', 7],
  ]);
  await later(service, notices, 28);
  expect((await noticed(service)).slice(2)).toEqual([
    ['a week', 'expired'],
    ['eight days', 'expired'],
    ['forty days', 7],
  ]);
});

test('an edit and a rotation give the notices of the new expiry', async () => {
  const service = await startService();
  const notices = await noticesOn(service, { expiryNoticeDays: [7] });
  const path = { token_id: await create((await service.admin()).client, 'moved', 8) };
  await later(service, notices, 1);
  await answered(updateAccessToken({ client: (await service.admin()).client, path, body: { expiresInDays: 20 } }));
  await later(service, notices, 12);
  expect(await noticed(service)).toEqual([['moved', 7]]);
  await later(service, notices, 1);
  expect(await noticed(service)).toHaveLength(2);
  await answered(rotateAccessToken({ client: (await service.admin()).client, path, body: { expiresInDays: 9 } }));
  await later(service, notices, 2);
  expect(await noticed(service)).toHaveLength(3);
  // The expiry comes nearer, and was never farther than seven days.
  await answered(updateAccessToken({ client: (await service.admin()).client, path, body: { expiresInDays: 3 } }));
  await later(service, notices, 2);
  expect(await noticed(service)).toHaveLength(3);
});

test('a token that is given to another owner is noticed for that one from then on, and never twice', async () => {
  const service = await startService();
  const notices = await noticesOn(service, { expiryNoticeDays: [30, 7] });
  const { client } = await service.admin();
  const id = await create(client, 'given', 40);
  const { session } = await service.newUser();
  await later(service, notices, 11);
  const admin = await service.admin();
  await answered(transferAccessTokens({ client: admin.client, body: { ids: [id], to: session.id } }));
  await later(service, notices, 1);
  await later(service, notices, 25);
  const { items } = await answered(
    listAuditEvents({ client: (await service.admin()).client, query: { token: id, limit: 200 } }),
  );
  expect(items.filter(isNotice).map(({ ownerId, changes }) => [ownerId, changes.after?.['days']])).toEqual([
    [session.id, 7],
    [1, 30],
  ]);
});

test('sessions, and tokens that are revoked before, are not noticed', async () => {
  const service = await startService();
  const { client } = await service.admin();
  const notices = await noticesOn(service);
  await revokeAccessToken({ client, path: { token_id: await create(client, 'revoked', 8) } });
  await later(service, notices, 20);
  expect(await noticed(service)).toEqual([]);
});

describe('the setting', () => {
  test('without numbers only an expiry is an event', async () => {
    const service = await startService();
    const notices = await noticesOn(service, { expiryNoticeDays: [] });
    await create((await service.admin()).client, 'a', 8);
    for (const days of [2, 5, 2]) await later(service, notices, days);
    expect(await noticed(service)).toEqual([['a', 'expired']]);
  });

  test.each([['0'], ['366'], ['7,7'], ['1,2,3,4,5,6,7,8,9,10,11'], ['7;1']])('is not %s', async (text) => {
    const { readConfig } = await import('../../server/index.js');
    expect(() => readConfig({}, { LATCHKEY_EXPIRY_NOTICE_DAYS: text })).toThrow('LATCHKEY_EXPIRY_NOTICE_DAYS must be');
  });

  test('is a list in any order, or none', async () => {
    const { readConfig } = await import('../../server/index.js');
    const daysOf = (text: string) => readConfig({}, { LATCHKEY_EXPIRY_NOTICE_DAYS: text }).expiryNoticeDays;
    expect(daysOf('1, 14,7')).toEqual([1, 14, 7]);
    expect(daysOf('none')).toEqual([]);
    expect(daysOf('')).toEqual([30, 7, 1]);
  });
});

/** Adds tokens by SQL that all expire in eight days. */
async function addMany(service: Service, count: number): Promise<void> {
  const [uuid, start] = isOnPostgres
    ? ["decode(lpad(to_hex(number), 32, '0'), 'hex')", "decode('00000000', 'hex')"]
    : ["cast(printf('%016d', number) as blob)", "x'00000000'"];
  const now = service.clock.now();
  await change(
    service,
    `insert into access_tokens (uuid, organization_id, owner_id, type, name, prefix, created_at, expires_at, scope_set_id,
        version, secret_start)
      with recursive numbers(number) as (select 1 union all select number + 1 from numbers where number < ${String(count)})
      select ${uuid}, 1, 1, 'pat', 'many', 'lk_pat_00000', ${String(now)}, ${String(now + 8 * DAY)}, 1, 1, ${start} from numbers`,
  );
}

test('of several processes one notices at a time, and what a killed one left is noticed once', async () => {
  const service = await startService();
  await addMany(service, 650);
  const processes = await Promise.all(Array.from({ length: 3 }, () => noticesOn(service)));
  const [first] = processes;
  if (first === undefined) throw new TypeError('there is a first process');
  service.clock.advance(DAY + MINUTE);
  // Four of its transactions, the last two with tokens, and then it is gone.
  for (let step = 0; step < 4; step++) expect(await noticeBatch(first.deps, service.clock.now())).toBe(true);
  const count = async () => {
    const query = `select count(*) as count, count(distinct target_uuid) as tokens from audit_events
      where action = 'token.expiring'`;
    return (await rowsOf(service, query))[0];
  };
  expect(await count()).toEqual({ count: 400, tokens: 400 });
  const swept = await Promise.all(processes.map((notices) => notices.sweep()));
  expect(swept.filter(Boolean)).toHaveLength(1);
  expect(await count()).toEqual({ count: 650, tokens: 650 });
  service.clock.advance(MINUTE);
  // Without the claim, the row of the job is still locked by one at a time.
  await Promise.all(processes.map((notices) => notices.settle()));
  expect(await count()).toEqual({ count: 650, tokens: 650 });
});
