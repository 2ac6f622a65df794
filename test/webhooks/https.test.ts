import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createWebhook, listWebhookDeliveries, testWebhook } from '../../generated/index.js';
import { type Certificate, makeCertificate } from '../support/certificate.js';
import { answered, startService } from '../support/service.js';

// A delivery over https goes to a host that proves its name, at the address that was checked.

const HOST = 'hooks.example.org';

const authority = makeCertificate();

async function startSecure({ certificate, key }: Certificate) {
  const received: { servername: unknown; host: string | undefined }[] = [];
  const server = createServer({ cert: certificate, key }, (request, response) => {
    received.push({ servername: Reflect.get(request.socket, 'servername'), host: request.headers.host });
    request.resume();
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { received, port: (server.address() as AddressInfo).port };
}

/** Sends a test to a host with this certificate, and resolves with what the list of deliveries then shows. */
async function deliver(certificate: Certificate, host = HOST) {
  const { received, port } = await startSecure(certificate);
  const service = await startService({
    webhookAllow: ['127.0.0.1'],
    webhooks: { ca: authority.certificate, resolve: () => Promise.resolve(['127.0.0.1']) },
  });
  const { client } = await service.admin();
  const url = `https://${host}:${String(port)}/hook`;
  const { webhook } = await answered(createWebhook({ client, body: { url, eventTypes: ['token.created'] } }));
  const path = { webhook_id: webhook.id };
  await answered(testWebhook({ client, path }));
  const listed = async () => (await answered(listWebhookDeliveries({ client, path }))).items;
  await expect.poll(async () => (await listed())[0]?.attempts).toBe(1);
  const [delivery] = await listed();
  return { delivery, received, port };
}

test('the certificate is checked for the name in the URL, which is also the server name and the Host', async () => {
  const { delivery, received, port } = await deliver(makeCertificate({ host: HOST, authority }));
  expect(delivery).toMatchObject({ status: 'delivered', lastStatus: 204, lastError: null });
  expect(received).toEqual([{ servername: HOST, host: `${HOST}:${String(port)}` }]);
});

test.each<[string, Certificate, string?]>([
  ['for another host', makeCertificate({ host: 'other.example.org', authority })],
  ['that has expired', makeCertificate({ host: HOST, authority, days: -1 })],
  ['that signed itself', makeCertificate({ host: HOST })],
  ['of an unknown authority', makeCertificate({ host: HOST, authority: makeCertificate({ name: 'unknown' }) })],
  ['for a name, at a URL with an address,', makeCertificate({ host: HOST, authority }), '127.0.0.1'],
])('a certificate %s fails the delivery, and nothing is sent', async (_, certificate, host) => {
  const { delivery, received } = await deliver(certificate, host);
  expect(delivery).toMatchObject({ status: 'pending', lastStatus: null, lastError: 'tls' });
  expect(received).toEqual([]);
});
