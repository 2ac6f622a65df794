import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import SqliteDriver from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  createAccessToken,
  createUser,
  getAccessToken,
  getMe,
  listAccessTokens,
  listAuditEvents,
  listPrivateTokens,
  logIn,
  refreshSession,
  rotateAccessToken,
  updateAccessToken,
} from '../../generated/index.js';
import { offboardings } from '../../server/database/migrations/0012-offboardings.js';
import { fasterOffboarding } from '../../server/database/migrations/0016-faster-offboarding.js';
import { checkDatabase } from '../../server/index.js';
import { withChecksum } from '../support/plaintext.js';
import { latchkeyUntilKilled } from '../support/process.js';
import { answered, DAY, type Service, startService } from '../support/service.js';

// A database of each version with another schema: every later one opens it, and everything in it serves as before. They are of
// 2030-06-15, 11:55, made with the plaintexts below.

const RELEASED = 'test/database/released';
const MIGRATING = 'bringing the database up to date';
const versions = (await readdir(RELEASED)).map((name) => basename(name, '.sqlite'));

function plaintext(kind: 'pat' | 'ses' | 'ref', name: string): string {
  return withChecksum(`lk_${kind}_${name.padEnd(30, '0')}`);
}

const ACCEPTED = [
  plaintext('pat', 'never'),
  plaintext('pat', 'later'),
  plaintext('ses', 'refreshed'),
  plaintext('ses', 'earlier'),
];
const REFUSED = [plaintext('pat', 'expired'), plaintext('pat', 'revoked'), plaintext('pat', 'disabled')];

async function copyOf(version: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-released-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const database = join(folder, 'latchkey.db');
  await copyFile(join(RELEASED, `${version}.sqlite`), database);
  return database;
}

async function isAccepted(service: Service, token: string): Promise<boolean> {
  return (await getMe({ client: service.as(token) })).response.status === 200;
}

test('what was known of scopes, rotation and disabling before digests were halved is kept', async () => {
  const service = await startService({ database: await copyOf('0.1.0-scopes') });
  for (const name of ['rotated', 'before']) expect(await isAccepted(service, plaintext('pat', name))).toBe(true);
  expect(await isAccepted(service, plaintext('pat', 'stopped'))).toBe(false);

  const { items } = await answered(listAccessTokens({ client: service.as(plaintext('pat', 'scoped')) }));
  expect(items.find(({ name }) => name === 'scoped')).toMatchObject({
    scopes: ['orders:read', 'tokens:read'],
    description: 'reads orders',
    metadata: { team: 'sales' },
  });
  expect(items.find(({ name }) => name === 'rotated')?.previousSecret?.tokenPrefix).toBe('lk_pat_befor');
  expect(items.find(({ name }) => name === 'stopped')?.disabled).toBe(true);

  service.clock.advance(7 * DAY);
  expect(await isAccepted(service, plaintext('pat', 'before'))).toBe(false);
  expect(await isAccepted(service, plaintext('pat', 'rotated'))).toBe(true);
});

test('from a version with an index on ids, chosen ids are found and integer ids are not given again', async () => {
  const database = await copyOf('0.1.0-smaller');
  const chosen = 'c0ffee00-0000-4000-8000-000000000001';
  const before = new SqliteDriver(database);
  const bytes = Buffer.from(chosen.replaceAll('-', ''), 'hex');
  before.prepare("update access_tokens set uuid = ? where name = 'never ends'").run(bytes);
  const latest = before.prepare('select max(id) from access_tokens').pluck().get() as number;
  for (const [table, column] of [
    ['token_secrets', 'token_id'],
    ['refresh_tokens', 'token_id'],
    ['access_tokens', 'id'],
  ]) {
    before.prepare(`delete from ${String(table)} where ${String(column)} = ?`).run(latest);
  }
  before.close();

  const service = await startService({ database });
  const client = service.as(plaintext('pat', 'never'));
  const { name } = await answered(getAccessToken({ client, path: { token_id: chosen } }));
  expect(name).toBe('never ends');
  await answered(createAccessToken({ client, body: { name: 'new' } }));
  await service.stop();
  const after = new SqliteDriver(database, { readonly: true });
  expect(after.prepare("select id from access_tokens where name = 'new'").pluck().get()).toBe(latest + 1);
  after.close();
});

