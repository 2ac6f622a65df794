import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client as Connection } from 'pg';
import { describe, expect, test } from 'vitest';
import {
  changePassword,
  createAccessToken,
  createPrivateToken,
  createService,
  createUser,
  createWebhook,
  deleteExternalUser,
  deleteWebhook,
  logIn,
  logOut,
  offboardUser,
  putExternalUser,
  refreshBrowserSession,
  refreshSession,
  reportLeakedCredentials,
  revokeAccessToken,
  revokeAccessTokens,
  revokeAllAccessTokens,
  revokeOAuthToken,
  revokePrivateToken,
  rotateAccessToken,
  rotateWebhookSecret,
  transferAccessTokens,
  updateAccessToken,
  updateService,
  updateUser,
  updateWebhook,
} from '../../generated/index.js';
import { defaultConfig } from '../../server/config/config.js';
import type { Deps } from '../../server/deps.js';
import { linkEvents } from '../../server/events/link.js';
import { pruneEvents } from '../../server/events/prune.js';
import { verifyChain } from '../../server/events/verify.js';
import { actOnReport } from '../../server/leaks/act.js';
import { createLog } from '../../server/log/log.js';
import { createMails, NO_MAILS } from '../../server/mail/mails.js';
import { createNotices } from '../../server/notices/notices.js';
import { createSweeper } from '../../server/sweeper.js';
import { OPERATOR } from '../../server/tokens/actor.js';
import { createLastUsed } from '../../server/tokens/last-used.js';
import { createPasswords } from '../../server/users/passwords.js';
import { findReferred } from '../../server/users/reference.js';
import { addService } from '../../server/users/services.js';
import { addFirstUser, addUser, disableUser, enableUser, setPassword } from '../../server/users/users.js';
import { newDatabase } from '../support/databases.js';
import { ADMIN, answered, type Client, DAY, type Person, type Service, startService } from '../support/service.js';
import { rowsOf } from '../support/store.js';
import { createRepeatingDatabase } from '../support/twice.js';

// Each write of the domain, with what it locks first. Each is done twice, as after a deadlock, and has to succeed.

/** Where the service begins a transaction. Whoever adds one adds a case below, too. */
const WRITES = {
  'events/events.ts': 1,
  'events/failed-logins.ts': 1,
  'events/link.ts': 1,
  'events/prune.ts': 1,
  'leaks/act.ts': 1,
  'leaks/github/report.ts': 1,
  'leaks/intake.ts': 1,
  'mail/mails.ts': 4,
  'notices/notices.ts': 1,
  'notices/round.ts': 2,
  'sealing/keyring.ts': 1,
  'sealing/rotate-key.ts': 1,
  'sweeper.ts': 3,
  'tokens/apply-policy.ts': 2,
  'tokens/edit.ts': 1,
  'tokens/last-used.ts': 1,
  'tokens/once.ts': 1,
  'tokens/revoke.ts': 5,
  'tokens/transfer.ts': 1,
  'users/directory.ts': 2,
  'users/external.ts': 2,
  'users/login-throttle.ts': 4,
  'users/offboard.ts': 2,
  'users/own-password.ts': 1,
  'users/services.ts': 3,
  'users/sessions.ts': 3,
  'users/users.ts': 5,
  'webhooks/claims.ts': 2,
  'webhooks/deliveries.ts': 3,
  'webhooks/fan-out.ts': 1,
  'webhooks/manage.ts': 4,
  'webhooks/outcome.ts': 1,
};

interface Setting {
  service: Service;
  admin: Person;
  user: Person;
}

type Call = Promise<{ response?: Response }>;

const token = async (client: Client) => await answered(createAccessToken({ client, body: { name: 'a' } }));
const pathOf = async (client: Client) => ({ token_id: (await token(client)).token.id });

const HOOK = 'https://hooks.example.org/latchkey';
const hook = async (client: Client) => {
  const { webhook } = await answered(createWebhook({ client, body: { url: HOOK } }));
  return { webhook_id: webhook.id };
};

const EXTERNAL = { external_id: 'cus_42' };
const SERVICE_ID = `select max(id) as id from users where kind = 'service'`;
const EXTERNAL_ID = `select max(id) as id from users where kind = 'external'`;

/** Counting a login locks the row of the pair of network and user, and then that of the network. */
const ATTEMPT = ['attempts', 'attempts'];

