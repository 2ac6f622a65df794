import { expect, onTestFinished, test } from 'vitest';
import { verifyWebhook } from '../../client/index.js';
import { startServer } from '../../server/index.js';
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
