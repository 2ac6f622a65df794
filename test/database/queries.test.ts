import { readFileSync } from 'node:fs';
import SqliteDriver from 'better-sqlite3';
import { Client } from 'pg';
import { expect, test } from 'vitest';
import { applyPolicy, createAccessToken, getPolicy, reportLeakedCredentials } from '../../generated/index.js';
import { defaultConfig } from '../../server/config/config.js';
import type { Deps } from '../../server/deps.js';
import { linkEvents } from '../../server/events/link.js';
import { pruneEvents } from '../../server/events/prune.js';
import { verifyChain } from '../../server/events/verify.js';
import { createLog } from '../../server/log/log.js';
import { createMails } from '../../server/mail/mails.js';
import { createNotices } from '../../server/notices/notices.js';
import { createSweeper } from '../../server/sweeper.js';
import { OPERATOR } from '../../server/tokens/actor.js';
import { createLastUsed } from '../../server/tokens/last-used.js';
import { createPasswords } from '../../server/users/passwords.js';
import { findReferred } from '../../server/users/reference.js';
import { addUser, disableUser, enableUser, listUsers, setPassword } from '../../server/users/users.js';
import { isOnPostgres } from '../support/databases.js';
import { type GitHubKey, gitHubKeysFile, newGitHubKey, signedByGitHub } from '../support/github.js';
import { send } from '../support/http.js';
import { untilActedOn } from '../support/leaks.js';
import { type Asked, createRecordingDatabase } from '../support/recording-database.js';
import { ADMIN, answered, DAY, type Service, startService } from '../support/service.js';
import { change } from '../support/store.js';
import { tour } from '../support/tour.js';

// Every query of the domain, by the engine's own plan: none reads a table from its beginning to its end.

/** What reads without a condition on an index, with the reason. */
const EXCEPTIONS: [query: RegExp, reason: string, engine?: 'SQLite'][] = [
  [/^select "id" from "users" limit/, 'any row will do'],
  [/^select "id" from "audit_events" order by "id" desc/, 'the last row is read'],
  [/^select "id" from "organizations" order by "id" limit/, 'the first row is read'],
  [/^select (\*|"id") from "leak_reports" order by "id" limit/, 'the oldest report is read'],
  [/order by "user"."email"$/, 'the command lists all users'],
  [/^select "id" from "access_tokens" order by "id" desc limit/, 'the newest token is read'],
  [/from "organizations" where exists/, 'each organization is asked for events that are not linked', 'SQLite'],
  [
    /from "webhooks" (where|inner join) .*"webhooks"\."disabled_at" is null/,
    'there are few webhooks, and all are looked at',
  ],
  [/from "offboardings" inner join "users"/, 'the index has only those that are under way', 'SQLite'],
  [/from "audit_heads" as "head"/, 'the end of each chain is logged'],
  [/^select "organization_id" from "audit_heads"$/, 'the events of each organization are deleted when they are old'],
];

test('no query of the domain is without an index', { timeout: 120_000 }, async () => {
  const recording = createRecordingDatabase();
  const key = newGitHubKey();
  const { url: githubKeysUrl } = await gitHubKeysFile(key);
  const service = await startService({
    openDatabase: recording.open,
    githubKeysUrl,
    feed: { heartbeat: 100 },
    ...POLICY,
  });
  await tour(service);
  await reportLeaks(service, key);
  await applyThePolicy(service);
  await beside(service, recording);
  expect([...visited(service)]).toEqual(expect.arrayContaining(operations()));

  const asked = [...recording.asked.values()];
  expect(asked.length).toBeGreaterThan(100);
  const bad = await (isOnPostgres ? postgresScans(service, asked) : sqliteScans(service, asked));
  const unexpected = bad.filter(({ sql }) => !EXCEPTIONS.some(([query]) => query.test(sql)));
  expect(unexpected).toEqual([]);
  for (const [query] of EXCEPTIONS.filter(([, , engine]) => engine === undefined || !isOnPostgres))
    expect(
      bad.some(({ sql }) => query.test(sql)),
      String(query),
    ).toBe(true);
});

/** A policy that no token of the tour breaks. */
const POLICY = { maxLifetimeDays: 36_500, maxTokensPerOwner: 1_000 };

async function applyThePolicy(service: Service): Promise<void> {
  const { client } = await service.logIn(ADMIN.email, 'another password');
  for (const body of [
    { action: 'expire', inDays: 1, dryRun: true },
    { action: 'expire', inDays: 1 },
    { action: 'revoke', inDays: 0 },
    { action: 'revoke', inDays: 1 },
  ] as const) {
    await answered(createAccessToken({ client, body: { name: 'endless' } }));
    await change(service, `update access_tokens set expires_at = null where name = 'endless'`);
    expect((await answered(applyPolicy({ client, body }))).changed).toBeGreaterThan(0);
  }
  await answered(getPolicy({ client }));
}

