import SqliteDriver from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import { createAccessToken } from '../../generated/index.js';
import { defaultConfig } from '../../server/config/config.js';
import type { Queries } from '../../server/database/index.js';
import type { Deps } from '../../server/deps.js';
import { listTokenEvents } from '../../server/events/list.js';
import { actingOwner } from '../../server/tokens/acting.js';
import { SYSTEM } from '../../server/tokens/actor.js';
import { countTokens } from '../../server/tokens/count.js';
import { toCursor } from '../../server/tokens/cursor.js';
import type { TokenFilter } from '../../server/tokens/filter.js';
import { getToken, isOneOf, toTokenKey } from '../../server/tokens/find.js';
import { type ListQuery, listPage, listTokens } from '../../server/tokens/list.js';
import { selectChanging } from '../../server/tokens/selection.js';
import { slicesOf } from '../../server/tokens/slices.js';
import { listUserPage } from '../../server/users/directory.js';
import { countManagedAlone, managersOf } from '../../server/users/managers.js';
import { planOffboarding } from '../../server/users/offboarding-plan.js';
import { isLeftIn, placeIn, requireNothingMovesTo, requireNotLeaving } from '../../server/users/offboarding-state.js';
import { listManagedPage } from '../../server/users/services.js';
import { revokeOf } from '../../server/users/users.js';
import { answered, type Service, startService } from '../support/service.js';

// How SQLite goes about each question: by an index on the owner's rows, never over all rows.

/** The first user. */
const OWNER = { organizationId: 1, ownerId: 1 };

const FILTERS: TokenFilter[] = [
  {},
  { type: 'pat' },
  { q: 'a' },
  { state: 'active' },
  { state: 'expiring' },
  { state: 'expired' },
  { state: 'revoked' },
  { state: 'disabled' },
  { scope: 'tokens:read' },
  { createdAfter: 1, createdBefore: 2 },
  { expiresAfter: 1, expiresBefore: 2 },
  { lastUsedAfter: 1, lastUsedBefore: 2 },
  { neverUsed: true },
  { neverUsed: false },
  { type: 'pat', q: 'a', state: 'active', scope: 'a', createdBefore: 2, neverUsed: true },
];

const SORTS: [ListQuery['sort'], string][] = [
  ['createdAt', 'access_tokens_by_owner'],
  ['name', 'access_tokens_by_name'],
  ['expiresAt', 'access_tokens_by_expiry'],
  ['lastUsedAt', 'access_tokens_by_use'],
];

/** The plans of all queries that `ask` makes on the database of a new service. */
async function plansOf(ask: (deps: Deps) => Promise<unknown>, given?: Service): Promise<string[]> {
  const service = given ?? (await startService());
  const connection = new SqliteDriver(service.database, { readonly: true });
  const asked: { sql: string; parameters: readonly unknown[] }[] = [];
  const read: Queries = new Kysely({
    dialect: new SqliteDialect({ database: connection }),
    log: ({ query }) => void asked.push(query),
  });
  onTestFinished(() => read.destroy());
  await ask({ db: { read }, now: Date.now } as unknown as Deps);
  return asked.flatMap(({ sql, parameters }) => {
    const steps = connection.prepare<unknown[], { detail: string }>(`explain query plan ${sql}`).all(...parameters);
    return steps.map(({ detail }) => detail);
  });
}

test.each(SORTS)('a page by %s is a walk along its index', async (sort, index) => {
  const plans = await plansOf(async (deps) => {
    for (const filter of FILTERS.filter((one) => !('createdBefore' in one))) {
      await listTokens(deps, OWNER, { filter, includeRevoked: false, sort, limit: 1, cursor: undefined });
      await listTokens(deps, OWNER, {
        filter,
        includeRevoked: true,
        sort: `-${sort}` as typeof sort,
        limit: 1,
        cursor: undefined,
      });
    }
  });
  const walks = plans.filter((step) => / token\b/.test(step));
  expect(walks.length).toBeGreaterThan(FILTERS.length);
  for (const step of walks) expect(step).toMatch(new RegExp(`^SEARCH token USING INDEX ${index} \\(owner_id=\\?`));
  for (const step of plans) expect(step).not.toMatch(/SCAN|TEMP B-TREE/);
});

