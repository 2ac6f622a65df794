import { expect, test } from 'vitest';
import { send } from '../support/http.js';
import { plaintextOf, startLocal } from '../support/local-server.js';

const DAY = 86_400_000;

/** A server with a token that expires in 40 days. */
async function startWithToken() {
  const server = await startLocal({
    testing: { frozenAt: '2030-01-01T00:00:00Z' },
    publicUrl: 'https://t.example.org',
  });
  const { token } = await server.client().createAccessToken({ body: { name: 'deploy bot', expiresInDays: 40 } });
  return { server, token };
}

test('the clock moves the notices, and mails are recorded instead of being sent', async () => {
  const { server, token } = await startWithToken();
  server.clock.advance(10 * DAY - 1);
  expect(await server.mails.all()).toEqual([]);
  server.clock.advance(1);
  const [mail, ...others] = await server.mails.all();
  expect(others).toEqual([]);
  expect(mail).toEqual({
    number: 1,
    sentAt: '2030-01-11T00:00:00.000Z',
    to: 'ada@example.org',
    subject: 'Your access token "deploy bot" expires in 30 days',
    text: `Your access token "deploy bot" expires in 30 days: on 2030-02-10 00:00 UTC.

Name:   deploy bot
Prefix: ${token.tokenPrefix}
Id:     ${token.id}

After that, no request with this token is accepted.

If something still uses the token, rotate it before. Rotating gives it a new secret and a new lifetime:

  latchkey tokens rotate ${token.id} --expires-in 90d --grace 24h

If nothing uses the token any more, you need not do anything.

-- 
The token service at https://t.example.org sent this mail. Nobody reads answers to it.
`,
  });
  server.clock.advance(29 * DAY);
  const { items } = await server.client().listAuditEvents({ query: { action: 'token.expiring' } });
  expect(items.map(({ changes }) => changes.after?.['days'])).toEqual([1, 30]);
  const { body } = await send(server, 'GET /__testing/mails');
  expect((body as { mails: { subject: string }[] }).mails.map(({ subject }) => subject)).toEqual([
    'Your access token "deploy bot" expires in 30 days',
    'Your access token "deploy bot" expires within a day',
  ]);
  expect((await send(server, 'DELETE /__testing/mails')).status).toBe(204);
  expect(await server.mails.all()).toEqual([]);
});

test("of a service's token the enabled managers get a mail each, and of an external owner's token nobody does", async () => {
  const server = await startLocal({ testing: { frozenAt: '2030-01-01T00:00:00Z' } });
  const client = server.client();
  const managers: number[] = [];
  for (const name of ['bea', 'cyd', 'dan']) {
    managers.push((await client.createUser({ body: { email: `${name}@example.org` } })).user.id);
  }
  const jobs = await client.createService({ body: { fullName: 'deploy jobs', managers } });
  await client.updateUser({ path: { user_id: managers[1] ?? 0 }, body: { disabled: true } });
  const customer = { email: 'it@customer.example' };
  await client.putExternalUser({ path: { external_id: 'cus_42' }, body: customer });
  const body = { name: 'ci', expiresInDays: 8, scopes: [] };
  const { token, plaintext } = await client.createAccessToken({ query: { owner: jobs.id }, body });
  const theirs = await client.createAccessToken({ query: { externalOwner: 'cus_42' }, body });
  server.clock.advance(DAY);
  const mails = await server.mails.all();
  expect(mails.map(({ to, subject }) => [to, subject])).toEqual([
    ['bea@example.org', 'The access token "ci" of the service "deploy jobs" expires in 7 days'],
    ['dan@example.org', 'The access token "ci" of the service "deploy jobs" expires in 7 days'],
  ]);
  const flag = ` --owner ${String(jobs.id)}`;
  expect(mails[0]?.text).toContain(`latchkey tokens rotate ${token.id}${flag} --expires-in 90d`);
  const { items } = await client.listAuditEvents({ query: { action: 'token.expiring' } });
  expect(items.map(({ target }) => target?.tokenId).sort()).toEqual([token.id, theirs.token.id].sort());

  server.mails.clear();
  const json = { credentials: [plaintext, theirs.plaintext] };
  expect((await send(server, 'POST /api/v1/credentials/revoke', { json })).status).toBe(202);
  const leaked = await server.mails.all();
  expect(leaked.map(({ to }) => to)).toEqual(['bea@example.org', 'dan@example.org']);
  expect(leaked[0]?.subject).toBe('The access token "ci" of the service "deploy jobs" leaked');
  expect(leaked[0]?.text).toContain('a secret of the access token "ci" of the service "deploy jobs" where');
  expect(leaked[0]?.text).toContain(`latchkey tokens show ${token.id}${flag}`);
});

test('a reset forgets mails and begins the notices again, and a snapshot takes them along', async () => {
  const { server } = await startWithToken();
  const snapshot = await server.snapshot();
  server.clock.advance(10 * DAY);
  expect(await server.mails.all()).toHaveLength(1);
  await server.restore(snapshot);
  server.clock.advance(10 * DAY);
  expect(await server.mails.all()).toHaveLength(2);
  await server.reset();
  server.clock.advance(50 * DAY);
  expect(await server.mails.all()).toEqual([]);
  await server.client().createAccessToken({ body: { name: 'next', expiresInDays: 8 } });
  server.clock.advance(DAY);
  expect(await server.mails.all()).toMatchObject([
    { number: 1, subject: 'Your access token "next" expires in 7 days' },
  ]);
});

test('the next request sees what was done about a leak, and its mail', async () => {
  const { server } = await startWithToken();
  const plaintext = plaintextOf(server, "bob's");
  const json = { credentials: [plaintext], source: 'a scanner', url: 'https://paste.example.org/1' };
  expect((await send(server, 'POST /api/v1/credentials/revoke', { json })).status).toBe(202);
  expect((await send(server, 'GET /api/v1/auth/me', { token: plaintext })).status).toBe(401);
  const [mail] = await server.mails.all();
  expect(mail).toMatchObject({ to: 'bob@example.org', subject: `Your access token "bob's" leaked` });
  expect(mail?.text).toContain('Found at: https://paste.example.org/1\nReported by: a scanner\n');
  expect(mail?.text).toContain('The service has revoked it.');
  expect(mail?.text).not.toContain(plaintext);
});
