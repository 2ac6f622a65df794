import { existsSync } from 'node:fs';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createWebhook, listWebhooks, testWebhook } from '../../generated/index.js';
import { isOnPostgres } from '../support/databases.js';
import { latchkey, newFolder } from '../support/process.js';
import { isSigned, startReceiver } from '../support/receiver.js';
import { answered, startService } from '../support/service.js';

// The key of webhooks' secrets is in a file, and a service does not start without it.

const KEY = `${Buffer.alloc(32, 3).toString('base64')}\n`;
const OTHER = `${Buffer.alloc(32, 4).toString('base64')}\n`;

test.skipIf(isOnPostgres)(
  'beside a SQLite file the key is made with the first webhook, for the owner only',
  async () => {
    const service = await startService({ secretKeyFile: null, webhookAllow: ['127.0.0.1'] });
    const file = `${service.database}.key`;
    const { client, token } = await service.admin();
    await answered(listWebhooks({ client }));
    expect(existsSync(file)).toBe(false);
    const receiver = await startReceiver();
    const made = await Promise.all(
      [1, 2, 3].map(() =>
        answered(createWebhook({ client, body: { url: receiver.url, eventTypes: ['token.created'] } })),
      ),
    );
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const key = await readFile(file, 'utf8');
    expect(key).toMatch(/^[A-Za-z0-9+/]{43}=\n$/);

    await service.restart();
    expect(await readFile(file, 'utf8')).toBe(key);
    for (const [index, { webhook, secret }] of made.entries()) {
      await answered(testWebhook({ client: service.as(token), path: { webhook_id: webhook.id } }));
      await expect.poll(() => receiver.received.length).toBe(index + 1);
      expect(receiver.received.map((got) => isSigned(got, secret)).at(-1)).toBe(true);
    }
    expect(await readFile(service.database)).not.toContain(key.trim());
  },
);

test.runIf(isOnPostgres)('on PostgreSQL a webhook needs a key that the operator names', async () => {
  const service = await startService({ secretKeyFile: null, webhookAllow: ['127.0.0.1'] });
  const { client } = await service.admin();
  const { response, error } = await createWebhook({ client, body: { url: 'http://127.0.0.1:9/' } });
  expect({ status: response.status, error }).toMatchObject({ status: 409, error: { code: 'secret_key_missing' } });
});

test('a service with another key, or without one, does not start and says why', async () => {
  const secretKeyFile = join(await newFolder(), 'secret.key');
  await writeFile(secretKeyFile, KEY);
  const service = await startService({ secretKeyFile, webhookAllow: ['127.0.0.1'] });
  const { client, token } = await service.admin();
  await answered(createWebhook({ client, body: { url: 'http://127.0.0.1:9/' } }));
  await service.stop();

  const serve = async (file = '') => {
    const env = { LATCHKEY_DATABASE: service.database, LATCHKEY_PORT: '0', LATCHKEY_SECRET_KEY_FILE: file };
    const { code, stderr } = await latchkey(['serve'], { env });
    expect(code).toBe(2);
    expect(stderr).not.toContain(OTHER.trim());
    return stderr;
  };
  expect(await serve()).toContain(
    `latchkey: this database has encrypted secrets, and there is no key for them: set LATCHKEY_SECRET_KEY_FILE${
      isOnPostgres ? '' : `, or put back ${service.database}.key`
    }\n`,
  );
  await writeFile(secretKeyFile, OTHER);
  expect(await serve(secretKeyFile)).toContain(
    `latchkey: the key in ${secretKeyFile} is not the key with which the secrets in this database are encrypted\n`,
  );
  await writeFile(secretKeyFile, 'no key\n');
  expect(await serve(secretKeyFile)).toContain(
    `latchkey: LATCHKEY_SECRET_KEY_FILE ${secretKeyFile} must have 32 random bytes in Base64 on each line`,
  );
  await rm(secretKeyFile);
  expect(await serve(secretKeyFile)).toContain(
    `latchkey: LATCHKEY_SECRET_KEY_FILE: there is no file ${secretKeyFile}\n`,
  );

  // The former key may follow the present one, or precede it.
  await writeFile(secretKeyFile, OTHER + KEY);
  await service.restart();
  expect((await answered(listWebhooks({ client: service.as(token) }))).items).toHaveLength(1);
});
