import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import SqliteDriver from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import type { Client } from '../../generated/client/index.js';
import {
  createAccessToken,
  createPrivateToken,
  getMe,
  getReadiness,
  listAccessTokens,
  listPrivateTokens,
  logIn,
  logOut,
  revokeAccessToken,
  revokeAllAccessTokens,
  revokePrivateToken,
} from '../../generated/index.js';
import { createFaultyDatabase } from '../support/faulty-database.js';
import { canMount, mounting, SMALL } from '../support/namespace.js';
import { ADMIN, clientOf, logInTo, newFolder, serveDatabase } from '../support/process.js';
import { answered, startService } from '../support/service.js';

describe('while another process holds the write lock', () => {
  test('reads stay fast, and each create is answered after the lock or 503 with Retry-After', async () => {
    const database = join(await newFolder(), 'latchkey.db');
    const { url } = await serveDatabase(database);
    const { client } = await logInTo(url);
    const known = await answered(createAccessToken({ client, body: { name: 'before the lock' } }));

    const other = new SqliteDriver(database);
    other.exec('begin immediate');
    const creates = Array.from({ length: 5 }, () => createAccessToken({ client, body: { name: 'during the lock' } }));
    let answers = 0;
    for (const create of creates) void create.then(() => answers++);

    const times: number[] = [];
    for (const end = performance.now() + 3_000; performance.now() < end; ) {
      const start = performance.now();
      const { response } = await getMe({ client: clientOf(url, known.plaintext) });
      expect(response.status).toBe(200);
      await answered(listAccessTokens({ client }));
      times.push((performance.now() - start) / 2);
    }
    expect(Math.max(...times)).toBeLessThan(1_000);
    expect(times.length).toBeGreaterThan(30);
    expect(answers).toBe(0);

    other.exec('rollback');
    other.close();
    const settled = await Promise.all(creates);
    for (const { response } of settled) {
      expect([201, 503]).toContain(response.status);
      if (response.status === 503) expect(response.headers.get('Retry-After')).toMatch(/^[1-9]\d*$/);
    }
    const made = settled.flatMap(({ data }) => (data === undefined ? [] : [data.token.id]));
    const { items } = await answered(listAccessTokens({ client, query: { tokenType: 'pat', limit: 200 } }));
    expect(items.map(({ id }) => id).sort()).toEqual([known.token.id, ...made].sort());
    await answered(createAccessToken({ client, body: { name: 'after the lock' } }));
  });

  test('a create that waits too long is 503 with Retry-After, and was not made', async () => {
    const database = join(await newFolder(), 'latchkey.db');
    const { url } = await serveDatabase(database);
    const { client } = await logInTo(url);
    const other = new SqliteDriver(database);
    other.exec('begin immediate');
    const start = performance.now();
    const { response, error } = await createAccessToken({ client, body: { name: 'too late' } });
    expect(performance.now() - start).toBeLessThan(10_000);
    expect(response.status).toBe(503);
    expect(response.headers.get('Retry-After')).toMatch(/^[1-9]\d*$/);
    expect(error).toEqual({ code: 'service_unavailable', detail: expect.any(String) as string });
    other.exec('rollback');
    other.close();
    const { items } = await answered(listAccessTokens({ client, query: { tokenType: 'pat' } }));
    expect(items).toEqual([]);
  });
});

