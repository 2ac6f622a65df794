import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import {
  createAccessToken,
  createWebhook,
  deleteWebhook,
  type EventAction,
  getWebhook,
  listAuditEvents,
  listWebhookDeliveries,
  redeliverWebhookDelivery,
  rotateWebhookSecret,
  updateWebhook,
  type WebhookWithSecret,
} from '../../generated/index.js';
import { createSend } from '../../server/webhooks/attempt.js';
import { isSigned, type Received, startReceiver } from '../support/receiver.js';
import { answered, type Client, HOUR, MINUTE, SECOND, type Service, startService } from '../support/service.js';
import { change, rowsOf } from '../support/store.js';

// Events reach webhooks: signed, in order, again after a failure, and at least once.

const ALLOW = { webhookAllow: ['127.0.0.1'] };

async function webhookAt(client: Client, url: string, eventTypes: EventAction[] | null = ['token.created']) {
  return await answered(createWebhook({ client, body: { url, eventTypes } }));
}

async function create(client: Client, name: string) {
  return await answered(createAccessToken({ client, body: { name, expiresInDays: 9 } }));
}

const namesOf = (received: Received[]) => received.map(({ event }) => event.data.tokenName);

async function setting(options = {}, answer?: Parameters<typeof startReceiver>[0]) {
  const service = await startService({ ...ALLOW, ...options });
  const receiver = await startReceiver(answer);
  const client = await lasting(service, (await service.admin()).client);
  const webhook = await webhookAt(client, `${receiver.url}/hook?key=1`);
  return { service, receiver, client, ...webhook };
}

/** An administrator whose token does not expire. */
async function lasting(service: Service, client: Client): Promise<Client> {
  const scopes = ['audit:read', 'tokens:read', 'tokens:write', 'webhooks:admin'];
  return service.as((await answered(createAccessToken({ client, body: { name: 'lasting', scopes } }))).plaintext);
}

async function get(client: Client, { webhook }: Pick<WebhookWithSecret, 'webhook'>) {
  return await answered(getWebhook({ client, path: { webhook_id: webhook.id } }));
}

test('an event arrives signed, with ids, name, prefix and expiry, and without a secret', async () => {
  const { service, receiver, client, webhook, secret } = await setting();
  const { token, plaintext } = await create(client, 'deploy bot');
  await expect.poll(() => receiver.received.length).toBe(1);
  const [got] = receiver.received as [Received];
  expect(isSigned(got, secret)).toBe(true);
  expect(got.path).toBe('/hook?key=1');
  expect(got.headers).toMatchObject({
    host: new URL(receiver.url).host,
    'content-type': 'application/json',
    'webhook-timestamp': String(service.clock.now() / SECOND),
  });
  const { items } = await answered(listAuditEvents({ client, query: { action: 'token.created' } }));
  expect(got.event).toEqual({
    type: 'token.created',
    timestamp: token.createdAt,
    data: {
      eventId: items[0]?.id,
      seq: items[0]?.seq,
      actor: { kind: 'token', userId: 1, tokenId: items[0]?.actor.tokenId },
      ownerId: 1,
      tokenId: token.id,
      tokenName: 'deploy bot',
      tokenPrefix: token.tokenPrefix,
      expiresAt: token.expiresAt,
      webhookId: null,
      reason: null,
      count: null,
      tokenIds: null,
    },
  });
  expect(got.headers['webhook-id']).toBe(items[0]?.id);
  expect(got.body).not.toContain(plaintext);
  expect(service.log.join()).not.toContain('key=1');
  await expect.poll(async () => (await get(client, { webhook })).lastSuccessAt).not.toBeNull();
});

test('only events of the chosen types from after the creation arrive, in the order of the chain', async () => {
  const { service, receiver, client } = await setting();
  const all = await startReceiver();
  await create(client, 'a');
  const { webhook } = await webhookAt(client, all.url, null);
  for (const name of ['b', 'c', 'd', 'e']) await create(client, name);
  await service.newUser();
  await updateWebhook({ client, path: { webhook_id: webhook.id }, body: { description: 'changed' } });
  await expect.poll(() => namesOf(receiver.received)).toEqual(['a', 'b', 'c', 'd', 'e']);
  await expect
    .poll(() => all.received.map(({ event }) => event.type))
    .toEqual(['token.created', 'token.created', 'token.created', 'token.created', 'user.created', 'session.opened']);
  const seqs = all.received.map(({ event }) => event.data.seq ?? 0);
  expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
});

