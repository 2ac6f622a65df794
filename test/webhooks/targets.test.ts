import { createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createAccessToken, createWebhook, listWebhookDeliveries, updateWebhook } from '../../generated/index.js';
import { isPublic } from '../../server/webhooks/addresses.js';
import { createTargets } from '../../server/webhooks/targets.js';
import { startReceiver } from '../support/receiver.js';
import { answered, type Client, startService } from '../support/service.js';
import { change } from '../support/store.js';

// A webhook must not make the service connect to what only the operator's own network can reach.

const NAMES: Record<string, string[][]> = {
  'private.example.org': [['10.1.2.3']],
  'loopback.example.org': [['127.0.0.1']],
  'mapped.example.org': [['::ffff:127.0.0.1']],
  'two.example.org': [['93.184.216.34', '192.168.0.1']],
  'six.example.org': [['2606:2800:220:1:248:1893:25c8:1946', 'fd00::1']],
  // At the second look-up another address.
  'rebinding.example.org': [['93.184.216.34'], ['127.0.0.1']],
  'public.example.org': [['93.184.216.34', '2606:2800:220:1:248:1893:25c8:1946']],
  localhost: [['::1', '127.0.0.1']],
  'zone.example.org': [['fe80::1%eth0']],
};

function resolver() {
  const asked = new Map<string, number>();
  return (host: string): Promise<string[]> => {
    const answers = NAMES[host] ?? [];
    const count = asked.get(host) ?? 0;
    asked.set(host, count + 1);
    return Promise.resolve(answers[Math.min(count, answers.length - 1)] ?? []);
  };
}

/** What nobody may create a webhook with. PORT is where a listener counts connections. */
const HOSTILE = [
  'https://127.0.0.1:PORT/',
  'http://127.0.0.1:PORT/',
  'https://127.1:PORT/',
  'https://2130706433:PORT/',
  'https://0x7f000001:PORT/',
  'https://0177.0.0.1:PORT/',
  'https://0x7f.0.0.1:PORT/',
  'https://127.0.0.1.:PORT/',
  'https://0.0.0.0:PORT/',
  'https://0:PORT/',
  'https://10.0.0.1/',
  'https://172.16.0.1/',
  'https://172.31.255.255/',
  'https://192.168.1.1/',
  'https://169.254.169.254/latest/meta-data/',
  'https://100.64.0.1/',
  'https://168.63.129.16/',
  'https://192.0.0.192/',
  'https://198.18.0.1/',
  'https://224.0.0.1/',
  'https://255.255.255.255/',
  'https://240.0.0.1/',
  'https://[::1]:PORT/',
  'https://[::]:PORT/',
  'https://[::ffff:127.0.0.1]:PORT/',
  'https://[::ffff:7f00:1]:PORT/',
  'https://[::127.0.0.1]:PORT/',
  'https://[64:ff9b::127.0.0.1]/',
  'https://[64:ff9b::a00:1]/',
  'https://[64:ff9b:1::a00:1]/',
  'https://[2002:7f00:1::]/',
  'https://[2001:0:7f00:1::]/',
  'https://[fd00:ec2::254]/',
  'https://[fc00::1]/',
  'https://[fe80::1]/',
  'https://[fe80::1%25lo]/',
  'https://[fec0::1]/',
  'https://[ff02::1]/',
  'https://[2001:db8::1]/',
  'https://[::ffff:0:127.0.0.1]/',
  'https://localhost:PORT/',
  'https://LOCALHOST/',
  'https://private.example.org/',
  'https://loopback.example.org/',
  'https://mapped.example.org/',
  'https://two.example.org/',
  'https://six.example.org/',
  'https://zone.example.org/',
  'https://public.example.org:22/',
  'https://public.example.org.:443/',
  'http://public.example.org/',
  'https://user@public.example.org/',
  'https://user:password@public.example.org/',
  'https://public.example.org@127.0.0.1:PORT/',
  'https://public.example.org#@127.0.0.1/',
  'https://public.example.org/#fragment',
  'https://public.example.org\\@127.0.0.1/',
  'ftp://public.example.org/',
  'file:///etc/passwd',
  'https://１２７.0.0.1:PORT/',
];