test.each(SORTS)('a page by %s of a time of creation is found by an index too', async (sort) => {
  const plans = await plansOf((deps) => {
    const filter = { createdAfter: 1, createdBefore: 2 };
    return listTokens(deps, OWNER, { filter, includeRevoked: false, sort, limit: 1, cursor: undefined });
  });
  expect(plans[0]).toMatch(/^SEARCH token USING INDEX access_tokens_by_\w+ \(owner_id=\?/);
});

test.each(SORTS)('the next page by %s starts where the last one ended', async (sort, index) => {
  for (const [order, bound] of [
    [sort, '>'],
    [`-${sort}` as typeof sort, '<'],
  ] as const) {
    const belongsTo = JSON.stringify(['tokens', 1, true, order, []]);
    const cursor = toCursor({ key: sort === 'name' ? 'a' : 1, id: 1, asOf: 1 }, belongsTo);
    const [walk] = await plansOf((deps) =>
      listTokens(deps, OWNER, { filter: {}, includeRevoked: true, sort: order, limit: 1, cursor }),
    );
    expect(walk).toMatch(new RegExp(`USING INDEX ${index} \\(owner_id=\\? AND .*${bound}`));
  }
});

test('counts by state walk the rows of one owner', async () => {
  for (const filter of FILTERS.filter(({ state }) => state === undefined)) {
    const plans = await plansOf((deps) => countTokens(deps, OWNER, filter));
    expect(plans[0]).toMatch(/^SEARCH token USING INDEX access_tokens_by_\w+ \(owner_id=\?/);
    for (const step of plans) expect(step).not.toMatch(/SCAN|TEMP B-TREE/);
  }
});

test.each(['', 'a'])("the private tokens' page, count and search for `%s` walk one owner's rows", async (q) => {
  for (const ordering of ['id', 'name', 'expiration_time'] as const) {
    const plans = await plansOf((deps) => listPage(deps, OWNER, { ordering, q, page: 1, pageSize: 1 }));
    const walks = plans.filter((step) => / token\b/.test(step));
    expect(walks.filter((step) => step.includes('(owner_id=?'))).toHaveLength(2);
    // What is on the page is read by its ids, whole rows of it alone.
    expect(walks.filter((step) => step.includes('INTEGER PRIMARY KEY (rowid=?)'))).toHaveLength(1);
    expect(walks).toHaveLength(3);
    for (const step of plans) expect(step).not.toMatch(/^SCAN/);
  }
});

test("a token is found by the time in its id, among its owner's, and one whose id was chosen by that", async () => {
  const ids = ['0197722f-4800-7000-8000-000000000001', '0197722f-4801-7000-8000-000000000002'];
  const keys = ids.map(toTokenKey);
  for (const some of [keys.slice(0, 1), keys]) {
    const plans = await plansOf(({ db }) =>
      db.read
        .selectFrom('access_tokens as token')
        .select('token.id')
        .where((eb) => isOneOf(eb, OWNER, some))
        .execute(),
    );
    expect(plans.filter((step) => !step.startsWith('LIST SUBQUERY'))).toEqual([
      'MULTI-INDEX OR',
      'INDEX 1',
      'SEARCH token USING INDEX access_tokens_by_owner (owner_id=? AND created_at=?)',
      'INDEX 2',
      'SEARCH token USING INDEX access_tokens_by_chosen_uuid (uuid=?)',
    ]);
  }
  const plans = await plansOf((deps) => getToken(deps, OWNER, ids[0] ?? '').catch(() => undefined));
  expect(plans.slice(0, 5)).toContain('SEARCH token USING INDEX access_tokens_by_chosen_uuid (uuid=?)');
  for (const step of plans) expect(step).not.toMatch(/SCAN|\(owner_id=\?\)/);
});

test("an offboarding walks the owner's tokens by their index, from where it stopped, and looks others up by their keys", async () => {
  const plans = await plansOf(async (deps) => {
    const stretch = { ...OWNER, behindAt: 2, behindId: 2, upToAt: 1, upToId: 1 };
    await placeIn(deps.db.read, stretch, 2);
    await deps.db.read
      .selectFrom('access_tokens as token')
      .select('token.id')
      .where((eb) => isLeftIn(eb, stretch))
      .execute();
    const config = { ...defaultConfig, maxTokensPerOwner: 1 };
    await planOffboarding({ ...deps, config }, OWNER, { toId: 1, cutScopes: true });
    await revokeOf(deps.db.read, OWNER, 'sessions', { at: 1, by: SYSTEM, reason: 'offboarding' });
    await requireNotLeaving(deps.db.read, 1);
    await requireNothingMovesTo(deps.db.read, 1);
  });
  const walks = plans.filter((step) => / token\b/.test(step));
  expect(walks).toEqual(
    [COVERED, STRETCH, SLICE, SESSIONS, SESSIONS].map((step) => expect.stringMatching(step) as string),
  );
  // The temporary tree has a row for each set of scopes of a slice.
  for (const step of plans) expect(step).not.toMatch(/SCAN (?!organization)|TEMP B-TREE FOR (?!GROUP)/);
});

/** A part of the owner's tokens between two of them, of which one query reads the index alone. */
const COVERED =
  /^SEARCH token USING COVERING INDEX access_tokens_by_owner \(owner_id=\? AND .*created_at.*>.*created_at.*<.*\)$/;
const STRETCH =
  /^SEARCH token USING INDEX access_tokens_by_owner \(owner_id=\? AND .*created_at.*>.*created_at.*<.*\)$/;

/** The owner's sessions alone. */
const SESSIONS = /^SEARCH token USING INDEX sessions_by_owner \(owner_id=\?\)$/;

/** A part of the owner's tokens, by when they were created. */
const SLICE = /^SEARCH token USING INDEX access_tokens_by_owner \(owner_id=\? AND created_at>\? AND created_at<\?\)$/;

test('whatever reaches all tokens of an owner reads each slice by the time of creation, with every filter', async () => {
  for (const filter of FILTERS) {
    const plans = await plansOf(async ({ db }) => {
      for await (const { above, upTo } of slicesOf(db.read, OWNER)) {
        await selectChanging(db.read, OWNER, { filter }, { at: 1, exceptId: 1 })
          .select('token.id')
          .where('token.created_at', '>', above)
          .where('token.created_at', '<=', upTo)
          .execute();
      }
    });
    const [boundary, ...slice] = plans;
    expect(boundary).toMatch(/USING COVERING INDEX access_tokens_by_owner \(owner_id=\? AND created_at<\?\)$/);
    expect(slice.filter((step) => / token\b/.test(step))).toEqual([expect.stringMatching(SLICE)]);
  }
});

test("a token's history is found by the token, and by who owned it", async () => {
  const service = await startService();
  const { client } = await service.admin();
  const { token } = await answered(createAccessToken({ client, body: { name: 'a' } }));
  const plans = await plansOf(
    (deps) => listTokenEvents(deps, OWNER, token.id, { limit: 1, cursor: undefined }),
    service,
  );
  for (const step of plans) expect(step).not.toMatch(/SCAN/);
  const found = plans.filter((step) => /audit_events|event\b/.test(step));
  expect(found).toEqual([
    'SEARCH event USING INTEGER PRIMARY KEY (rowid=?)',
    'SEARCH audit_events USING INDEX audit_events_by_token (target_uuid=?)',
    'SEARCH audit_events USING INDEX audit_events_of_several (owner_id=? AND at=?)',
    'SEARCH audit_events USING INDEX audit_events_of_several (owner_id=?)',
  ]);
});

test('services are found by their kind, and managers by their keys', async () => {
  const plans = await plansOf(async (deps) => {
    const page = { kind: undefined, unmanaged: true, manages: undefined, q: undefined, limit: 1, cursor: undefined };
    await listUserPage(deps, OWNER, page);
    await listUserPage(deps, OWNER, { ...page, q: 'a' });
    await managersOf(deps.db.read, [1]);
    await listUserPage(deps, OWNER, { ...page, unmanaged: false, manages: 1 });
    await listManagedPage(deps, OWNER, { limit: 1, cursor: undefined });
    await countManagedAlone(deps.db.read, 1);
    const caller = { ...OWNER, tokenId: 1, tokenType: 'session', holds: () => false } as const;
    await actingOwner(deps.db.read, caller, { owner: 2 }, 'read').catch(() => undefined);
  });
  expect(plans.filter((step) => /managers/.test(step))).toContain(
    'SEARCH managers USING COVERING INDEX managers_by_user (user_id=? AND service_id>?)',
  );
  expect(plans.filter((step) => step.includes('users_by_kind')).length).toBeGreaterThan(1);
  for (const step of plans) expect(step).not.toMatch(/SCAN (?!organization|examined)/);
});