test('other webhooks hear of a webhook, and it does not hear of itself', async () => {
  const { receiver, client, webhook } = await setting();
  await updateWebhook({ client, path: { webhook_id: webhook.id }, body: { eventTypes: null } });
  const other = await startReceiver();
  const { webhook: added } = await webhookAt(client, other.url, null);
  await expect.poll(() => receiver.received.length).toBe(1);
  await updateWebhook({ client, path: { webhook_id: webhook.id }, body: { enabled: false } });
  await expect
    .poll(() => other.received.map(({ event: { type, data } }) => [type, data.webhookId]))
    .toEqual([['webhook.disabled', webhook.id]]);
  expect(receiver.received.map(({ event: { type, data } }) => [type, data.webhookId])).toEqual([
    ['webhook.created', added.id],
  ]);
});

test('a failed delivery is tried again after 5 seconds to a day, with the same id and body, and holds up no other', async () => {
  const statuses = [500, 204, 302, 404, 503, 401, 400, 429, 500, 500, 500];
  let isDown = false;
  const { service, receiver, client, webhook } = await setting({}, (response, { event }, number) => {
    const isFirst = event.data.tokenName === 'a';
    response.writeHead(isDown ? 500 : isFirst ? (statuses[number - 1] ?? 500) : 204, { location: '/other' }).end();
  });
  await create(client, 'a');
  await create(client, 'b');
  await expect.poll(() => namesOf(receiver.received)).toEqual(['a', 'b']);
  const delays = [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];
  for (const [index, delay] of delays.entries()) {
    service.clock.advance(delay - 1);
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(receiver.received).toHaveLength(index + 2);
    service.clock.advance(delay * 0.2 + 1);
    await expect.poll(() => receiver.received.length).toBe(index + 3);
    await expect
      .poll(async () => (await get(client, { webhook })).lastFailureAt)
      .toBe(new Date(service.clock.now()).toISOString());
  }
  const attempts = receiver.received.filter(({ event }) => event.data.tokenName === 'a');
  expect(attempts).toHaveLength(10);
  expect(new Set(attempts.map(({ body, headers }) => `${body}${String(headers['webhook-id'])}`)).size).toBe(1);
  expect(new Set(attempts.map(({ headers }) => headers['webhook-signature'])).size).toBe(10);
  // Another delivery has succeeded meanwhile, so the webhook is not the cause.
  expect(await get(client, { webhook })).toMatchObject({ enabled: true, lastFailureAt: expect.any(String) as string });

  isDown = true;
  // The last failure is told from those before.
  service.clock.advance(1);
  await create(client, 'c');
  for (const delay of [0, ...delays]) {
    service.clock.advance(delay * 1.2);
    const at = new Date(service.clock.now()).toISOString();
    await expect.poll(async () => (await get(client, { webhook })).lastFailureAt, { timeout: 5_000 }).toBe(at);
  }
  await expect.poll(async () => (await get(client, { webhook })).enabled).toBe(false);
  expect(await get(client, { webhook })).toMatchObject({ disabledReason: 'failing' });
  const { items } = await answered(listAuditEvents({ client, query: { action: 'webhook.disabled' } }));
  expect(items).toMatchObject([
    {
      actor: { kind: 'system' },
      target: { kind: 'webhook', webhookId: webhook.id },
      changes: { after: { reason: 'failing' } },
    },
  ]);
});

test('Retry-After delays the next attempt', async () => {
  const { service, receiver, client } = await setting({}, (response, _, number) => {
    response.writeHead(number === 1 ? 429 : 204, { 'Retry-After': '600' }).end();
  });
  await create(client, 'a');
  await expect.poll(() => receiver.received.length).toBe(1);
  await new Promise((resolve) => setTimeout(resolve, 100));
  service.clock.advance(599 * SECOND);
  await new Promise((resolve) => setTimeout(resolve, 250));
  expect(receiver.received).toHaveLength(1);
  service.clock.advance(2 * SECOND);
  await expect.poll(() => receiver.received.length).toBe(2);
});

