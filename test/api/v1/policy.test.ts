import { describe, expect, onTestFinished, test } from 'vitest';
import {
  applyPolicy,
  createAccessToken,
  getAccessToken,
  getPolicy,
  listAccessTokenEvents,
  listAuditEvents,
  type PolicyApplication,
  rotateAccessToken,
} from '../../../generated/index.js';
import { defaultConfig } from '../../../server/config/config.js';
import { openDatabase } from '../../../server/database/index.js';
import { NO_MAILS } from '../../../server/mail/mails.js';
import { createNotices } from '../../../server/notices/notices.js';
import type { StartOptions } from '../../../server/start.js';
import { isOnPostgres } from '../../support/databases.js';
import { answered, type Client, DAY, MINUTE, type Person, type Service, startService } from '../../support/service.js';
import { change, rowsOf } from '../../support/store.js';

// The operator's policy reaches tokens that are older than it.

type Policy = Pick<StartOptions, 'maxLifetimeDays' | 'requireExpiry' | 'maxTokensPerOwner'>;

async function create(client: Client, name: string, expiresInDays: number | null) {
  return (await answered(createAccessToken({ client, body: { name, expiresInDays } }))).token.id;
}

/** A service with a policy, and tokens that are older: two without an expiry, one for 300 days, and one for 20. */
async function startWithOldTokens(policy: Policy = { maxLifetimeDays: 90 }) {
  const old = await startService();
  const user = await old.newUser();
  const admin = await old.admin();
  const ids = {
    endless: await create(user.client, 'endless', null),
    ofAdmin: await create(admin.client, 'of the administrator', null),
    long: await create(user.client, 'long', 300),
    short: await create(user.client, 'short', 20),
  };
  const service = await startService({ ...policy, database: old.database, now: old.clock.now });
  const clients = { user: service.as(user.token), admin: service.as(admin.token) };
  return { service, clock: old.clock, user, admin, clients, ids };
}

async function apply(client: Client, body: PolicyApplication) {
  return await answered(applyPolicy({ client, body }));
}

async function endOf(client: Client, id: string): Promise<number | null> {
  const { expiresAt } = await answered(getAccessToken({ client, path: { token_id: id } }));
  return expiresAt === null ? null : Date.parse(expiresAt);
}

const violationsOf = async (client: Client) => (await answered(getPolicy({ client }))).violations;

describe('what breaks the policy', () => {
  test('is counted by rule', async () => {
    const { clients } = await startWithOldTokens({ maxLifetimeDays: 90, maxTokensPerOwner: 2 });
    expect(await answered(getPolicy({ client: clients.admin }))).toEqual({
      defaultLifetimeDays: null,
      maxLifetimeDays: 90,
      requireExpiry: false,
      maxTokensPerOwner: 2,
      violations: { withoutExpiry: 2, livingTooLong: 1, ownersAboveLimit: 1 },
    });
  });

  test('is nothing without a rule, and only what never expires where an expiry is required', async () => {
    const none = await startWithOldTokens({});
    const counts = { withoutExpiry: 0, livingTooLong: 0, ownersAboveLimit: 0 };
    expect(await violationsOf(none.clients.admin)).toEqual(counts);
    expect(await apply(none.clients.admin, { action: 'revoke', inDays: 0 })).toMatchObject({
      changed: 0,
      complete: true,
    });
    const expiry = await startWithOldTokens({ requireExpiry: true });
    expect(await violationsOf(expiry.clients.admin)).toEqual({ ...counts, withoutExpiry: 2 });
  });
});

test('a dry run tells what would be changed, and changes nothing', async () => {
  const { service, clock, clients, ids, user } = await startWithOldTokens();
  const before = await rowsOf(service, 'select * from access_tokens order by id');
  const wish = { action: 'expire', inDays: 30, spreadDays: 14, dryRun: true } as const;
  const answer = await apply(clients.admin, wish);
  expect(answer).toMatchObject({ dryRun: true, action: 'expire', changed: 3, unchanged: 0, complete: true });
  expect(answer.samples.map(({ name }) => name)).toEqual(['endless', 'of the administrator', 'long']);
  expect(answer.samples[0]).toMatchObject({ id: ids.endless, ownerId: user.session.id, expiresAt: null });
  const ends = answer.samples.map(({ endsAt }) => Date.parse(endsAt) - clock.now());
  for (const end of ends) {
    expect(end).toBeGreaterThanOrEqual(30 * DAY);
    expect(end).toBeLessThan(44 * DAY);
  }
  expect(new Set(ends).size).toBe(3);
  expect(Math.min(...ends)).toBe(Date.parse(answer.firstEndsAt ?? '') - clock.now());
  expect(Math.max(...ends)).toBe(Date.parse(answer.lastEndsAt ?? '') - clock.now());
  // The ends depend on the tokens alone.
  expect(await apply(clients.admin, wish)).toEqual(answer);
  expect(await rowsOf(service, 'select * from access_tokens order by id')).toEqual(before);
});