/** Reports tokens of all kinds, which the service acts on a moment later. */
async function reportLeaks(service: Service, key: GitHubKey): Promise<void> {
  const { client, session, token } = await service.logIn(ADMIN.email, 'another password');
  const { plaintext } = await answered(createAccessToken({ client, body: { name: 'leaked' } }));
  const credentials = [plaintext, token, session.refresh_token, 'unknown'];
  for (let time = 0; time < 2; time++) {
    await answered(reportLeakedCredentials({ client: service.anonymous, body: { credentials } }));
    await untilActedOn(service);
  }
  const body = JSON.stringify(credentials.map((text) => ({ token: text, type: 'latchkey' })));
  const line = 'POST /api/v1/credentials/github-secret-scanning';
  expect(await send(service, line, { body, headers: signedByGitHub(key, body) })).toMatchObject({ status: 200 });
  await untilActedOn(service);
  const many = Array.from({ length: 60 }, () =>
    reportLeakedCredentials({ client: service.anonymous, body: { credentials: ['x'] } }),
  );
  expect((await Promise.all(many)).some(({ response }) => response.status === 429)).toBe(true);
}

/** What is asked without a request. */
async function beside(service: Service, { open }: Pick<ReturnType<typeof createRecordingDatabase>, 'open'>) {
  const db = await open(service.database);
  const now = () => service.clock.now() + 90 * DAY;
  const deps = {
    db,
    now,
    log: createLog('silent'),
    passwords: createPasswords(),
    config: { ...defaultConfig, auditDays: 30 },
  };
  try {
    const sweeper = createSweeper(deps);
    await sweeper.sweep();
    await sweeper.close();
    const lastUsed = createLastUsed(db, console);
    lastUsed.note({ tokenId: 1, digest: { start: Buffer.alloc(4) } }, null, 1);
    await lastUsed.close();
    const email = 'c@example.org';
    await addUser(deps, OPERATOR, { email, fullName: '', isAdmin: true, password: 'a password' });
    await listUsers(deps);
    while ((await linkEvents(db, null)) !== 'all');
    await noticeAndMail(deps);
    while ((await linkEvents(db, null)) !== 'all');
    await pruneEvents(db, now(), now());
    await linkEvents(db, null);
    expect(await verifyChain(db, 1, null)).toMatchObject({ fault: null });
    const user = await findReferred(db.read, email);
    await disableUser(deps, OPERATOR, user);
    await enableUser(deps, OPERATOR, user);
    await setPassword(deps, OPERATOR, email, 'another password', { revokeTokens: true });
  } finally {
    await db.close();
  }
}

/** Notices the tokens that expire, and sends the mails, of which one fails. */
async function noticeAndMail(deps: Pick<Deps, 'db' | 'now' | 'config' | 'log'>): Promise<void> {
  let failures = 1;
  const mails = createMails(deps, () => (failures-- > 0 ? Promise.reject(new Error('not now')) : Promise.resolve()));
  const notices = createNotices({ ...deps, mails });
  await notices.sweep();
  await notices.settle();
  await mails.settle();
  await notices.close();
  await mails.close();
}

interface Scan {
  sql: string;
  step: string;
}

function sqliteScans({ database }: Service, asked: Asked[]): Scan[] {
  const connection = new SqliteDriver(database, { readonly: true });
  try {
    return asked.flatMap(({ sql, parameters }) => {
      const steps = connection.prepare<unknown[], { detail: string }>(`explain query plan ${sql}`).all(...parameters);
      return (
        steps
          .map(({ detail }) => detail)
          .filter((detail) => detail.startsWith('SCAN') && detail !== 'SCAN CONSTANT ROW')
          // Of the tables that refer to the inserted row, which is looked for only while foreign keys are violated.
          .filter(() => !sql.startsWith('insert'))
          .map((step) => ({ sql, step }))
      );
    });
  } finally {
    connection.close();
  }
}

interface Plan {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Index Cond'?: string;
  Plans?: Plan[];
}

async function postgresScans({ database }: Service, asked: Asked[]): Promise<Scan[]> {
  const client = new Client(database);
  await client.connect();
  try {
    for (const statement of FILL) await client.query(statement);
    // A small table is read faster without its index, and all but one are small here.
    await client.query('analyze; set enable_seqscan = off');
    const scans: Scan[] = [];
    for (const { sql, parameters } of asked) {
      const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>({
        text: `explain (format json) ${sql}`,
        values: [...parameters],
      });
      const plan = rows[0]?.['QUERY PLAN'][0].Plan;
      for (const step of plan === undefined ? [] : scansOf(plan)) scans.push({ sql, step });
    }
    return scans;
  } finally {
    await client.end();
  }
}