test('410 disables a webhook, which gets nothing until it is enabled again, and then what happens from then on', async () => {
  const { receiver, client, webhook } = await setting({}, (response, _, number) => {
    response.writeHead(number === 1 ? 410 : 204).end();
  });
  await create(client, 'a');
  await expect.poll(async () => (await get(client, { webhook })).disabledReason).toBe('gone');
  await create(client, 'b');
  await new Promise((resolve) => setTimeout(resolve, 300));
  await updateWebhook({ client, path: { webhook_id: webhook.id }, body: { enabled: true } });
  expect(await get(client, { webhook })).toMatchObject({ enabled: true, disabledReason: null, disabledAt: null });
  await create(client, 'c');
  await expect.poll(() => namesOf(receiver.received)).toEqual(['a', 'c']);
});

test('while a secret is rotated both sign, and afterwards the new one alone', async () => {
  const { service, receiver, client, webhook, secret } = await setting();
  const path = { webhook_id: webhook.id };
  const rotated = await answered(rotateWebhookSecret({ client, path, body: { gracePeriodSeconds: 60 } }));
  expect(rotated.secret).not.toBe(secret);
  expect(rotated.webhook.previousSecretValidUntil).toBe(new Date(service.clock.now() + MINUTE).toISOString());
  await create(client, 'a');
  await expect.poll(() => receiver.received.length).toBe(1);
  const [during] = receiver.received as [Received];
  expect([isSigned(during, secret), isSigned(during, rotated.secret)]).toEqual([true, true]);
  service.clock.advance(MINUTE);
  await create(client, 'b');
  await expect.poll(() => receiver.received.length).toBe(2);
  const [, after] = receiver.received as [Received, Received];
  expect([isSigned(after, secret), isSigned(after, rotated.secret)]).toEqual([false, true]);
  expect((await get(client, { webhook })).previousSecretValidUntil).toBeNull();

  const again = await answered(rotateWebhookSecret({ client, path, body: { gracePeriodSeconds: 0 } }));
  await create(client, 'c');
  await expect.poll(() => receiver.received.length).toBe(3);
  const [, , last] = receiver.received as [Received, Received, Received];
  expect([isSigned(last, rotated.secret), isSigned(last, again.secret)]).toEqual([false, true]);
});

test('a slow webhook does not hold up another one', async () => {
  const service = await startService(ALLOW);
  const { client } = await service.admin();
  const held: (() => void)[] = [];
  const slow = await startReceiver((response) => held.push(() => response.writeHead(204).end()));
  const quick = await startReceiver();
  await webhookAt(client, slow.url);
  await webhookAt(client, quick.url);
  for (const name of ['a', 'b', 'c']) await create(client, name);
  await expect.poll(() => namesOf(quick.received)).toEqual(['a', 'b', 'c']);
  expect(namesOf(slow.received)).toEqual(['a']);
  for (const expected of [['a'], ['a', 'b'], ['a', 'b', 'c']]) {
    await expect.poll(() => namesOf(slow.received)).toEqual(expected);
    held.at(-1)?.();
  }
  expect(slow.most).toBe(1);
});

test('attempts to many webhooks at the same time make no warning', async () => {
  const warnings: Error[] = [];
  const listener = (warning: Error) => warnings.push(warning);
  process.on('warning', listener);
  onTestFinished(() => {
    process.off('warning', listener);
  });
  const service = await startService({ ...ALLOW, webhooks: { patience: 0 } });
  const { client } = await service.admin();
  const held = await startReceiver(() => undefined);
  for (let count = 0; count < 12; count += 1) await webhookAt(client, held.url);
  await create(client, 'a');
  await expect.poll(() => held.received.length).toBe(12);
  await service.stop();
  expect(warnings).toEqual([]);
});

test('a receiver that does not answer in time gets the delivery again', async () => {
  const send = createSend(undefined, 200);
  const { service, receiver, client, webhook } = await setting({ webhooks: { send } }, (response, _, number) => {
    if (number > 1) response.writeHead(204).end();
  });
  await create(client, 'a');
  const last = async () => {
    const path = { webhook_id: webhook.id };
    const { items } = await answered(listWebhookDeliveries({ client, path }));
    return items.map(({ status, attempts, lastStatus, lastError }) => ({ status, attempts, lastStatus, lastError }));
  };
  await expect.poll(last).toEqual([{ status: 'pending', attempts: 1, lastStatus: null, lastError: 'timeout' }]);
  service.clock.advance(10 * SECOND);
  await expect.poll(last).toMatchObject([{ status: 'delivered', attempts: 2, lastStatus: 204 }]);
  expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
});

