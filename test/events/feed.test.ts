import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createLatchkey } from '../../client/index.js';
import {
  createAccessToken,
  revokeAccessToken,
  revokeCurrentAccessToken,
  updateAccessToken,
  updateUser,
} from '../../generated/index.js';
import { openDatabase } from '../../server/database/index.js';
import { createFeedReader } from '../../server/events/feed-reader.js';
import { linkEvents } from '../../server/events/link.js';
import { openUsers } from '../../server/index.js';
import type { Caller } from '../../server/tokens/caller.js';
import { afterFirstQuery } from '../support/between-queries.js';
import { follow } from '../support/following.js';
import { send } from '../support/http.js';
import { answered, DAY, startService } from '../support/service.js';
import { change, rowsOf } from '../support/store.js';

// The stream of events as they happen.

test('an administrator gets every event of the organization as it happens', async () => {
  const service = await startService();
  const admin = await service.admin();
  const user = await service.newUser();
  const stream = await follow(service, admin.token);
  expect(stream).toMatchObject({
    status: 200,
    headers: {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-request-id': expect.any(String) as string,
    },
  });
  const { id: start } = (await stream.next()) ?? {};
  const { token } = await answered(createAccessToken({ client: user.client, body: { name: 'a' } }));
  const frame = await stream.next();
  expect(frame).toMatchObject({ id: String(Number(start) + 1), event: 'token.created' });
  expect(JSON.parse(frame?.data ?? '')).toMatchObject({
    seq: Number(start) + 1,
    actor: { email: user.email },
    target: { tokenId: token.id, label: 'a' },
    hash: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
  });
  await revokeAccessToken({ client: user.client, path: { token_id: token.id } });
  expect(await stream.event()).toMatchObject({ seq: Number(start) + 2, action: 'token.revoked' });
});

