import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createAccessToken, reportLeakedCredentials } from '../../generated/index.js';
import { makeCertificate } from '../support/certificate.js';
import { gitHubKeysText, newGitHubKey, signedByGitHub } from '../support/github.js';
import { send } from '../support/http.js';
import { startMailServer } from '../support/mail-server.js';
import { ADMIN, clientOf, logInTo, logOf, newFolder, type Serving, serveDatabase } from '../support/process.js';
import { answered } from '../support/service.js';

// A service talks over TLS to a mail server, and to where GitHub's keys are, only if it trusts their certificates.

const authority = makeCertificate();
const { certificate: cert, key } = makeCertificate({ host: 'localhost', authority });

/** A service that trusts the tests' authority, and one that does not. */
async function startBoth(env: Record<string, string>): Promise<{ trusting: Serving; other: Serving }> {
  const folder = await newFolder();
  const file = join(folder, 'authority.pem');
  writeFileSync(file, authority.certificate);
  const [trusting, other] = await Promise.all([
    serveDatabase(join(folder, 'trusting.db'), { ...env, NODE_EXTRA_CA_CERTS: file }),
    serveDatabase(join(folder, 'other.db'), env),
  ]);
  return { trusting, other };
}

const hasLogged = (serving: Serving, message: string) => logOf(serving).some(({ msg }) => msg === message);

test.each([
  ['TLS from its start', 'smtps'],
  ['STARTTLS', 'smtp'],
])('a mail by %s goes to a server with a certificate that the service trusts', async (_, scheme) => {
  const { port, received } = await startMailServer({ secure: scheme === 'smtps', disabledCommands: [], cert, key });
  const { trusting, other } = await startBoth({
    LATCHKEY_SMTP_URL: `${scheme}://localhost:${String(port)}`,
    LATCHKEY_MAIL_FROM: 'tokens@example.org',
  });
  for (const serving of [other, trusting]) {
    const { client } = await logInTo(serving.url);
    const { plaintext } = await answered(createAccessToken({ client, body: { name: 'deploy' } }));
    await answered(
      reportLeakedCredentials({
        client: clientOf(serving.url),
        body: { credentials: [plaintext], source: serving === trusting ? 'trusting' : 'other' },
      }),
    );
  }
  const isRefused = () => hasLogged(other, 'a mail could not be sent; trying again later');
  await expect.poll(isRefused, { timeout: 10_000 }).toBe(true);
  await expect.poll(() => received.length, { timeout: 10_000 }).toBe(1);
  expect(received[0]).toMatchObject({
    to: [ADMIN.email],
    secure: true,
    raw: expect.stringContaining('trusting') as string,
  });
});

test("GitHub's keys are read from a server with a certificate that the service trusts", async () => {
  const gitHubKey = newGitHubKey();
  const server = createServer({ cert, key }, (_, response) => {
    response.end(gitHubKeysText([gitHubKey]));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const { trusting, other } = await startBoth({
    LATCHKEY_GITHUB_KEYS_URL: `https://localhost:${String(port)}/meta/public_keys/secret_scanning`,
  });
  const body = JSON.stringify([{ token: 'a text', type: 'latchkey_token', url: null, source: 'commit' }]);
  const headers = signedByGitHub(gitHubKey, body);
  const path = 'POST /api/v1/credentials/github-secret-scanning';
  expect(await send(trusting, path, { body, headers })).toMatchObject({ status: 200 });
  expect(await send(other, path, { body, headers })).toMatchObject({ status: 503 });
  await expect.poll(() => hasLogged(other, "GitHub's keys could not be read")).toBe(true);
});
