import { expect, test } from 'vitest';
import {
  createAccessToken,
  createWebhook,
  getWebhook,
  listWebhookDeliveries,
  listWebhooks,
  redeliverWebhookDeliveries,
  redeliverWebhookDelivery,
  testWebhook,
  updateWebhook,
  type WebhookDelivery,
} from '../../../generated/index.js';
import { defaultConfig } from '../../../server/config/config.js';
import { openDatabase } from '../../../server/database/index.js';
import { createLog } from '../../../server/log/log.js';
import { createSweeper } from '../../../server/sweeper.js';
import { startReceiver } from '../../support/receiver.js';
import { answered, type Client, DAY, MINUTE, startService } from '../../support/service.js';
import { rowsOf } from '../../support/store.js';

async function setting(answer?: Parameters<typeof startReceiver>[0]) {
  const service = await startService({ webhookAllow: ['127.0.0.1'] });
  const receiver = await startReceiver(answer);
  const { client } = await service.admin();
  const body = { url: receiver.url, eventTypes: ['token.created' as const] };
  const { webhook, secret } = await answered(createWebhook({ client, body }));
  return { service, receiver, client, webhook, secret, path: { webhook_id: webhook.id } };
}

type Path = { webhook_id: string };

async function deliveriesOf(client: Client, path: Path, status?: WebhookDelivery['status']) {
  const query = status === undefined ? {} : { status };
  return (await answered(listWebhookDeliveries({ client, path, query }))).items;
}

test('a webhook is created, listed by pages and edited', async () => {
  const { client, webhook, path } = await setting();
  expect(webhook).toMatchObject({ description: '', eventTypes: ['token.created'], enabled: true, lastSuccessAt: null });
  const second = await answered(createWebhook({ client, body: { url: webhook.url, description: 'all' } }));
  expect(second.webhook.eventTypes).toBeNull();
  const first = await answered(listWebhooks({ client, query: { limit: 1 } }));
  expect(first.items).toEqual([webhook]);
  const next = await answered(listWebhooks({ client, query: { limit: 1, cursor: first.nextCursor ?? '' } }));
  expect(next).toEqual({ items: [second.webhook], nextCursor: null });
  const edit = { description: 'new', eventTypes: null, enabled: false };
  const edited = await answered(updateWebhook({ client, path, body: edit }));
  expect(edited).toMatchObject({ ...edit, disabledReason: 'manual', disabledAt: expect.any(String) as string });
  // A repetition changes nothing.
  expect(await answered(updateWebhook({ client, path, body: { enabled: false } }))).toEqual(edited);
  expect(await answered(getWebhook({ client, path }))).toEqual(edited);
});

test('a secret is only in the answer that made it, and encrypted in the database', async () => {
  const { service, client, secret, path } = await setting();
  expect(JSON.stringify(await answered(getWebhook({ client, path })))).not.toContain(secret);
  const rows = await rowsOf(service, 'select secret from webhooks');
  const bytes = Buffer.from(rows[0]?.['secret'] as Uint8Array);
  expect(bytes.includes(secret) || bytes.includes(Buffer.from(secret.slice(6), 'base64'))).toBe(false);
  expect(service.log.join()).not.toContain(secret);
});

test('a test is sent whatever types are chosen, and its delivery says what came of it', async () => {
  const { client, receiver, path } = await setting();
  const made = await answered(testWebhook({ client, path }));
  expect(made).toMatchObject({
    eventId: null,
    eventType: 'webhook.test',
    status: 'pending',
    attempts: 0,
    lastStatus: null,
  });
  await expect.poll(async () => (await deliveriesOf(client, path))[0]?.status).toBe('delivered');
  const [delivery] = await deliveriesOf(client, path);
  expect(delivery).toMatchObject({ id: made.id, attempts: 1, lastStatus: 204, lastError: null, nextAttemptAt: null });
  expect(receiver.received[0]?.event).toMatchObject({
    type: 'webhook.test',
    data: { eventId: made.id, webhookId: path.webhook_id },
  });
  expect(receiver.received[0]?.headers['webhook-id']).toBe(made.id);
});