/** What is done with the first user's session; what it needs is made before. */
const CASES: [write: string, transactions: string[][], prepare: (setting: Setting) => Promise<() => Call>][] = [
  [
    'creating a token',
    [['admin']],
    ({ admin: { client } }) => later(() => createAccessToken({ client, body: { name: 'b' } })),
  ],
  [
    'creating a private token',
    [['admin']],
    ({ admin: { client } }) =>
      later(() => createPrivateToken({ client, body: { name: 'b', expiration_time: '2031-01-01T00:00:00Z' } })),
  ],
  [
    'editing a token',
    [['admin']],
    async ({ admin: { client } }) => {
      const path = await pathOf(client);
      return () => updateAccessToken({ client, path, body: { name: 'b', scopes: ['new:scope', 'tokens:read'] } });
    },
  ],
  [
    'rotating a token',
    [['admin']],
    async ({ admin: { client } }) => {
      const path = await pathOf(client);
      return () => rotateAccessToken({ client, path, body: { gracePeriodSeconds: 60 } });
    },
  ],
  [
    'revoking a token',
    [['admin', 'token']],
    async ({ admin: { client } }) => {
      const path = await pathOf(client);
      return () => revokeAccessToken({ client, path });
    },
  ],
  [
    "revoking another owner's token",
    [['admin', 'user', 'late: token']],
    async ({ admin: { client }, user }) => {
      const path = await pathOf(user.client);
      return () => revokeAccessToken({ client, path, query: { owner: user.session.id } });
    },
  ],
  [
    'revoking a private token',
    [['admin']],
    async ({ admin: { client } }) => {
      const body = { name: 'b', expiration_time: '2031-01-01T00:00:00Z' };
      const { id } = await answered(createPrivateToken({ client, body }));
      return () => revokePrivateToken({ client, path: { id } });
    },
  ],
  [
    'revoking several',
    [['admin', 'user']],
    ({ admin: { client }, user }) =>
      later(() =>
        revokeAccessTokens({ client, body: { filter: { tokenType: 'pat' } }, query: { owner: user.session.id } }),
      ),
  ],
  [
    'giving tokens to another owner',
    [['admin', 'user']],
    ({ admin: { client }, user }) =>
      later(() => transferAccessTokens({ client, body: { filter: { tokenType: 'pat' }, to: user.session.id } })),
  ],
  [
    'revoking all',
    [['admin']],
    ({ admin: { client } }) => later(() => revokeAllAccessTokens({ client, query: { exclude_current: true } })),
  ],
  [
    'revoking by a plaintext',
    [['user']],
    ({ admin: { client }, user }) => later(() => revokeOAuthToken({ client, body: { token: user.token } })),
  ],
  [
    'revoking by a refresh token',
    [['user']],
    ({ admin: { client }, user }) =>
      later(() => revokeOAuthToken({ client, body: { token: user.session.refresh_token } })),
  ],
  [
    'reporting a leak',
    [['attempts']],
    ({ service, user }) =>
      later(() => reportLeakedCredentials({ client: service.anonymous, body: { credentials: [user.token] } })),
  ],
  [
    'logging in',
    [ATTEMPT, ATTEMPT, ['admin']],
    ({ service }) =>
      later(() => logIn({ client: service.anonymous, body: { username: ADMIN.email, password: ADMIN.password } })),
  ],
  [
    'refreshing a session',
    [['admin']],
    ({ service, admin }) =>
      later(() => refreshSession({ client: service.anonymous, body: { refresh_token: admin.session.refresh_token } })),
  ],
  [
    'refreshing the session of a page',
    [['admin']],
    ({ service, admin }) =>
      later(() => {
        const headers = { 'Sec-Fetch-Site': 'same-origin', cookie: `vai_refresh=${admin.session.refresh_token}` };
        return refreshBrowserSession({ client: service.anonymous, headers });
      }),
  ],
  ['logging out', [['admin']], ({ admin: { client } }) => later(() => logOut({ client }))],
  [
    "changing one's password",
    // For the first time from there.
    [ATTEMPT, [...ATTEMPT, 'attempts'], ['admin']],
    ({ admin: { client, password } }) =>
      later(() => changePassword({ client, body: { currentPassword: password, newPassword: 'another password' } })),
  ],
  [
    'adding a user',
    [['admin']],
    ({ admin: { client } }) => later(() => createUser({ client, body: { email: 'b@example.org', fullName: 'B' } })),
  ],
  [
    'editing a user',
    [['organization', 'admin', 'user']],
    ({ admin: { client }, user }) =>
      later(() => updateUser({ client, path: { user_id: user.session.id }, body: { disabled: true } })),
  ],
  [
    'offboarding a user',
    [
      ['organization', 'admin', 'user'],
      ['admin', 'user'],
    ],
    ({ admin: { client, session }, user }) =>
      later(() =>
        offboardUser({
          client,
          path: { user_id: user.session.id },
          body: { tokens: 'transfer', to: session.id, cutScopes: true },
        }),
      ),
  ],
  [
    'adding a service',
    [['admin', 'user']],
    ({ admin: { client }, user }) =>
      later(() => createService({ client, body: { fullName: 'jobs', managers: [user.session.id] } })),
  ],
  [
    'editing a service',
    [['organization', 'admin', 'user', 'service']],
    async ({ admin: { client }, user }) => {
      const { id } = await answered(createService({ client, body: { fullName: 'jobs' } }));
      return () => updateService({ client, path: { service_id: id }, body: { managers: [user.session.id] } });
    },
  ],
  [
    'adding an external owner',
    [['admin']],
    ({ admin: { client } }) => later(() => putExternalUser({ client, path: EXTERNAL, body: {} })),
  ],
  [
    'replacing an external owner',
    [['admin', 'external']],
    async ({ admin: { client } }) => {
      await putExternalUser({ client, path: EXTERNAL, body: {} });
      return () => putExternalUser({ client, path: EXTERNAL, body: {} });
    },
  ],
  [
    'deleting an external owner',
    [['admin', 'external']],
    async ({ admin: { client } }) => {
      await putExternalUser({ client, path: EXTERNAL, body: {} });
      return () => deleteExternalUser({ client, path: EXTERNAL });
    },
  ],
  [
    'creating a token for an external owner',
    [['admin', 'external']],
    async ({ admin: { client } }) => {
      await putExternalUser({ client, path: EXTERNAL, body: {} });
      return () => createAccessToken({ client, query: { externalOwner: 'cus_42' }, body: { name: 'b', scopes: [] } });
    },
  ],
  [
    'editing a token for an external owner',
    [['admin', 'external']],
    async ({ admin: { client } }) => {
      await putExternalUser({ client, path: EXTERNAL, body: {} });
      const query = { externalOwner: EXTERNAL.external_id };
      const { token } = await answered(createAccessToken({ client, query, body: { name: 'a', scopes: [] } }));
      return () => updateAccessToken({ client, query, path: { token_id: token.id }, body: { name: 'b' } });
    },
  ],
  [
    'creating a webhook',
    [['organization', 'admin', 'key']],
    async ({ admin: { client } }) => {
      await hook(client);
      return () => createWebhook({ client, body: { url: HOOK } });
    },
  ],
  [
    'editing a webhook',
    [['organization', 'admin']],
    async ({ admin: { client } }) => {
      const path = await hook(client);
      return () => updateWebhook({ client, path, body: { enabled: false } });
    },
  ],
  [
    'rotating the secret of a webhook',
    [['organization', 'admin', 'key']],
    async ({ admin: { client } }) => {
      const path = await hook(client);
      return () => rotateWebhookSecret({ client, path });
    },
  ],
  [
    'deleting a webhook',
    [['organization', 'admin']],
    async ({ admin: { client } }) => {
      const path = await hook(client);
      return () => deleteWebhook({ client, path });
    },
  ],
];