test('a stream begins behind Last-Event-ID, or else behind `after`', async () => {
  const service = await startService();
  const { client, token } = await service.admin();
  for (const name of ['a', 'b', 'c']) await answered(createAccessToken({ client, body: { name } }));
  const all = await follow(service, token, { query: '?after=0' });
  const seen = [];
  while (seen.length < 5) seen.push(await all.event());
  expect(seen.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
  const later = await follow(service, token, { query: '?after=3' });
  expect(await later.event()).toEqual(seen[3]);
  const resumed = await follow(service, token, { query: '?after=0', headers: { 'Last-Event-ID': '4' } });
  expect(await resumed.event()).toEqual(seen[4]);
});

test('a place whose events were deleted is 410, and so is one that does not exist; in an export too', async () => {
  const service = await startService();
  const { client, token } = await service.admin();
  // On PostgreSQL the chain begins a moment after its first event.
  await expect.poll(() => rowsOf(service, 'select seq from audit_heads where seq > 1')).toHaveLength(1);
  await change(service, 'update audit_heads set pruned_seq = 2', 'delete from audit_events where seq <= 2');
  for (const operation of ['GET /api/v1/events', 'GET /api/v1/audit-events/export'] as const) {
    for (const [query, detail] of [
      ['?after=1', 'Events after 1 were deleted. Events are kept after 2.'],
      ['?after=1000', expect.stringContaining('There is no event 1000') as string],
    ] as const) {
      const refused = await send(service, `${operation}${query}`, { token });
      expect(refused).toMatchObject({ status: 410, body: { code: 'events_gone', detail } });
    }
    if (operation.endsWith('export')) {
      for (const query of ['', '?after=0', '?after=2']) {
        expect(await send(service, `${operation}${query}`, { token })).toMatchObject({ status: 200 });
      }
    }
  }
  expect(await follow(service, token, { query: '?after=2' })).toMatchObject({ status: 200 });
  // All that is kept, as the first stream of a follower that knows nothing yet.
  const all = await follow(service, token, { query: '?after=0' });
  expect(await all.next()).toMatchObject({ id: '2' });
  await answered(createAccessToken({ client, body: { name: 'a' } }));
  expect((await all.event()).seq).toBe(3);
});

test('a place whose events are deleted while it is read ends the stream', async () => {
  const service = await startService();
  const { client } = await service.admin();
  for (const name of ['a', 'b']) await answered(createAccessToken({ client, body: { name } }));
  await service.stop();
  const db = await openDatabase(service.database);
  onTestFinished(() => db.close());
  const caller = { organizationId: 1, ownerId: 1 } as Caller;
  for (const isAuditor of [true, false]) {
    await change(service, 'update audit_heads set pruned_seq = 0');
    const prune = () => change(service, 'update audit_heads set pruned_seq = 2');
    const { read } = createFeedReader({ read: afterFirstQuery(db.read, prune) });
    expect(await read({ caller, isAuditor }, 1)).toBeUndefined();
    expect(await read({ caller, isAuditor }, 2)).toMatchObject({ reached: 4, isLast: true });
  }
});

test('anybody else gets the events of their own tokens alone', async () => {
  const service = await startService();
  const admin = await service.admin();
  const user = await service.newUser();
  const stream = await follow(service, user.token);
  await answered(createAccessToken({ client: admin.client, body: { name: 'of the administrator' } }));
  await answered(
    updateUser({ client: admin.client, path: { user_id: user.session.id }, body: { fullName: 'Another name' } }),
  );
  await answered(createAccessToken({ client: user.client, body: { name: 'own' } }));
  expect(await stream.event()).toMatchObject({ action: 'token.created', target: { label: 'own' } });
});

test('a token needs tokens:read for its own events, and a named audit:read of an administrator for all', async () => {
  const service = await startService();
  const admin = await service.admin();
  const issue = async (scopes: string[]) =>
    (await answered(createAccessToken({ client: admin.client, body: { name: 'a', scopes } }))).plaintext;
  const refused = await send(service, 'GET /api/v1/events', { token: await issue(['tokens:verify']) });
  expect(refused).toMatchObject({ status: 403, body: { code: 'insufficient_scope' } });
  expect(await send(service, 'GET /api/v1/events')).toMatchObject({ status: 401 });
  const [mayRead, mayAudit] = [await issue(['tokens:read']), await issue(['audit:read'])];
  const own = await follow(service, mayRead);
  const all = await follow(service, mayAudit);
  const user = await service.newUser();
  await answered(createAccessToken({ client: user.client, body: { name: 'of the user' } }));
  await answered(createAccessToken({ client: admin.client, body: { name: 'of the administrator' } }));
  expect((await own.event()).target?.label).toBe('of the administrator');
  expect((await all.event()).action).toBe('user.created');
});

test('a stream ends with its token, and tells nothing that followed', async () => {
  const service = await startService();
  const admin = await service.admin();
  const issue = async () => {
    const body = { name: 'follower', scopes: ['tokens:read', 'tokens:write', 'audit:read'], expiresInDays: 1 };
    return await answered(createAccessToken({ client: admin.client, body }));
  };
  const ends: [string, (plaintext: string, id: string) => Promise<unknown>][] = [
    ['revoked', (plaintext) => revokeCurrentAccessToken({ client: service.as(plaintext) })],
    [
      'disabled',
      (_, id) => updateAccessToken({ client: admin.client, path: { token_id: id }, body: { disabled: true } }),
    ],
    [
      'without the scope',
      (_, id) => updateAccessToken({ client: admin.client, path: { token_id: id }, body: { scopes: [] } }),
    ],
  ];
  for (const [why, end] of ends) {
    const { plaintext, token } = await issue();
    const stream = await follow(service, plaintext);
    await stream.next();
    await end(plaintext, token.id);
    expect(await stream.next(), why).toBeUndefined();
  }
});

test('a stream ends when its token expires or its user is disabled', async () => {
  const service = await startService({ feed: { heartbeat: 100 } });
  const admin = await service.admin();
  const user = await service.newUser();
  const body = { name: 'follower', expiresInDays: 1 };
  const { plaintext } = await answered(createAccessToken({ client: admin.client, body }));
  const expiring = await follow(service, plaintext);
  const disabled = await follow(service, user.token);
  await Promise.all([expiring.next(), disabled.next()]);
  await answered(updateUser({ client: admin.client, path: { user_id: user.session.id }, body: { disabled: true } }));
  expect(await disabled.next()).toBeUndefined();
  service.clock.advance(2 * DAY);
  while ((await expiring.next()) !== undefined);
});

test('a sign of life comes while nothing happens, with the place that was reached', async () => {
  const service = await startService({ feed: { heartbeat: 100 } });
  const admin = await service.admin();
  const user = await service.newUser();
  const stream = await follow(service, user.token);
  const { id } = (await stream.next()) ?? {};
  expect(await stream.next()).toEqual({ comment: 'no events' });
  await answered(createAccessToken({ client: admin.client, body: { name: 'of another' } }));
  let frame = await stream.next();
  while (frame?.id === undefined) frame = await stream.next();
  expect(frame).toEqual({ id: String(Number(id) + 1), comment: 'no events' });
});

test('HEAD gets the headers of the stream and ends', async () => {
  const service = await startService();
  const { token } = await service.admin();
  const head = await send(service, 'HEAD /api/v1/events', { token });
  expect(head).toMatchObject({ status: 200, headers: { 'content-type': 'text/event-stream' }, text: '' });
});

test('a user has 10 streams at most, and may open another one when one has ended', async () => {
  const service = await startService();
  const { token } = await service.admin();
  const streams = [];
  for (let opened = 0; opened < 10; opened++) streams.push(await follow(service, token));
  expect((await send(service, 'GET /readyz')).body).toMatchObject({ eventStreams: 10 });
  const refused = await send(service, 'GET /api/v1/events', { token });
  expect(refused).toMatchObject({ status: 429, headers: { 'retry-after': '30' }, body: { code: 'too_many_requests' } });
  expect((await follow(service, (await service.newUser()).token)).status).toBe(200);
  streams[0]?.close();
  await expect.poll(async () => (await follow(service, token)).status).toBe(200);
});

test('a process has as many streams as its limit allows, whoever has them', async () => {
  const service = await startService({ feed: { most: 2 } });
  const admin = await service.admin();
  const user = await service.newUser();
  const own = await follow(service, admin.token);
  expect((await follow(service, user.token)).status).toBe(200);
  const refused = await send(service, 'GET /api/v1/events', { token: user.token });
  expect(refused).toMatchObject({
    status: 503,
    headers: { 'retry-after': '30' },
    body: { code: 'overloaded', detail: 'The service has 2 streams of events already. Try again later.' },
  });
  own.close();
  await expect.poll(async () => (await follow(service, user.token)).status).toBe(200);
});

test('a connection that ends before its stream begins leaves nothing behind', async () => {
  const service = await startService();
  const { token } = await service.admin();
  const { hostname, port } = new URL(service.url);
  const requestText = `GET /api/v1/events HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${token}\r\n\r\n`;
  for (let opened = 0; opened < 8; opened++) {
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), hostname, () => {
        socket.write(requestText, () => socket.destroy());
      });
      socket.once('close', () => {
        resolve();
      });
    });
  }
  const begun = () => service.log.filter((line) => line.includes('/api/v1/events')).length;
  await expect.poll(begun, { timeout: 5_000 }).toBe(8);
  expect((await send(service, 'GET /readyz')).body).toMatchObject({ eventStreams: 0 });
  const begin = performance.now();
  await service.stop();
  expect(performance.now() - begin).toBeLessThan(3_000);
});