test('expire gives the ends of the dry run, once, with an event of the whole and one for each token', async () => {
  const { clients, ids, admin } = await startWithOldTokens();
  const wish = { action: 'expire', inDays: 30, spreadDays: 14 } as const;
  const { samples } = await apply(clients.admin, { ...wish, dryRun: true });
  expect(await apply(clients.admin, wish)).toMatchObject({ dryRun: false, changed: 3, complete: true, samples: [] });
  expect(await endOf(clients.user, ids.endless)).toBe(Date.parse(samples[0]?.endsAt ?? ''));
  expect(await endOf(clients.user, ids.long)).toBe(Date.parse(samples[2]?.endsAt ?? ''));
  expect(await violationsOf(clients.admin)).toMatchObject({ withoutExpiry: 0, livingTooLong: 0 });
  expect(await apply(clients.admin, { ...wish, inDays: 1 })).toMatchObject({ changed: 0, firstEndsAt: null });

  const { items } = await answered(listAuditEvents({ client: clients.admin, query: { action: 'policy.applied' } }));
  expect(items).toMatchObject([
    {
      actor: { kind: 'user', userId: admin.session.id },
      target: null,
      changes: { count: 3, after: { action: 'expire', inDays: 30, spreadDays: 14, unchanged: 0, complete: true } },
    },
  ]);
  const path = { token_id: ids.long };
  const history = await answered(listAccessTokenEvents({ client: clients.user, path }));
  expect(history.items[0]).toMatchObject({
    action: 'token.updated',
    reason: 'policy',
    changes: { before: { expiresAt: '2031-04-11T12:00:00.000Z' }, after: { expiresAt: samples[2]?.endsAt } },
  });
});

test('no token gets a longer life, nor one that the policy forbids', async () => {
  const again = await startWithOldTokens();
  again.clock.advance(MINUTE);
  const { clients: now } = again;
  expect(await apply(now.admin, { action: 'expire', inDays: 365, spreadDays: 365 })).toMatchObject({ changed: 3 });
  const latest = again.clock.now() + 90 * DAY;
  expect(await endOf(now.user, again.ids.endless)).toBe(latest);
  expect(await endOf(now.user, again.ids.long)).toBe(latest);
  expect(await endOf(now.user, again.ids.short)).toBe(again.clock.now() - MINUTE + 20 * DAY);
});

test('a token that ends sooner anyway stays as it is', async () => {
  const { service, clients, clock, ids } = await startWithOldTokens();
  const near = clock.now() + 10 * DAY;
  await change(service, `update access_tokens set created_at = 1, expires_at = ${String(near)} where name = 'long'`);
  // Its uuid is found by the time of its creation.
  await change(
    service,
    `update access_tokens set created_at = ${String(clock.now())}, lifetime_from = 1 where name = 'long'`,
  );
  expect(await apply(clients.admin, { action: 'expire', inDays: 30 })).toMatchObject({ changed: 2, unchanged: 1 });
  expect(await endOf(clients.user, ids.long)).toBe(near);
});