/** The steps that read all of a table or of an index. */
function scansOf(plan: Plan): string[] {
  const { 'Node Type': type, 'Relation Name': table = '', 'Index Name': index = '', Plans = [] } = plan;
  const isWhole = type === 'Seq Scan' || (/Index.* Scan$/.test(type) && plan['Index Cond'] === undefined);
  return [...(isWhole ? [`${type} ${table} ${index}`.trim()] : []), ...Plans.flatMap(scansOf)];
}

/** Enough rows that the planner prefers the right index. */
const FILL = [
  `insert into organizations (uuid, name, slug, created_at)
    select decode(lpad(to_hex(number), 32, '0'), 'hex'), 'name', 'slug ' || number, 1 from generate_series(1, 2000) as number`,
  `insert into users (organization_id, kind, email, full_name, is_admin, created_at)
    select 1 + number % 2000, 'person', 'user' || number || '@example.com', 'name', 0, number from generate_series(1, 2000) as number`,
  `insert into managers (service_id, user_id, created_at)
    select id, id - 1, 1 from users where exists (select from users as other where other.id = users.id - 1) on conflict do nothing`,
  `insert into offboardings (user_id, to_id, begun_at, ended_at, sessions, tokens, cut)
    select id, id - 1, 1, nullif(id % 2, 0), 0, 0, 0 from users where id > 1000 and exists (select from users as other where other.id = users.id - 1)
    on conflict do nothing`,
  `insert into access_tokens (uuid, organization_id, owner_id, type, name, prefix, created_at, scope_set_id, version,
      secret_start, expires_at, last_used_at)
    select decode(lpad(to_hex(number), 12, '0') || lpad(to_hex(number), 20, '0'), 'hex'), 1, 1 + number % 2000, 'pat',
      'name ' || number, 'prefix', number, 1, 1, decode(lpad(to_hex(number), 8, '0'), 'hex'), number + 1000, number
    from generate_series(1, 20000) as number`,
  `insert into token_secrets
    select decode(lpad(to_hex(number), 32, '0'), 'hex'), number, null from generate_series(100, 15000) as number`,
  `insert into refresh_tokens
    select decode(lpad(to_hex(number), 32, '0'), 'hex'), number, number from generate_series(100, 15000) as number`,
  `insert into idempotent_answers
    select decode(lpad(to_hex(number), 64, '0'), 'hex'), 'sealed', number from generate_series(1, 50000) as number`,
  `insert into login_attempts
    select decode(lpad(to_hex(number), 32, '0'), 'hex'), 1, 0, number from generate_series(1, 50000) as number`,
  `insert into audit_events (uuid, organization_id, seq, at, action, actor_kind, owner_id, target_kind, target_uuid)
    select decode(lpad(to_hex(number), 32, '0'), 'hex'), 1 + number % 2000, 1000000 + number, number, 'token.created', 'user',
      1 + number % 2000, 'token', decode(lpad(to_hex(number), 32, '0'), 'hex') from generate_series(1, 50000) as number`,
  `insert into outgoing_mails (message_id, owner_id, subject, text, tries, created_at, due_at)
    select 'id', 1, 'subject', 'text', 0, number, number from generate_series(1, 50000) as number`,
  `insert into audit_heads select id, 0, 'hash', 0, 'hash' from organizations on conflict do nothing`,
  `insert into webhooks (uuid, organization_id, url, secret, created_at, after_id, after_seq)
    select decode(md5(id::text), 'hex'), id, 'url', 'secret', 1, 0, 0 from organizations`,
  `insert into webhook_deliveries (uuid, webhook_id, event_type, payload, status, created_at, begun_at, attempts, retries)
    select decode(md5(webhook.id || ' ' || number), 'hex'), webhook.id, 'type', '{}', 'delivered', webhook.id * 25 + number, 1, 1, 1
    from webhooks as webhook, generate_series(1, 25) as number`,
  `insert into scope_sets (scopes) select 'scope:' || number from generate_series(1, 2000) as number`,
  `insert into scope_set_members select scopes, id from scope_sets where scopes like 'scope:%'`,
];

/** What was asked for and answered, such as `GET /api/v1/users`. */
function visited({ log }: Service): Set<string> {
  const lines = log.map((line) => JSON.parse(line) as { method?: string; route?: string; status?: number });
  return new Set(
    lines.filter(({ status = 500 }) => status < 300).map(({ method = '', route = '' }) => `${method} ${route}`),
  );
}

/** Every operation of the contract, but for those that ask the database nothing. */
function operations(): string[] {
  const { paths } = JSON.parse(readFileSync('generated/openapi.json', 'utf8')) as { paths: Record<string, object> };
  return Object.entries(paths)
    .filter(([path]) => !/^\/(healthz|openapi)/.test(path))
    .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`));
}