test('a stop ends the streams at once', async () => {
  const service = await startService();
  const { token } = await service.admin();
  const stream = await follow(service, token);
  await stream.next();
  const begin = performance.now();
  await service.stop();
  expect(await stream.next()).toBeUndefined();
  expect(performance.now() - begin).toBeLessThan(3_000);
});

test('a change on the command line reaches a stream of a running service', async () => {
  const service = await startService();
  const { token } = await service.admin();
  const stream = await follow(service, token);
  await stream.next();
  const users = await openUsers(service.database);
  await users.add({ email: 'new@example.org', fullName: '', isAdmin: false, password: 'a password' });
  await users.close();
  expect(await stream.event()).toMatchObject({ action: 'user.created', actor: { kind: 'cli' } });
});

test('an event of another process reaches a stream', async () => {
  const service = await startService();
  const { token } = await service.admin();
  const other = await startService({ database: service.database });
  const stream = await follow(service, token);
  await stream.next();
  await answered(createAccessToken({ client: other.as(token), body: { name: 'of another process' } }));
  expect(await stream.event()).toMatchObject({ target: { label: 'of another process' } });
});

test('a reader that stops reading gets everything later, in its order', async () => {
  const service = await startService();
  const { client, token } = await service.admin();
  const stream = await follow(service, token);
  const { id } = (await stream.next()) ?? {};
  stream.pause();
  const body = { name: 'a', description: 'x'.repeat(900) };
  for (let made = 0; made < 200; made += 20)
    await Promise.all(Array.from({ length: 20 }, () => answered(createAccessToken({ client, body }))));
  stream.resume();
  for (let made = 1; made <= 200; made++) expect((await stream.event()).seq).toBe(Number(id) + made);
});