function later(call: () => Call): Promise<() => Call> {
  return Promise.resolve(call);
}

test.each(CASES)('%s locks %j', async (_, transactions, prepare) => {
  const repeating = createRepeatingDatabase();
  const service = await startService({ openDatabase: (database) => repeating.open(database) });
  const user = await service.newUser();
  const admin = await service.admin();
  const call = await prepare({ service, admin, user });
  repeating.locks();
  const { response } = await call();
  expect(response?.ok).toBe(true);
  const names: Record<string, string> = {
    [`owner ${String(admin.session.id)}`]: 'admin',
    [`owner ${String(user.session.id)}`]: 'user',
    [`owner ${String((await rowsOf(service, EXTERNAL_ID))[0]?.['id'])}`]: 'external',
    [`owner ${String((await rowsOf(service, SERVICE_ID))[0]?.['id'])}`]: 'service',
  };
  // `lastUsedAt` is written when its time comes, and so are deliveries to webhooks, which lock nothing of this list.
  const mayBeEmpty = transactions.some(({ length }) => length === 0);
  const locks = repeating.locks().filter(([first]) => (first === undefined ? mayBeEmpty : !first.startsWith('tokens')));
  expect(
    locks.map((transaction) => transaction.map((lock) => names[lock] ?? lock.replace(/tokens \d+$/, 'token'))),
  ).toEqual(transactions);
});