/** A server that answers each connection with the next of these texts, whatever they are. */
async function answering(...texts: string[]): Promise<string> {
  let connections = 0;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(texts[connections++] ?? ''));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${String(typeof address === 'object' ? address?.port : '')}/`;
}

test('an answer that is none, or that switches the protocol, is a failed attempt and does not hold up the webhook', async () => {
  const service = await startService(ALLOW);
  const client = await lasting(service, (await service.admin()).client);
  const url = await answering(
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: a\r\nConnection: Upgrade\r\n\r\n',
    'HTTP/1.1 000 Nothing\r\nContent-Length: 0\r\n\r\n',
    'SSH-2.0-nothing\r\n',
    '',
    'HTTP/1.1 204 No Content\r\n\r\n',
  );
  const { webhook } = await webhookAt(client, url);
  await create(client, 'a');
  for (const [attempts, status, lastStatus, lastError] of [
    [1, 'pending', 101, 'status'],
    [2, 'pending', null, 'connection'],
    [3, 'pending', null, 'connection'],
    [4, 'pending', null, 'connection'],
    [5, 'delivered', 204, null],
  ] as const) {
    await expect
      .poll(async () => {
        const { items } = await answered(listWebhookDeliveries({ client, path: { webhook_id: webhook.id } }));
        return items;
      })
      .toMatchObject([{ attempts, status, lastStatus, lastError }]);
    service.clock.advance(3 * HOUR);
  }
});

test('a delivery that waited for its turn goes where the webhook leads then, with the secret of then', async () => {
  const service = await startService({ ...ALLOW, webhooks: { most: 1 } });
  const { client } = await service.admin();
  let release = (): void => undefined;
  const slow = await startReceiver((response) => {
    release = () => response.writeHead(204).end();
  });
  const [former, present] = [await startReceiver(), await startReceiver()];
  const { webhook: first } = await webhookAt(client, slow.url);
  const { webhook } = await webhookAt(client, former.url);
  const path = { webhook_id: webhook.id };
  await updateWebhook({ client, path, body: { enabled: false } });
  await create(client, 'a');
  await expect.poll(() => slow.received.length).toBe(1);
  await updateWebhook({ client, path, body: { enabled: true } });
  await create(client, 'b');
  // Now it waits, and whoever sends it has looked at the webhook already.
  const claimed = async () => await rowsOf(service, 'select 1 from webhooks where claimed_until > 0');
  await expect.poll(claimed).toHaveLength(2);
  await new Promise((resolve) => setTimeout(resolve, 200));
  const { secret } = await answered(rotateWebhookSecret({ client, path, body: { gracePeriodSeconds: 0 } }));
  await updateWebhook({ client, path, body: { url: present.url } });
  release();
  await expect.poll(() => namesOf(present.received)).toEqual(['b']);
  expect(isSigned(present.received[0] as Received, secret)).toBe(true);
  expect(former.received).toEqual([]);
  await deleteWebhook({ client, path: { webhook_id: first.id } });
  release();
});

test('a delivery that is let be sent again during an attempt is sent again after it', async () => {
  const held: (() => void)[] = [];
  const { client, receiver, webhook } = await setting({}, (response) => {
    held.push(() => response.writeHead(204).end());
  });
  await create(client, 'a');
  await expect.poll(() => held.length).toBe(1);
  const path = { webhook_id: webhook.id };
  const deliveries = async () => (await answered(listWebhookDeliveries({ client, path }))).items;
  const [delivery] = await deliveries();
  await answered(redeliverWebhookDelivery({ client, path: { ...path, delivery_id: delivery?.id ?? '' } }));
  held[0]?.();
  await expect.poll(() => held.length).toBe(2);
  expect(await deliveries()).toMatchObject([{ status: 'pending', attempts: 1, lastStatus: 204 }]);
  held[1]?.();
  await expect.poll(deliveries).toMatchObject([{ status: 'delivered', attempts: 2 }]);
  expect(namesOf(receiver.received)).toEqual(['a', 'a']);
});

test('a secret that cannot be decrypted is tried once in a while, and told once each time', async () => {
  const { service, receiver, client, webhook } = await setting({ webhooks: { rest: 60_000 } });
  await webhookAt(client, `${receiver.url}/other`);
  // The encryption is bound to the webhook.
  await change(service, 'update webhooks set secret = (select secret from webhooks order by id desc limit 1)');
  for (const name of ['a', 'b', 'c', 'd']) {
    await create(client, name);
    await expect.poll(() => namesOf(receiver.received)).toContain(name);
  }
  expect(receiver.received.map(({ path }) => path)).not.toContain('/hook?key=1');
  const told = service.log.filter((line) => line.includes('deliveries to a webhook could not be sent'));
  expect(told).toHaveLength(1);
  const [waiting] = (await answered(listWebhookDeliveries({ client, path: { webhook_id: webhook.id } }))).items;
  expect(waiting).toMatchObject({ status: 'pending', attempts: 0 });
});

test('of an answer 64 KiB are read, within a second, and the next delivery does not wait for the rest', async () => {
  /** Kilobytes that each answer could send, and the milliseconds until its connection was closed. */
  const answers: { sent: number; tookMs: number }[] = [];
  const { receiver, client } = await setting({}, (response, _, number) => {
    const start = performance.now();
    const isFast = number === 1;
    let sent = 0;
    response.writeHead(200);
    const timer = setInterval(
      () => {
        sent += isFast ? 16 : 0.001;
        response.write(isFast ? 'x'.repeat(16_384) : 'x');
      },
      isFast ? 5 : 50,
    );
    response.once('close', () => {
      clearInterval(timer);
      answers.push({ sent, tookMs: performance.now() - start });
    });
  });
  for (const name of ['a', 'b']) await create(client, name);
  await expect.poll(() => namesOf(receiver.received)).toEqual(['a', 'b']);
  await expect.poll(() => answers.length).toBe(2);
  const [fast, slow] = answers.toSorted((a, b) => b.sent - a.sent);
  expect(fast?.sent).toBeLessThan(2_048);
  expect(fast?.tookMs).toBeLessThan(slow?.tookMs ?? 0);
  expect(slow?.tookMs).toBeGreaterThan(900);
  expect(slow?.tookMs).toBeLessThan(5_000);
});

test('if many deliveries wait, several are sent at the same time', { timeout: 30_000 }, async () => {
  const { service, receiver, client, webhook } = await setting({}, (response) => {
    setTimeout(() => response.writeHead(204).end(), 2);
  });
  const url = receiver.url;
  const down = 'http://127.0.0.1:9/';
  await updateWebhook({ client, path: { webhook_id: webhook.id }, body: { url: down } });
  await Promise.all(Array.from({ length: 110 }, async (_, number) => await create(client, String(number))));
  await expect.poll(async () => (await get(client, { webhook })).lastFailureAt, { timeout: 10_000 }).not.toBeNull();
  await updateWebhook({ client, path: { webhook_id: webhook.id }, body: { url } });
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  service.clock.advance(6 * SECOND);
  await expect.poll(() => new Set(namesOf(receiver.received)).size, { timeout: 20_000 }).toBe(110);
  expect(receiver.most).toBeLessThanOrEqual(8);
});

test('a delivery that was not answered before a stop is sent again after the next start', async () => {
  let isSlow = true;
  const { service, receiver, client } = await setting({ webhooks: { patience: 50 } }, (response) => {
    if (!isSlow) response.writeHead(204).end();
  });
  await create(client, 'a');
  await create(client, 'b');
  await expect.poll(() => namesOf(receiver.received)).toEqual(['a']);
  isSlow = false;
  await service.restart();
  await expect.poll(() => namesOf(receiver.received)).toEqual(['a', 'a', 'b']);
});

test('a deleted webhook gets nothing more', async () => {
  const { receiver, client, webhook } = await setting();
  await create(client, 'a');
  await expect.poll(() => receiver.received.length).toBe(1);
  const path = { webhook_id: webhook.id };
  expect((await deleteWebhook({ client, path })).response.status).toBe(204);
  expect((await getWebhook({ client, path })).response.status).toBe(404);
  expect((await deleteWebhook({ client, path })).response.status).toBe(404);
  await create(client, 'b');
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(receiver.received).toHaveLength(1);
});

test('what happened while the service was down is sent after the start', async () => {
  const { service, receiver, client } = await setting();
  await create(client, 'a');
  await expect.poll(() => receiver.received.length).toBe(1);
  const other: Service = await startService({ ...ALLOW, database: service.database });
  await service.stop();
  const admin = await other.admin();
  await create(admin.client, 'b');
  await expect.poll(() => namesOf(receiver.received)).toEqual(['a', 'b']);
});