test('deliveries are listed by pages and by status, and sent again one by one or all that failed', async () => {
  let status = 410;
  let answer: () => void = () => undefined;
  const isReady = new Promise<void>((resolve) => (answer = resolve));
  const { service, receiver, client, path } = await setting((response) => {
    void isReady.then(() => response.writeHead(status).end());
  });
  for (const name of ['a', 'b']) await answered(createAccessToken({ client, body: { name } }));
  // Both must be there before the first attempt disables the webhook.
  await expect.poll(async () => (await deliveriesOf(client, path)).length).toBe(2);
  answer();
  await expect.poll(async () => (await deliveriesOf(client, path, 'failed')).length).toBe(1);
  expect((await testWebhook({ client, path })).error).toMatchObject({ code: 'webhook_disabled' });
  await answered(updateWebhook({ client, path, body: { enabled: true } }));
  status = 500;
  await expect.poll(async () => (await deliveriesOf(client, path)).map((each) => each.lastStatus)).toEqual([500, 410]);
  const [b, a] = (await deliveriesOf(client, path)) as [WebhookDelivery, WebhookDelivery];
  expect([a.status, a.lastError, b.status, b.lastError]).toEqual(['failed', 'status', 'pending', 'status']);
  const first = await answered(listWebhookDeliveries({ client, path, query: { limit: 1 } }));
  const query = { limit: 1, cursor: first.nextCursor ?? '' };
  const second = await answered(listWebhookDeliveries({ client, path, query }));
  expect([...first.items, ...second.items].map(({ id }) => id)).toEqual([b.id, a.id]);
  expect(second.nextCursor).toBeNull();

  status = 204;
  const again = { ...path, delivery_id: b.id };
  expect(await answered(redeliverWebhookDelivery({ client, path: again }))).toMatchObject({
    id: b.id,
    status: 'pending',
  });
  await expect.poll(async () => (await deliveriesOf(client, path, 'delivered')).length).toBe(1);
  await answered(redeliverWebhookDelivery({ client, path: again }));
  await expect.poll(async () => (await deliveriesOf(client, path, 'delivered'))[0]?.attempts).toBe(3);
  const later = { since: new Date(service.clock.now() + MINUTE).toISOString() };
  expect(await answered(redeliverWebhookDeliveries({ client, path, body: later }))).toEqual({ count: 0 });
  const since = new Date(service.clock.now()).toISOString();
  expect(await answered(redeliverWebhookDeliveries({ client, path, body: { since } }))).toEqual({ count: 1 });
  await expect.poll(async () => (await deliveriesOf(client, path, 'delivered')).length).toBe(2);
  // The same message has the same id, whoever sends it again.
  const ids = receiver.received.map(({ headers }) => headers['webhook-id']);
  expect(new Set(ids)).toEqual(new Set([a.eventId, b.eventId]));
  const unknown = { ...path, delivery_id: path.webhook_id };
  expect((await redeliverWebhookDelivery({ client, path: unknown })).error).toMatchObject({
    detail: 'No such delivery.',
  });
});

test('old deliveries are deleted', async () => {
  const { service, client, path } = await setting();
  await answered(testWebhook({ client, path }));
  await expect.poll(async () => (await deliveriesOf(client, path, 'delivered')).length).toBe(1);
  const db = await openDatabase(service.database);
  const sweeper = createSweeper({ db, now: service.clock.now, log: createLog('silent'), config: defaultConfig });
  const count = async () => (await rowsOf(service, 'select id from webhook_deliveries')).length;
  try {
    service.clock.advance(30 * DAY - 1);
    await sweeper.sweep();
    expect(await count()).toBe(1);
    service.clock.advance(10 * MINUTE);
    await sweeper.sweep();
    expect(await count()).toBe(0);
  } finally {
    await sweeper.close();
    await db.close();
  }
});
