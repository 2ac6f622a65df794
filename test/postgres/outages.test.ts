import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { expect, inject, onTestFinished, test } from 'vitest';
import { createAccessToken, getMe, listAccessTokens, listUsers } from '../../generated/index.js';
import { newDatabase } from '../support/databases.js';
import { send } from '../support/http.js';
import { startProxy } from '../support/lossy-proxy.js';
import { answered, startService } from '../support/service.js';
import { change, rowsOf } from '../support/store.js';

const TOKENS = '/api/v1/access-tokens';

/** A service whose way to its database is in the test's hands. */
async function startBehindProxy() {
  const { database, remove } = await newDatabase('');
  onTestFinished(remove);
  const proxy = await startProxy(database);
  const service = await startService({ database: proxy.url });
  return { service, proxy, database };
}

test('what is read goes on where the server ends all connections, and so does what is written', async () => {
  const service = await startService();
  const { client } = await service.admin();
  const own = "datname = current_database() and application_name = 'latchkey'";
  for (let round = 0; round < 3; round++) {
    const ended = await rowsOf(service, `select pg_terminate_backend(pid) from pg_stat_activity where ${own}`);
    expect(ended.length).toBeGreaterThan(0);
    const reads = await Promise.all(Array.from({ length: 20 }, () => getMe({ client })));
    expect(reads.map(({ response }) => response.status)).toEqual(reads.map(() => 200));
    const { response } = await createAccessToken({ client, body: { name: 'a' } });
    expect([201, 503]).toContain(response.status);
    await answered(createAccessToken({ client, body: { name: 'b' } }));
  }
  expect(service.log.join('')).not.toMatch(/internal error/i);
});

test('changes wait for a connection of the process where the server allows no further one', async () => {
  const { database, remove } = await newDatabase('');
  const role = `limited_${randomUUID().replaceAll('-', '')}`;
  onTestFinished(async () => {
    await remove();
    await change({ database: inject('postgres') }, `drop role ${role}`);
  });
  await change(
    { database },
    `create role ${role} login password 'a' connection limit 4`,
    `grant all on all tables in schema public to ${role}`,
    `grant all on all sequences in schema public to ${role}`,
  );
  const limited = new URL(database);
  [limited.username, limited.password] = [role, 'a'];
  const service = await startService({ database: limited.href });
  const { client } = await service.admin();
  const creates = Array.from({ length: 60 }, (_, index) =>
    createAccessToken({ client, body: { name: `token ${String(index)}` } }),
  );
  expect((await Promise.all(creates)).map(({ response }) => response.status)).toEqual(creates.map(() => 201));
  const { items } = await answered(listAccessTokens({ client, query: { limit: 100 } }));
  expect(new Set(items.map(({ name }) => name)).size).toBe(60 + 1);
});

test('changes that would wait too long for a connection are rejected, and those that were answered are there', async () => {
  const service = await startService({ databaseConnections: 1 });
  const { client } = await service.admin();
  const other = new Client(service.database);
  await other.connect();
  await other.query('begin');
  await other.query('select id from users for update');
  const statuses: number[] = [];
  const codes = new Set<string>();
  const creates = Array.from({ length: 600 }, async (_, index) => {
    const { response, error } = await createAccessToken({ client, body: { name: `token ${String(index)}` } });
    statuses.push(response.status);
    if (error !== undefined && 'code' in error) codes.add(error.code);
  });
  await expect.poll(() => statuses.length, { timeout: 10_000 }).toBeGreaterThan(0);
  await other.query('rollback');
  await other.end();
  await Promise.all(creates);
  expect(new Set(statuses)).toEqual(new Set([201, 503]));
  expect(codes).toContain('overloaded');
  const made = statuses.filter((status) => status === 201).length;
  expect(await rowsOf(service, "select count(*) as count from access_tokens where type = 'pat'")).toEqual([
    { count: made },
  ]);
});

test('a read whose answer is lost is sent once more, on either kind of connection', async () => {
  const { service, proxy } = await startBehindProxy();
  const { client } = await service.admin();
  for (const [text, read] of [
    ['token_secrets', () => getMe({ client })],
    ['order by "user"."id"', () => listUsers({ client })],
  ] as const) {
    const lost = proxy.loseAnswerTo(text);
    expect((await read()).response.status).toBe(200);
    await lost;
  }
});

test('without the server requests are 503, and it serves again within two seconds without a restart', async () => {
  const { service, proxy } = await startBehindProxy();
  const { client, token } = await service.admin();
  for (let round = 0; round < 2; round++) {
    proxy.cut();
    const read = await send(service, 'GET /api/v1/users/me', { token });
    expect(read).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    expect(read.text).not.toContain('127.0.0.1');
    expect((await createAccessToken({ client, body: { name: 'a' } })).response.status).toBe(503);
    expect((await send(service, 'GET /readyz')).status).toBe(503);
    expect((await send(service, 'GET /healthz')).status).toBe(200);
    proxy.mend();
    const begin = performance.now();
    while ((await send(service, 'GET /readyz')).status !== 200) await sleep(20);
    expect(performance.now() - begin).toBeLessThan(2_000);
    await answered(getMe({ client }));
    await answered(createAccessToken({ client, body: { name: 'b' } }));
  }
});

test('a server that hangs keeps nobody who asks whether it answers, and is served from once it goes on', async () => {
  const { service, proxy } = await startBehindProxy();
  const { client } = await service.admin();
  proxy.block();
  const begin = performance.now();
  const waiting = getMe({ client });
  expect((await send(service, 'GET /readyz')).status).toBe(503);
  expect(performance.now() - begin).toBeLessThan(2_000);
  proxy.mend();
  expect([200, 503]).toContain((await waiting).response.status);
  await answered(getMe({ client }));
  await answered(createAccessToken({ client, body: { name: 'b' } }));
});

test('a commit whose answer is lost is 503, and its repeat by the same key is answered, and done once', async () => {
  const { service, proxy } = await startBehindProxy();
  const { client, token } = await service.admin();
  const parts = { token, json: { name: 'once' }, headers: { 'Idempotency-Key': 'key-of-this-test' } };
  // Otherwise the answer to the linking of the login's event is lost.
  await expect.poll(() => rowsOf(service, 'select id from audit_events where seq is null')).toEqual([]);
  void proxy.loseAnswer('COMMIT\0');

  expect(await send(service, `POST ${TOKENS}`, parts)).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });

  expect((await send(service, `POST ${TOKENS}`, parts)).status).toBe(201);
  const { items } = await answered(listAccessTokens({ client, query: { q: 'once' } }));
  expect(items).toHaveLength(1);
});
