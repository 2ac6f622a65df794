import { expect, onTestFinished, test } from 'vitest';
import { verifyWebhook } from '../../client/index.js';
import { type Fault, type SeedWebhook, startServer } from '../../server/index.js';
import { startReceiver } from '../support/receiver.js';

test('a local server records what it sends to webhooks, and sends to this machine alone', async () => {
  let status = 500;
  const receiver = await startReceiver((response) => response.writeHead(status).end());
  const server = await startServer({ testing: { frozenAt: '2030-06-15T12:00:00Z' } });
  onTestFinished(() => server.close());
  const lk = server.client();
  const eventTypes = ['token.created' as const];
  const { secret } = await lk.createWebhook({ body: { url: receiver.url, eventTypes } });
  await lk.createWebhook({ body: { url: 'https://hooks.example.org/', eventTypes } });
  await lk.createAccessToken({ body: { name: 'a' } });
  const first = await server.webhooks.all();
  expect(first.map(({ url, status }) => [new URL(url).hostname, status]).sort()).toEqual([
    ['127.0.0.1', 500],
    ['hooks.example.org', 204],
  ]);
  const here = first.find(({ status }) => status === 500);
  const event = await verifyWebhook(here ?? { headers: {}, body: '' }, secret, { now: server.clock.now });
  expect(event).toMatchObject({ type: 'token.created', data: { tokenName: 'a' } });

  status = 204;
  server.clock.advance(6_000);
  expect((await server.webhooks.all()).at(-1)).toMatchObject({
    number: 3,
    sentAt: '2030-06-15T12:00:06.000Z',
    status: 204,
  });
  expect(receiver.received).toHaveLength(2);
  const control = await fetch(`${server.url}/__testing/webhooks`);
  expect(await control.json()).toEqual({ deliveries: await server.webhooks.all() });
  expect((await fetch(`${server.url}/__testing/webhooks`, { method: 'DELETE' })).status).toBe(204);
  expect(await server.webhooks.all()).toEqual([]);
  await server.reset();
  await server.client().createAccessToken({ body: { name: 'b' } });
  expect(await server.webhooks.all()).toEqual([]);
});

const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;

async function planted(webhook: Partial<SeedWebhook> = {}) {
  const receiver = await startReceiver();
  const hook: SeedWebhook = { url: receiver.url, secret: SECRET, eventTypes: ['token.created'], ...webhook };
  const server = await startServer({ testing: { frozenAt: '2030-06-15T12:00:00Z', seed: { webhooks: [hook] } } });
  onTestFinished(() => server.close());
  return { server, receiver, url: hook.url };
}

test('a webhook of the seed has the known secret, and gets what happens, also after a reset', async () => {
  const id = '01983f0d-52c4-7e10-8d11-7a90b2c3d4e5';
  const { server, receiver } = await planted({ id, description: 'seeded' });
  const { items } = await server.client().listWebhooks();
  expect(items).toMatchObject([
    { id, url: receiver.url, description: 'seeded', eventTypes: ['token.created'], enabled: true },
  ]);
  for (const round of [1, 2]) {
    await server.client().createAccessToken({ body: { name: `round ${String(round)}` } });
    // The receiver gets it although nobody asks the local server for what it sent.
    await expect.poll(() => receiver.received.length).toBe(round);
    const event = await verifyWebhook(receiver.received.at(-1) ?? { headers: {}, body: '' }, SECRET, {
      now: server.clock.now,
    });
    expect(event.data.tokenName).toBe(`round ${String(round)}`);
    await server.reset();
  }
  const { items: again } = await server.client().listWebhooks();
  expect(again).toHaveLength(1);
});

test('a webhook of a seed can be disabled, and a wrong one is refused with its place', async () => {
  const { server, receiver } = await planted({ disabled: true });
  await server.client().createAccessToken({ body: { name: 'a' } });
  expect(await server.webhooks.all()).toEqual([]);
  expect(receiver.received).toEqual([]);
  expect((await server.client().listWebhooks()).items).toMatchObject([{ enabled: false, disabledReason: 'manual' }]);
  const refused = async (webhook: object, message: string) => {
    await expect(server.seed({ webhooks: [webhook as SeedWebhook] })).rejects.toThrow(message);
  };
  const url = 'https://hooks.example.org/';
  await refused(
    { url: 'ftp://hooks.example.org/' },
    'webhooks[0].url must be a URL in ASCII that begins with https://',
  );
  await refused({ url, secret: 'secret' }, 'webhooks[0].secret must be whsec_ and 24 to 64 bytes in Base64');
  await refused({ url, eventTypes: ['token.made'] }, 'webhooks[0].eventTypes[0] must be one of token.created, ');
  await refused({ url, secrets: [] }, 'webhooks[0].secrets is not known');
});

test.each<[string, Fault, number | null, string, number]>([
  ['a status', { status: 503, retryAfterSeconds: 60 }, 503, 'status', 0],
  ['a connection that breaks before', { drop: 'before-handler' }, null, 'connection', 0],
  ['an answer that is lost', { drop: 'after-commit' }, null, 'connection', 1],
])('a fault gives a delivery %s, and the next attempt succeeds', async (_, fault, status, lastError, reached) => {
  const { server, receiver, url } = await planted();
  const id = server.faults.add({ ...fault, webhook: url });
  const client = server.client();
  await client.createAccessToken({ body: { name: 'a' } });
  expect(await server.webhooks.all()).toMatchObject([{ status, fault: id }]);
  expect(receiver.received).toHaveLength(reached);
  const [webhook] = (await client.listWebhooks()).items;
  const path = { webhook_id: webhook?.id ?? '' };
  const { items } = await client.listWebhookDeliveries({ path });
  const nextAttemptAt = items[0]?.nextAttemptAt ?? '';
  expect(items).toMatchObject([{ status: 'pending', attempts: 1, lastStatus: status, lastError }]);
  if (status === 503) expect(Date.parse(nextAttemptAt)).toBeGreaterThanOrEqual(server.clock.now() + 60_000);
  server.clock.set(nextAttemptAt);
  expect(await server.webhooks.all()).toMatchObject([
    { status, fault: id },
    { status: 204, fault: null },
  ]);
  expect(receiver.received).toHaveLength(reached + 1);
  expect(server.faults.all()).toEqual([]);
});

test('a fault for webhooks hits no request, and other webhooks only with *', async () => {
  const { server } = await planted();
  const client = server.client();
  server.faults.add({ webhook: 'https://other.example.org/', status: 500 });
  await client.createAccessToken({ body: { name: 'a' } });
  expect(await server.webhooks.all()).toMatchObject([{ status: 204, fault: null }]);
  server.faults.clear();
  const added = await fetch(`${server.url}/__testing/faults`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ webhook: '*', delayMs: 50, status: 500 }),
  });
  expect(await added.json()).toEqual({ id: '2' });
  const start = performance.now();
  await client.createAccessToken({ body: { name: 'b' } });
  expect((await server.webhooks.all()).at(-1)).toMatchObject({ status: 500, fault: '2' });
  expect(performance.now() - start).toBeGreaterThanOrEqual(49);
  expect(() => server.faults.add({ webhook: 'nowhere', status: 500 })).toThrow(
    'fault.webhook must be the URL of a webhook, or *',
  );
  expect(() => server.faults.add({ webhook: '*', operationId: 'getMe', status: 500 })).toThrow(
    'fault must have operationId or webhook, not both',
  );
});