describe('while the storage fails', () => {
  const uuid = '018f4e2a-0000-7000-8000-000000000000';
  const expiration = '2031-01-01T00:00:00Z';
  type Call = (client: Client) => Promise<{ response: Response; error?: unknown }>;
  const secured: [operation: string, call: Call][] = [
    ['getMe', (client) => getMe({ client })],
    ['listAccessTokens', (client) => listAccessTokens({ client })],
    ['createAccessToken', (client) => createAccessToken({ client, body: { name: 'lost' } })],
    ['revokeAccessToken', (client) => revokeAccessToken({ client, path: { token_id: uuid } })],
    ['revokeAllAccessTokens', (client) => revokeAllAccessTokens({ client })],
    ['logOut', (client) => logOut({ client })],
    ['listPrivateTokens', (client) => listPrivateTokens({ client })],
    [
      'createPrivateToken',
      (client) => createPrivateToken({ client, body: { name: 'lost', expiration_time: expiration } }),
    ],
    ['revokePrivateToken', (client) => revokePrivateToken({ client, path: { id: 1 } })],
  ];

  test('a good credential is 503 with Retry-After in every operation, never 401, and serves again afterwards', async () => {
    const faulty = createFaultyDatabase();
    const service = await startService({ openDatabase: (path) => faulty.open(path) });
    const admin = await service.admin();
    const { plaintext } = await answered(createAccessToken({ client: admin.client, body: { name: 'kept' } }));
    const before = await answered(listAccessTokens({ client: admin.client }));

    faulty.set('storage');
    for (const [operation, call] of secured) {
      for (const token of [admin.token, plaintext]) {
        const { response, error } = await call(service.as(token));
        expect(response.status, operation).toBe(503);
        expect(response.headers.get('Retry-After'), operation).toMatch(/^[1-9]\d*$/);
        expect(response.headers.get('WWW-Authenticate'), operation).toBeNull();
        expect(JSON.stringify(error), operation).not.toMatch(/SQLITE|disk|lk_/);
      }
    }
    const last = service.log.at(-1) ?? '';
    expect(last).toContain('SQLITE_IOERR');
    expect(service.log.join('')).not.toContain(plaintext);

    faulty.set('none');
    const after = await answered(listAccessTokens({ client: admin.client }));
    const known = ({ id, name, revokedAt }: (typeof after.items)[number]) => ({ id, name, revokedAt });
    expect(after.items.map(known)).toEqual(before.items.map(known));
    expect((await getMe({ client: service.as(plaintext) })).response.status).toBe(200);
  });

  test('a login is 503 and counts as no failure of the user', async () => {
    const faulty = createFaultyDatabase();
    const service = await startService({ openDatabase: (path) => faulty.open(path) });
    const { email, password } = await service.admin();
    faulty.set('storage');
    for (let attempt = 0; attempt < 12; attempt++) {
      const { response } = await logIn({ client: service.anonymous, body: { username: email, password } });
      expect(response.status).toBe(503);
      expect(response.headers.get('Set-Cookie')).toBeNull();
    }
    faulty.set('none');
    const { response } = await logIn({ client: service.anonymous, body: { username: email, password } });
    expect(response.status).toBe(200);
  });

  test('a nonsensical credential is 401 all the same, and readiness 503', async () => {
    const faulty = createFaultyDatabase();
    const service = await startService({ openDatabase: (path) => faulty.open(path) });
    faulty.set('storage');
    expect((await getMe({ client: service.as('nonsense') })).response.status).toBe(401);
    expect((await getReadiness({ client: service.anonymous })).response.status).toBe(503);
    expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
  });
});

// A full disk that is nobody else's needs a mount, which not every machine allows.
test.skipIf(!canMount)(
  'on a full disk creates are 503, credentials serve on, and with space all is well again',
  async () => {
    const folder = await newFolder();
    const mounted = join(folder, 'small');
    await mkdir(mounted);
    const database = join(mounted, 'latchkey.db');
    const serving = await serveDatabase(database, {}, { prefix: mounting(SMALL, mounted) });
    const { url, child } = serving;
    const { client, token } = await logInTo(url);
    const ids: string[] = [];
    const create = async () => {
      const { data, response } = await createAccessToken({ client, body: { name: 'x'.repeat(200) } });
      if (data !== undefined) ids.push(data.token.id);
      return response;
    };
    expect((await create()).status).toBe(201);

    const ballast = join('/proc', String(child.pid), 'root', mounted, 'ballast');
    fill(ballast);
    let refused = await create();
    for (let attempt = 0; attempt < 200 && refused.status === 201; attempt++) refused = await create();
    expect(refused.status).toBe(503);
    expect(refused.headers.get('Retry-After')).toMatch(/^[1-9]\d*$/);
    for (let attempt = 0; attempt < 20; attempt++) {
      expect((await create()).status).toBe(503);
      expect((await getMe({ client })).response.status).toBe(200);
      expect((await getMe({ client: clientOf(url, `${token.slice(0, -1)}_`) })).response.status).toBe(401);
    }
    expect(child.exitCode).toBeNull();

    rmSync(ballast);
    await expect.poll(async () => (await create()).status, { timeout: 4_000 }).toBe(201);
    await logInTo(url, ADMIN);
    expect(await listedIds(client)).toEqual([...ids].sort());
    child.kill('SIGTERM');
    expect((await serving.finished).code).toBe(0);
  },
);

async function listedIds(client: Client): Promise<string[]> {
  const found: string[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await answered(
      listAccessTokens({ client, query: { tokenType: 'pat', limit: 200, ...(cursor !== undefined && { cursor }) } }),
    );
    found.push(...page.items.map(({ id }) => id));
    cursor = page.nextCursor;
  }
  return found.sort();
}

/** Takes what space there is left on the file system of `path`. */
function fill(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (const size of [65_536, 4_096, 512]) {
      try {
        for (;;) if (writeSync(file, Buffer.alloc(size)) < size) break;
      } catch (error) {
        expect(error).toMatchObject({ code: 'ENOSPC' });
      }
    }
  } finally {
    closeSync(file);
  }
}