test('from a version without versions, owners of several kinds and folded texts, all is as it was and found', async () => {
  const database = await copyOf('0.1.0-found-by-time');
  const service = await startService({ database });
  const client = service.as(plaintext('pat', 'zurich'));
  const found = async (q: string) => {
    const { items } = await answered(listAccessTokens({ client, query: { q } }));
    return items.map(({ name }) => name);
  };
  // Names and descriptions beyond ASCII are folded by the migration.
  expect(await found('SCHLÜSSEL')).toEqual(['Schlüssel für Zürich']);
  expect(await found('Öffnet')).toEqual(['Schlüssel für Zürich']);
  expect(await found('ämter')).toEqual(['described']);
  expect(await found('CHOSEN')).toEqual(['chosen']);
  const { results } = await answered(listPrivateTokens({ client, query: { q: 'für ZÜRICH' } }));
  expect(results.map(({ name }) => name)).toEqual(['Schlüssel für Zürich']);

  // A scope that is reserved since stays, allows nothing, and is not inherited.
  const [zurich] = (await answered(listAccessTokens({ client, query: { q: 'Zürich' } }))).items;
  expect(zurich?.scopes).toEqual(['audit:read', 'orders:read', 'tokens:read', 'tokens:write']);
  expect((await listAuditEvents({ client })).response.status).toBe(403);
  const heir = await answered(createAccessToken({ client, body: { name: 'heir' } }));
  expect(heir.token.scopes).toEqual(['orders:read', 'tokens:read', 'tokens:write']);
  // It cannot be given on either, because a new token with it would read the audit log.
  const given = await createAccessToken({ client, body: { name: 'given', scopes: ['audit:read'] } });
  expect(given.error).toEqual({ detail: 'The token lacks a scope: audit:read.', code: 'insufficient_scope' });
  const edit = { path: { token_id: heir.token.id }, body: { scopes: ['audit:read'] } };
  expect((await updateAccessToken({ client, ...edit })).response.status).toBe(403);
  const path = { token_id: zurich?.id ?? '' };
  const kept = await answered(updateAccessToken({ client, path, body: { scopes: zurich?.scopes ?? [] } }));
  expect(kept.scopes).toEqual(zurich?.scopes);

  const chosen = { token_id: 'c0ffee00-0000-4000-8000-000000000005' };
  expect((await answered(getAccessToken({ client, path: chosen }))).name).toBe('chosen');
  expect(await isAccepted(service, plaintext('pat', 'chosen'))).toBe(true);

  // The highest ids are of rows that are gone.
  const { user } = await answered(
    createUser({ client: (await service.admin()).client, body: { email: 'new@example.org' } }),
  );
  expect(user.id).toBe(10);
  await service.stop();
  const after = new SqliteDriver(database, { readonly: true });
  expect(after.prepare("select id, version, organization_id from access_tokens where name = 'heir'").get()).toEqual({
    id: 41,
    version: 1,
    organization_id: 1,
  });
  after.close();
  expect((await checkDatabase(database)).faults).toEqual([]);
});

test('an answer that the version before kept is given again, with a tag that no token has', async () => {
  const service = await startService({ database: await copyOf('0.1.0-found-by-time') });
  const client = service.as(plaintext('pat', 'zurich'));
  const headers = { 'Idempotency-Key': 'kept-by-the-version-before' };
  const repeated = await createAccessToken({ client, body: { name: 'made once' }, headers });
  const { plaintext: text, token } = await answered(Promise.resolve(repeated));
  expect(await isAccepted(service, text)).toBe(true);
  const path = { token_id: token.id };
  const stale = repeated.response.headers.get('ETag') ?? '';
  const current = (await getAccessToken({ client, path })).response.headers.get('ETag') ?? '';
  const renamed = (ifMatch: string) =>
    updateAccessToken({ client, path, body: { name: 'b' }, headers: { 'If-Match': ifMatch } });
  expect((await renamed(stale)).response.status).toBe(412);
  expect((await renamed(current)).response.status).toBe(200);
});

test('the log tells of a migration, and of none where there is nothing to migrate', async () => {
  const service = await startService({ database: await copyOf('0.1.0') });
  const lines = () =>
    service.log.map((line) => JSON.parse(line) as { msg: string }).filter(({ msg }) => msg === MIGRATING);
  expect(lines()).toEqual([expect.objectContaining({ migration: '0006-data-model', step: 'tokens copied', total: 6 })]);
  await service.restart();
  expect(lines()).toHaveLength(1);
  const fresh = await startService();
  expect(fresh.log.join('')).not.toContain(MIGRATING);
});

test('a start rolls back what a killed process had begun to write with a journal', async () => {
  const [written, database] = [await copyOf('0.1.0'), await copyOf('0.1.0')];
  const connection = new SqliteDriver(written);
  connection.pragma('journal_mode = delete');
  // So that the journal is on disk before the commit.
  connection.pragma('cache_size = 1');
  connection.exec('begin; create table begun (padding); insert into begun values (zeroblob(1000000))');
  await copyFile(written, database);
  await copyFile(`${written}-journal`, `${database}-journal`);
  connection.exec('rollback');
  connection.close();
  const service = await startService({ database });
  expect(await isAccepted(service, plaintext('pat', 'never'))).toBe(true);
  await service.stop();
  const after = new SqliteDriver(database, { readonly: true });
  expect(after.prepare("select count(*) from sqlite_schema where name = 'begun'").pluck().get()).toBe(0);
  after.close();
});