test('a reader that stalls has at most one batch of events in memory', async () => {
  const service = await startService();
  const { token } = await service.admin();
  await service.stop();
  // 30 MB, which is more than the sockets of both sides hold.
  const [events, size] = [1_500, 20_000];
  await change(
    service,
    `with recursive n (i) as (select 1 union all select i + 1 from n where i < ${String(events)})
      insert into audit_events (uuid, organization_id, at, action, actor_kind, changes)
      select uuid, organization_id, at, action, actor_kind, '{"after":{"name":"${'x'.repeat(size)}"}}'
      from audit_events, n where seq = 1`,
  );
  const db = await openDatabase(service.database);
  while ((await linkEvents(db, null)) !== 'all');
  await db.close();
  await service.restart();

  const opened = new Promise<ServerResponse>((resolve) => {
    const note = (message: unknown) => {
      const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
      if (request.url === '/api/v1/events?after=0') resolve(response);
    };
    subscribe('http.server.request.start', note);
    onTestFinished(() => void unsubscribe('http.server.request.start', note));
  });
  const stream = await follow(service, token, { query: '?after=0' });
  stream.pause();
  const response = await opened;
  await expect.poll(() => response.writableNeedDrain, { timeout: 10_000 }).toBe(true);
  const queued: number[] = [];
  for (let looked = 0; looked < 20; looked++) {
    await new Promise((resolve) => setTimeout(resolve, 25));
    queued.push(response.writableLength + (response.socket?.writableLength ?? 0));
  }
  expect(Math.max(...queued)).toBeGreaterThan(0);
  // A batch, and again as much because the socket of the response counts it as well.
  expect(Math.max(...queued)).toBeLessThan(2 * 100 * (size + 1_000));
  stream.resume();
  for (let seq = 1; seq <= events; seq++) expect((await stream.event()).seq).toBe(seq);
});

test('the client iterates over events, and goes on behind the last one when the service was started again', async () => {
  const service = await startService();
  const admin = await service.admin();
  const { plaintext } = await answered(
    createAccessToken({ client: admin.client, body: { name: 'follower', scopes: ['audit:read'] } }),
  );
  const latchkey = createLatchkey({ baseUrl: service.url, token: plaintext });
  const seen: string[] = [];
  const port = Number(new URL(service.url).port);
  for await (const { target } of latchkey.events({ after: 0 })) {
    seen.push(target?.label ?? '');
    if (seen.length === 3) {
      await service.stop();
      const again = await startService({ database: service.database, port });
      await answered(createAccessToken({ client: again.as(admin.token), body: { name: 'later' } }));
    }
    if (seen.length === 4) break;
  }
  expect(seen.slice(2)).toEqual(['follower', 'later']);
});

test('the client stops by its signal, and by what no waiting mends', async () => {
  const service = await startService();
  const { token } = await service.admin();
  const latchkey = createLatchkey({ baseUrl: service.url, token });
  const controller = new AbortController();
  const next = latchkey.events({ signal: controller.signal }).next();
  controller.abort(new Error('enough'));
  await expect(next).rejects.toThrow('enough');
  await expect(latchkey.events({ after: 1_000 }).next()).rejects.toMatchObject({ code: 'events_gone' });
  const stranger = createLatchkey({ baseUrl: service.url, token: 'no-token' });
  await expect(stranger.events().next()).rejects.toMatchObject({ code: 'unauthorized' });
});