/** A listener on this machine that counts connections, to whatever address of the machine. */
async function listener() {
  const state = { connections: 0, port: '' };
  const server = createServer((socket) => {
    state.connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const address = server.address();
  state.port = String(typeof address === 'object' ? address?.port : '');
  onTestFinished(() => {
    server.close();
  });
  return state;
}

async function outcomeOf(client: Client, webhook_id: string) {
  const { items } = await answered(listWebhookDeliveries({ client, path: { webhook_id }, query: { limit: 1 } }));
  return items[0];
}

test('no hostile URL is accepted, and none is connected to if it is stored nevertheless', {
  timeout: 60_000,
}, async () => {
  expect(HOSTILE.length).toBeGreaterThanOrEqual(40);
  const counted = await listener();
  const service = await startService({ webhooks: { resolve: resolver(), rest: 0 } });
  const { client } = await service.admin();
  for (const url of HOSTILE.map((text) => text.replace('PORT', counted.port))) {
    const { response, error } = await createWebhook({ client, body: { url } });
    expect([409, 422], url).toContain(response.status);
    if (response.status === 409) expect(error, url).toMatchObject({ code: 'url_not_allowed' });
  }
  // As if the check at the creation had been evaded.
  const made = await answered(
    createWebhook({ client, body: { url: 'https://public.example.org/', eventTypes: ['token.created'] } }),
  );
  await answered(createAccessToken({ client, body: { name: 'a' } }));
  for (const text of HOSTILE) {
    const url = text.replace('PORT', counted.port).replaceAll("'", "''");
    await change(
      service,
      `update webhooks set url = '${url}'`,
      `update webhook_deliveries set status = 'pending', due_at = 0, retries = 0, attempts = 0, last_error = null`,
    );
    await expect
      .poll(async () => (await outcomeOf(client, made.webhook.id))?.lastError, { message: url, timeout: 5_000 })
      .toBe('forbidden_target');
  }
  expect(counted.connections).toBe(0);
});

test('a name that has another address at the second look-up is not connected to', async () => {
  const counted = await listener();
  const service = await startService({ webhooks: { resolve: resolver() } });
  const { client } = await service.admin();
  const body = { url: 'https://rebinding.example.org/', eventTypes: ['token.created' as const] };
  const { webhook } = await answered(createWebhook({ client, body }));
  await answered(createAccessToken({ client, body: { name: 'a' } }));
  await expect.poll(async () => (await outcomeOf(client, webhook.id))?.lastError).toBe('forbidden_target');
  expect(counted.connections).toBe(0);
});

test('a webhook whose host is unknown rests, and what came meanwhile is tried together; another URL ends the rest', async () => {
  const receiver = await startReceiver();
  let lookups = 0;
  const resolve = (host: string) => {
    if (host === 'unknown.example.org') lookups++;
    return Promise.resolve(host === 'receiver.example.org' ? ['127.0.0.1'] : []);
  };
  const service = await startService({
    webhookAllow: ['receiver.example.org', 'unknown.example.org'],
    webhooks: { resolve, rest: 60_000 },
  });
  const { client } = await service.admin();
  const body = { url: 'https://unknown.example.org/', eventTypes: ['token.created' as const] };
  const { webhook } = await answered(createWebhook({ client, body }));
  lookups = 0;
  await answered(createAccessToken({ client, body: { name: 'first' } }));
  await expect.poll(async () => (await outcomeOf(client, webhook.id))?.lastError).toBe('unknown_host');
  for (const name of ['second', 'third', 'fourth']) await answered(createAccessToken({ client, body: { name } }));
  const list = () => listWebhookDeliveries({ client, path: { webhook_id: webhook.id }, query: { status: 'pending' } });
  await expect.poll(async () => (await answered(list())).items.length).toBe(4);
  expect(lookups).toBe(1);

  const url = receiver.url.replace('127.0.0.1', 'receiver.example.org');
  await answered(updateWebhook({ client, path: { webhook_id: webhook.id }, body: { url } }));
  // The first one waits for its retry.
  await expect
    .poll(() => receiver.received.map(({ event }) => event.data.tokenName))
    .toEqual(['second', 'third', 'fourth']);
});

test('a redirect to a private address is not followed', async () => {
  const counted = await listener();
  const receiver = await startReceiver((response) => {
    response.writeHead(307, { location: `http://127.0.0.1:${counted.port}/` }).end();
  });
  const service = await startService({ webhookAllow: ['127.0.0.1'] });
  const { client } = await service.admin();
  const body = { url: receiver.url, eventTypes: ['token.created' as const] };
  const { webhook } = await answered(createWebhook({ client, body }));
  await answered(createAccessToken({ client, body: { name: 'a' } }));
  await expect.poll(async () => (await outcomeOf(client, webhook.id))?.lastError).toBe('redirect');
  expect(counted.connections).toBe(0);
});

test('what the operator allows is connected to, and nothing else', async () => {
  const receiver = await startReceiver();
  const { port } = new URL(receiver.url);
  const service = await startService({
    webhookAllow: ['hooks.internal'],
    webhooks: { resolve: (host) => Promise.resolve(host === 'hooks.internal' ? ['127.0.0.1'] : []) },
  });
  const { client } = await service.admin();
  const url = `http://hooks.internal:${port}/`;
  const body = { url, eventTypes: ['token.created' as const] };
  const { webhook } = await answered(createWebhook({ client, body }));
  await answered(createAccessToken({ client, body: { name: 'a' } }));
  await expect.poll(() => receiver.received.length).toBe(1);
  expect(receiver.received[0]?.headers.host).toBe(`hooks.internal:${port}`);
  const path = { webhook_id: webhook.id };
  expect((await updateWebhook({ client, path, body: { url: receiver.url } })).response.status).toBe(409);
});

describe('a target', () => {
  const targetOf = createTargets(['10.1.0.0/16', 'fd00::/8', 'hooks.internal'], resolver());

  test('may have every address of a network that the operator allows', async () => {
    for (const url of [
      'http://10.1.2.3:8080/',
      'https://[fd12::1]/',
      'https://private.example.org/',
      'https://[::ffff:10.1.0.1]/',
    ]) {
      expect((await targetOf(url)).addresses).toHaveLength(1);
    }
    await expect(targetOf('https://10.2.0.1/')).rejects.toThrow('an address of the host is not public');
    // One address is allowed, and one is not.
    await expect(targetOf('https://two.example.org/')).rejects.toThrow('not public');
  });

  test('has the addresses that were checked', async () => {
    const { addresses } = await targetOf('https://public.example.org:8443/a?b=c');
    expect(addresses).toEqual(['93.184.216.34', '2606:2800:220:1:248:1893:25c8:1946']);
    await expect(targetOf('https://unknown.example.org/')).rejects.toMatchObject({ code: 'unknown_host' });
  });
});

test('addresses of the internet are public, also behind NAT64', () => {
  for (const address of [
    '93.184.216.34',
    '1.1.1.1',
    '2606:4700::1111',
    '2a00:1450::1',
    '64:ff9b::101:101',
    '::ffff:1.1.1.1',
  ])
    expect(isPublic(address), address).toBe(true);
  for (const address of ['no address', '', '64:ff9b::7f00:1', '1.1.1.1%eth0', '2606:4700::1111%eth0', '4000::1'])
    expect(isPublic(address), address).toBe(false);
});