test('a failed login locks what counts it', async () => {
  const repeating = createRepeatingDatabase();
  const service = await startService({ openDatabase: (database) => repeating.open(database) });
  repeating.locks();
  const body = { username: ADMIN.email, password: 'a wrong password' };
  expect((await logIn({ client: service.anonymous, body })).response.status).toBe(401);
  expect(repeating.locks()).toEqual([ATTEMPT, ATTEMPT]);
});

describe('of the command', () => {
  const wish = { fullName: '', isAdmin: true, password: 'a password' };
  const cases: [write: string, locks: string[], act: (deps: Deps) => Promise<unknown>][] = [
    ['adding a user', [], (deps) => addUser(deps, OPERATOR, { ...wish, email: 'b@example.org' })],
    [
      'disabling a user',
      ['organization', 'user'],
      async (deps) => disableUser(deps, OPERATOR, await findReferred(deps.db.read, 'c@example.org'), { force: true }),
    ],
    [
      'enabling a user',
      ['user'],
      async (deps) => enableUser(deps, OPERATOR, await findReferred(deps.db.read, 'c@example.org')),
    ],
    ['setting a password', ['user'], (deps) => setPassword(deps, OPERATOR, 'c@example.org', 'another password')],
    ['adding a service', [], (deps) => addService(deps, OPERATOR, { name: 'jobs', managers: [], scopes: null })],
  ];

  test.each(cases)('%s locks %j', async (_, locks, act) => {
    const repeating = createRepeatingDatabase();
    const service = await startService();
    const user = await service.newUser('c@example.org');
    const db = await repeating.open(service.database);
    try {
      await act({ db, now: Date.now, passwords: createPasswords() } as Deps);
      const owner = `owner ${String(user.session.id)}`;
      expect(repeating.locks()).toEqual([locks.map((lock) => (lock === 'user' ? owner : lock))]);
    } finally {
      await db.close();
    }
  });
});

test('writing uses locks the tokens, in their order', async () => {
  const repeating = createRepeatingDatabase();
  const service = await startService();
  const { client } = await service.admin();
  await token(client);
  await token(client);
  const db = await repeating.open(service.database);
  try {
    const lastUsed = createLastUsed(db, console);
    for (const tokenId of [3, 1, 2]) lastUsed.note({ tokenId, digest: { start: Buffer.alloc(4) } }, null, 1_000);
    await lastUsed.close();
    expect(repeating.locks()).toEqual([['tokens 1,2,3']]);
    const uses = 'select last_used_at as used from access_tokens order by id';
    expect(await rowsOf(service, uses)).toEqual([{ used: 1_000 }, { used: 1_000 }, { used: 1_000 }]);
  } finally {
    await db.close();
  }
});

test('a sweep skips what another transaction has locked', async () => {
  const repeating = createRepeatingDatabase();
  const service = await startService();
  await service.admin();
  service.clock.advance(365 * DAY);
  const db = await repeating.open(service.database);
  const other = new Connection(service.database);
  await other.connect();
  try {
    await other.query('begin; select from login_attempts order by key limit 1 for update');
    const sweeper = createSweeper({ db, now: service.clock.now, log: createLog('silent'), config: defaultConfig });
    expect(await sweeper.sweep()).toBe(true);
    await sweeper.close();
    expect(repeating.locks()).toEqual([[], [], [], [], []]);
    await other.query('commit');
    expect(await rowsOf(service, 'select count(*)::int as count from login_attempts')).toEqual([{ count: 1 }]);
  } finally {
    await other.end();
    await db.close();
  }
});