describe('revoke', () => {
  const expired = [{ token: 'endless' }, { token: 'long' }, { token: 'of the administrator' }];

  async function revocations(service: Service) {
    return await rowsOf(
      service,
      `select name as token from access_tokens where revoked_reason = 'policy' and revoked_at is not null order by name`,
    );
  }

  test('in no days revokes at once, with one event for each owner', async () => {
    const { service, clients, ids, user } = await startWithOldTokens();
    expect(await apply(clients.admin, { action: 'revoke', inDays: 0 })).toMatchObject({ changed: 3 });
    expect(await revocations(service)).toEqual(expired);
    const query = { action: 'token.revoked' } as const;
    const { items } = await answered(listAuditEvents({ client: clients.admin, query }));
    const events = items.map(({ reason, ownerId, changes }) => [reason, ownerId, changes.count]);
    expect(events.sort()).toEqual([
      ['policy', 1, 1],
      ['policy', user.session.id, 2],
    ]);
    const path = { token_id: ids.long };
    const history = await answered(listAccessTokenEvents({ client: clients.user, path }));
    expect(history.items[0]).toMatchObject({ action: 'token.revoked', reason: 'policy' });
    expect(await apply(clients.admin, { action: 'revoke', inDays: 0 })).toMatchObject({ changed: 0 });
  });

  test('in some days revokes at the end, unless the owner has given another expiry', async () => {
    const { service, clients, clock, ids, admin } = await startWithOldTokens();
    const db = await openDatabase(service.database);
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const notices = createNotices({ db, now: clock.now, log, config: defaultConfig, mails: NO_MAILS });
    onTestFinished(async () => {
      await notices.close();
      await db.close();
    });
    expect(await apply(clients.admin, { action: 'revoke', inDays: 3 })).toMatchObject({ changed: 3 });
    expect(await revocations(service)).toEqual([]);
    await answered(
      rotateAccessToken({ client: clients.user, path: { token_id: ids.long }, body: { expiresInDays: 5 } }),
    );
    clock.advance(3 * DAY + MINUTE);
    await notices.settle();
    expect(await revocations(service)).toEqual([{ token: 'endless' }, { token: 'of the administrator' }]);
    const { client } = await service.logIn(admin.email, admin.password);
    const { items } = await answered(listAuditEvents({ client, query: { action: 'token.revoked' } }));
    expect(items).toHaveLength(2);
    for (const event of items) expect(event).toMatchObject({ reason: 'policy', actor: { kind: 'system' } });
  });
});

test('many tokens are changed in several transactions', async () => {
  const { service, clients, clock } = await startWithOldTokens();
  const [uuid, start] = isOnPostgres
    ? ["decode(lpad(to_hex(number), 32, '0'), 'hex')", "decode('00000000', 'hex')"]
    : ["cast(printf('%016d', number) as blob)", "x'00000000'"];
  await change(
    service,
    `insert into access_tokens (uuid, organization_id, owner_id, type, name, prefix, created_at, scope_set_id, version, secret_start)
      with recursive numbers(number) as (select 1 union all select number + 1 from numbers where number < 500)
      select ${uuid}, 1, 1 + number % 2, 'pat', 'many', 'lk_pat_00000', ${String(clock.now())}, 1, 1, ${start} from numbers`,
  );
  const wish = { action: 'expire', inDays: 10, spreadDays: 50 } as const;
  const dry = await apply(clients.admin, { ...wish, dryRun: true });
  expect(dry).toMatchObject({ changed: 503, complete: true });
  expect(dry.samples).toHaveLength(20);
  expect(await apply(clients.admin, wish)).toEqual({ ...dry, dryRun: false, samples: [] });
  // Spread over all of the days.
  const days = await rowsOf(
    service,
    `select count(distinct (expires_at - ${String(clock.now())}) / ${String(DAY)}) as days from access_tokens where name = 'many'`,
  );
  expect(days[0]?.['days']).toBe(50);
  expect(
    (await rowsOf(service, `select count(*) as count from audit_events where action = 'policy.applied'`))[0],
  ).toEqual({
    count: 1,
  });
});

describe('who may', () => {
  async function statusesOf(client: Client) {
    const body = { action: 'expire', inDays: 1, dryRun: true } as const;
    return [(await getPolicy({ client })).response.status, (await applyPolicy({ client, body })).response.status];
  }

  async function tokenOf({ client }: Person, scopes?: string[]) {
    const body = { name: 'a', expiresInDays: 1, ...(scopes && { scopes }) };
    return await createAccessToken({ client, body });
  }

  test('administrators, by session or by a token that names the scope', async () => {
    const service = await startService({ maxLifetimeDays: 90 });
    const admin = await service.admin();
    const user = await service.newUser();
    expect(await statusesOf(admin.client)).toEqual([200, 200]);
    expect(await statusesOf(user.client)).toEqual([403, 403]);
    const named = await answered(tokenOf(admin, ['policy:admin']));
    expect(await statusesOf(service.as(named.plaintext))).toEqual([200, 200]);
    const unnamed = await answered(tokenOf(admin));
    expect(unnamed.token.scopes).not.toContain('policy:admin');
    expect(await statusesOf(service.as(unnamed.plaintext))).toEqual([403, 403]);
    const other = await answered(tokenOf(admin, ['users:admin', 'audit:read', 'tokens:write']));
    expect(await statusesOf(service.as(other.plaintext))).toEqual([403, 403]);
    expect((await tokenOf(user, ['policy:admin'])).response.status).toBe(403);
    await change(service, 'update users set is_admin = 0');
    expect(await statusesOf(service.as(named.plaintext))).toEqual([403, 403]);
  });
});