describe.each(versions)('a database of version %s', (version) => {
  test('opens, and every token in it is what it was', async () => {
    const service = await startService({ database: await copyOf(version) });
    for (const token of ACCEPTED) expect(await isAccepted(service, token)).toBe(true);
    for (const token of REFUSED) expect(await isAccepted(service, token)).toBe(false);
    await service.restart();
    for (const token of ACCEPTED) expect(await isAccepted(service, token)).toBe(true);

    const client = service.as(plaintext('pat', 'never'));
    const { items } = await answered(listAccessTokens({ client, query: { includeRevoked: true } }));
    expect(items.map(({ name, lastUsedAt }) => [name, lastUsedAt !== null])).toEqual([
      ['session', true],
      ['revoked', false],
      ['ended', false],
      ['ends in 2031', true],
      ['never ends', true],
    ]);
    for (const token of items) {
      expect(token).toMatchObject({ description: '', metadata: {}, disabled: false, previousSecret: null });
    }
  });

  test('takes everything that is new', async () => {
    const service = await startService({ database: await copyOf(version) });
    const client = service.as(plaintext('pat', 'never'));
    const { items } = await answered(listAccessTokens({ client, query: { tokenType: 'pat' } }));
    for (const { id, name } of items.filter(({ name }) => name !== 'ended')) {
      const rotated = await answered(
        rotateAccessToken({ client, path: { token_id: id }, body: { gracePeriodSeconds: 60 } }),
      );
      expect(await isAccepted(service, rotated.plaintext)).toBe(true);
      const seen = await answered(getAccessToken({ client, path: { token_id: id } }));
      expect(seen.previousSecret?.tokenPrefix, name).toMatch(/^lk_pat_(never|later)$/);
    }
    for (const token of ACCEPTED) expect(await isAccepted(service, token)).toBe(true);
    service.clock.advance(60_000);
    for (const name of ['never', 'later']) expect(await isAccepted(service, plaintext('pat', name))).toBe(false);
  });

  test('its session is refreshed, and a spent refresh token ends it', async () => {
    const service = await startService({ database: await copyOf(version) });
    const refresh = (name: string) =>
      refreshSession({ client: service.anonymous, body: { refresh_token: plaintext('ref', name) } });
    const session = await answered(refresh('latest'));
    for (const token of [session.access_token, plaintext('ses', 'refreshed'), plaintext('ses', 'earlier')]) {
      expect(await isAccepted(service, token)).toBe(true);
    }
    expect((await refresh('spent')).response.status).toBe(401);
    expect(await isAccepted(service, session.access_token)).toBe(false);
  });

  test('its users log in and create', async () => {
    const service = await startService({ database: await copyOf(version) });
    const { client } = await service.admin();
    await answered(createAccessToken({ client, body: { name: 'new' } }));
    const body = { username: 'disabled@example.org', password: 'correct horse battery' };
    expect((await logIn({ client: service.anonymous, body })).response.status).toBe(403);
  });

  test('is whole after a start that is killed at any moment, and the next one completes it', async () => {
    for (let round = 0; round < 20; round++) {
      const database = await copyOf(version);
      // A start takes some 300 milliseconds, and the migration a few of them.
      const env = { LATCHKEY_DATABASE: database, LATCHKEY_PORT: '0' };
      await latchkeyUntilKilled(120 + round * 10, ['serve'], { env });
      const service = await startService({ database });
      expect(await isAccepted(service, plaintext('pat', 'never'))).toBe(true);
      await service.stop();
      const connection = new SqliteDriver(database, { readonly: true });
      expect(connection.pragma('integrity_check', { simple: true })).toBe('ok');
      connection.close();
    }
  }, 60_000);
});

const NO_REPORT = () => Promise.resolve();

test('an offboarding that had changed the newest tokens begins at the oldest', async () => {
  const database = new SqliteDriver(':memory:');
  const db = new Kysely<unknown>({ dialect: new SqliteDialect({ database }) });
  onTestFinished(() => db.destroy());
  database.exec(
    'create table access_tokens (id, owner_id, created_at, type); create table users (id integer primary key)',
  );
  database.exec('insert into users values (7)');
  await offboardings.sqlite.up(db, NO_REPORT);
  database.exec('insert into offboardings values (7, null, 1, null, 500, 5, 2, 3000, 0)');
  await fasterOffboarding.sqlite.up(db, NO_REPORT);
  expect(database.prepare('select * from offboardings').all()).toEqual([
    {
      user_id: 7,
      to_id: null,
      begun_at: 1,
      ended_at: null,
      reached_at: null,
      reached_id: null,
      sessions: 2,
      tokens: 3000,
      cut: 0,
    },
  ]);
});