test('acting on a leak locks the owners, in their order', async () => {
  const repeating = createRepeatingDatabase();
  const service = await startService();
  const [user, admin] = [await service.newUser(), await service.admin()];
  const credentials = [user.token, admin.session.refresh_token];
  await answered(reportLeakedCredentials({ client: service.anonymous, body: { credentials } }));
  await service.stop();
  const db = await repeating.open(service.database);
  try {
    const deps = { db, now: service.clock.now, config: defaultConfig, mails: NO_MAILS };
    expect(await actOnReport(deps)).toMatchObject([{ outcome: 'revoked' }, { outcome: 'revoked' }]);
    // The report is locked first, and tells whose tokens leaked. What is decided about them is read afterwards.
    expect(repeating.locks()).toEqual([['late: owner 1', 'late: owner 2']]);
    expect(await actOnReport(deps)).toBeUndefined();
  } finally {
    await db.close();
  }
});

test('a notice and a mail skip what another process has locked', async () => {
  const repeating = createRepeatingDatabase();
  const service = await startService();
  const { client } = await service.admin();
  await answered(createAccessToken({ client, body: { name: 'a', expiresInDays: 8 } }));
  service.clock.advance(2 * DAY);
  const db = await repeating.open(service.database);
  const sent: string[] = [];
  const deps = { db, now: service.clock.now, log: createLog('silent'), config: defaultConfig };
  const mails = createMails(deps, ({ subject }) => Promise.resolve(void sent.push(subject)));
  const notices = createNotices({ ...deps, mails });
  const other = new Connection(service.database);
  await other.connect();
  try {
    await other.query(`begin; select from jobs where name = 'notices' for update`);
    await notices.settle();
    await other.query('rollback');
    await notices.settle();
    await other.query('begin; select from outgoing_mails for update');
    await mails.settle();
    expect(sent).toEqual([]);
    await other.query('rollback');
    await mails.settle();
    expect(sent).toEqual(['Your access token "a" expires in 6 days']);
    expect(repeating.locks().flat()).toEqual([]);
  } finally {
    await other.end();
    await notices.close();
    await mails.close();
    await db.close();
  }
});

test('events are linked, and deleted when they are old', async () => {
  const repeating = createRepeatingDatabase();
  const service = await startService();
  const { client } = await service.admin();
  await token(client);
  await service.stop();
  const db = await repeating.open(service.database);
  try {
    await pruneEvents(db, service.clock.now(), service.clock.now() + DAY);
    expect(await linkEvents(db, null)).toBe('all');
    expect(await verifyChain(db, 1, null)).toMatchObject({ events: 1, pruned: 3, unlinked: 0, fault: null });
  } finally {
    await db.close();
  }
});

test('of eight first starts at once one adds the first user', async () => {
  const { database, remove } = await newDatabase('');
  const repeating = createRepeatingDatabase();
  const dbs = await Promise.all(Array.from({ length: 8 }, () => repeating.open(database)));
  try {
    const wish = { email: 'a@example.org', fullName: '', isAdmin: true, password: 'a password' };
    const added = dbs.map((db) => addFirstUser({ db, now: Date.now, passwords: createPasswords() }, OPERATOR, wish));
    expect((await Promise.all(added)).filter(Boolean)).toHaveLength(1);
  } finally {
    for (const db of dbs) await db.close();
    await remove();
  }
});

test('what a repeated transaction tells the log, it tells once', async () => {
  const repeating = createRepeatingDatabase();
  const service = await startService({ openDatabase: (database) => repeating.open(database) });
  const { session } = await service.admin();
  const refresh = () => refreshSession({ client: service.anonymous, body: { refresh_token: session.refresh_token } });
  await answered(refresh());
  expect((await refresh()).response.status).toBe(401);
  expect(service.log.filter((line) => line.includes('spent refresh token reused'))).toHaveLength(1);
});

test('there is no other transaction', () => {
  const found: Record<string, number> = {};
  for (const path of readdirSync('server', { recursive: true, encoding: 'utf8' })) {
    // The engines themselves, and the local server for tests, which is in memory.
    if (!path.endsWith('.ts') || /^(database|testing)\//.test(path)) continue;
    const count = readFileSync(join('server', path), 'utf8').match(/\bdb\.write\(/g)?.length ?? 0;
    if (count > 0) found[path] = count;
  }
  expect(found).toEqual(WRITES);
});
