import { existsSync } from 'node:fs';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createWebhook, rotateWebhookSecret, testWebhook } from '../../generated/index.js';
import { latchkey, newFolder, ownDatabase } from '../support/process.js';
import { isSigned, startReceiver } from '../support/receiver.js';
import { answered, type Service, startService } from '../support/service.js';
import { change, rowsOf } from '../support/store.js';

// `latchkey rotate-key` replaces the key of secrets while services run, and no receiver notices.

const KEY = Buffer.alloc(32, 9).toString('base64');

async function setting() {
  const secretKeyFile = join(await newFolder(), 'secret.key');
  await writeFile(secretKeyFile, `${KEY}\n`, { mode: 0o600 });
  const service = await startService({ webhookAllow: ['127.0.0.1'], secretKeyFile });
  const receiver = await startReceiver();
  const { client, token } = await service.admin();
  const { webhook, secret } = await answered(
    createWebhook({ client, body: { url: receiver.url, eventTypes: ['token.created'] } }),
  );
  const rotate = (...flags: string[]) =>
    latchkey(['rotate-key', '--database', service.database, ...flags], {
      env: { LATCHKEY_SECRET_KEY_FILE: secretKeyFile },
    });
  async function expectSigned(...secrets: string[]): Promise<void> {
    // A restart gives the service another port.
    const by = service.as(token);
    const before = receiver.received.length;
    await answered(testWebhook({ client: by, path: { webhook_id: webhook.id } }));
    await expect.poll(() => receiver.received.length).toBe(before + 1);
    const last = receiver.received.at(-1);
    for (const one of secrets) expect(last !== undefined && isSigned(last, one)).toBe(true);
  }
  return { service, client, token, webhook, secret, secretKeyFile, rotate, expectSigned };
}

const keysIn = async (file: string) => (await readFile(file, 'utf8')).trim().split('\n');
const sealedIn = (service: Service) =>
  rowsOf(service, 'select secret, previous_secret, digest from webhooks, secret_keys order by webhooks.id');

test('all secrets are encrypted anew, and running services go on to sign with them, and after a restart too', async () => {
  const { service, client, webhook, secret, secretKeyFile, rotate, expectSigned } = await setting();
  const path = { webhook_id: webhook.id };
  const { secret: next } = await answered(rotateWebhookSecret({ client, path }));
  await answered(createWebhook({ client, body: { url: 'http://127.0.0.1:9/' } }));
  await expectSigned(secret, next);
  const [first, second] = await sealedIn(service);

  expect(await rotate()).toEqual({
    code: 0,
    stdout: `encrypted the secrets of 2 webhooks with a new key, the first line of ${secretKeyFile}\n`,
    stderr: '',
  });
  const [added, former, ...others] = await keysIn(secretKeyFile);
  expect([former, others]).toEqual([KEY, []]);
  expect(added).toMatch(/^[A-Za-z0-9+/]{43}=$/);
  expect((await stat(secretKeyFile)).mode & 0o777).toBe(0o600);
  const [firstAfter, secondAfter] = await sealedIn(service);
  for (const column of ['secret', 'previous_secret', 'digest'])
    expect(firstAfter?.[column]).not.toEqual(first?.[column]);
  expect(secondAfter?.['secret']).not.toEqual(second?.['secret']);
  expect(secondAfter?.['previous_secret']).toBeNull();

  await expectSigned(secret, next);
  await answered(createWebhook({ client, body: { url: 'http://127.0.0.1:9/' } }));
  // Nothing is encrypted with the former key any more.
  await writeFile(secretKeyFile, `${String(added)}\n`);
  await service.restart();
  await expectSigned(secret, next);
  expect(service.log.join('')).not.toContain(String(added));
});

test('a rotation that ended after it wrote the file leaves a service that works, and the next one uses its key', async () => {
  const { service, token, secret, secretKeyFile, rotate, expectSigned } = await setting();
  // The same state as after a kill between the file and the commit.
  expect((await rotate('--prepare')).stdout).toBe(
    `${secretKeyFile} has a new key as its first line: copy it to the other machines, and then run latchkey rotate-key\n`,
  );
  const keys = await keysIn(secretKeyFile);
  expect(keys).toHaveLength(2);
  await service.restart();
  await expectSigned(secret);
  await answered(createWebhook({ client: service.as(token), body: { url: 'http://127.0.0.1:9/' } }));

  expect(await rotate()).toMatchObject({ code: 0 });
  expect(await keysIn(secretKeyFile)).toEqual(keys);
  await expectSigned(secret);
  expect(await rotate()).toMatchObject({ code: 0 });
  expect((await keysIn(secretKeyFile)).slice(1)).toEqual(keys);
});

test('two rotations at the same time both succeed, and the secrets have a key of the file', async () => {
  const { secret, secretKeyFile, rotate, expectSigned } = await setting();
  const done = await Promise.all([rotate(), rotate()]);
  expect(done.map(({ code }) => code)).toEqual([0, 0]);
  expect(await keysIn(secretKeyFile)).toHaveLength(3);
  await expectSigned(secret);
});

test('a rotation that cannot succeed says why, and changes no secret', async () => {
  const { service, client, secretKeyFile, rotate } = await setting();
  const { webhook } = await answered(createWebhook({ client, body: { url: 'http://127.0.0.1:9/' } }));
  const before = await sealedIn(service);
  const refused = async (message: string | RegExp) => {
    const { code, stdout, stderr } = await rotate();
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain(KEY);
    expect(await sealedIn(service)).toEqual(before);
  };
  await writeFile(secretKeyFile, `${Buffer.alloc(32, 8).toString('base64')}\n`);
  await refused(/^latchkey: the key in \S+ is not the key with which the secrets in this database are encrypted\n$/);
  await writeFile(secretKeyFile, 'short\n');
  await refused(/^latchkey: LATCHKEY_SECRET_KEY_FILE \S+ must have 32 random bytes in Base64 on each line/);
  await writeFile(secretKeyFile, `${KEY}\n`);
  await change(service, `update webhooks set secret = uuid where url = 'http://127.0.0.1:9/'`);
  const [, broken] = await sealedIn(service);
  before[1] = broken ?? {};
  await refused(
    new RegExp(`^latchkey: no key in \\S+ decrypts the secret of the webhook ${webhook.id}, so that no secret`),
  );
});

test('the file keeps that its group may read it, and loses every other right of others', async () => {
  const { secretKeyFile, rotate } = await setting();
  await chmod(secretKeyFile, 0o666);
  expect(await rotate()).toMatchObject({ code: 0 });
  expect((await stat(secretKeyFile)).mode & 0o777).toBe(0o640);
});

test('without a database, or without secrets, there is no key to replace', async () => {
  const database = await ownDatabase();
  const file = join(await newFolder(), 'none.db');
  expect(await latchkey(['rotate-key', '--database', file])).toMatchObject({
    code: 2,
    stderr: `latchkey: there is no database ${file}\n`,
  });
  expect(existsSync(file)).toBe(false);
  expect(await latchkey(['rotate-key', '--database', ':memory:'])).toMatchObject({ code: 2 });
  expect(await latchkey(['migrate', '--database', database])).toMatchObject({ code: 0 });
  expect(await latchkey(['rotate-key', '--database', database])).toMatchObject({
    code: 2,
    stderr: 'latchkey: this database has no encrypted secrets yet, so that there is no key to replace\n',
  });
});
