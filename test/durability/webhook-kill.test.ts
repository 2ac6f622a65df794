import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { newFolder, onEndOfTest, type Serving, serveDatabase } from '../support/process.js';
import { startReceiver } from '../support/receiver.js';
import { change, rowsOf } from '../support/store.js';
import { FULL, publish } from './figures.js';
import { createLedger } from './ledger.js';
import { startLoad } from './load.js';
import { ask, databaseUntil, ENGINE, logInAt } from './nodes.js';

const ROUNDS = FULL ? 50 : 2;
const CONNECTIONS = 8;
/** The most answers of a round; a slow machine takes longer to give them. */
const MOST_ANSWERS = FULL ? 500 : 200;
const TYPES = ['token.created', 'token.revoked', 'token.rotated'];
const OF_TYPES = `action in (${TYPES.map((type) => `'${type}'`).join(', ')})`;

test('kill -9 under load loses no delivery: the receiver gets each event of its types at least once', {
  timeout: FULL ? 3_600_000 : 120_000,
}, async () => {
  const secretKeyFile = join(await newFolder(), 'secret.key');
  await writeFile(secretKeyFile, `${Buffer.alloc(32, 5).toString('base64')}\n`, { mode: 0o600 });
  const env = {
    LATCHKEY_SECRET_KEY_FILE: secretKeyFile,
    LATCHKEY_WEBHOOK_ALLOW: '127.0.0.1',
    LATCHKEY_SESSION_MINUTES: '1440',
  };
  const database = await databaseUntil(onEndOfTest);
  const receiver = await startReceiver();
  let serving: Serving = await serveDatabase(database, env);
  const { token } = await logInAt(serving);
  const json = { url: receiver.url, eventTypes: TYPES };
  expect((await ask(serving, 'POST /api/v1/webhooks', { token, json })).status).toBe(201);

  const eventIds = async () =>
    (await rowsOf({ database }, `select uuid from audit_events where ${OF_TYPES}`)).map(({ uuid }) =>
      Buffer.from(uuid as Uint8Array).toString('hex'),
    );
  const receivedIds = () => receiver.received.map(({ headers }) => String(headers['webhook-id']).replaceAll('-', ''));

  let waiting = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const { answered, ended } = startLoad({ url: serving.url, token }, createLedger(), CONNECTIONS);
    await answered(CONNECTIONS + Math.random() * MOST_ANSWERS);
    await sleep(Math.random() * 20);
    serving.child.kill('SIGKILL');
    await Promise.all([ended, serving.finished]);
    waiting += (await eventIds()).length - new Set(receivedIds()).size;
    // The claim of the killed process would last for up to 30 seconds, in which the next kill would find nothing under way.
    await change({ database }, 'update webhooks set claimed_until = 0');
    serving = await serveDatabase(database, env);
  }

  const left = 'select count(*) as due from webhook_deliveries where due_at is not null';
  const due = new Set(await eventIds());
  await expect.poll(() => new Set(receivedIds()).size, { timeout: 60_000, interval: 100 }).toBe(due.size);
  await expect.poll(async () => Number((await rowsOf({ database }, left))[0]?.['due']), { timeout: 10_000 }).toBe(0);
  const received = receivedIds();
  publish('webhooks', `kill -9 under load, ${ENGINE}: rounds; events due`, `${String(ROUNDS)}; ${String(due.size)}`);
  publish('webhooks', `${ENGINE}: deliveries that waited at a kill`, String(waiting));
  publish('webhooks', `${ENGINE}: sent more than once`, String(received.length - due.size));
  publish('webhooks', `${ENGINE}: never sent`, String(due.size - new Set(received).size), '0');

  // Each event that is stored was received, and nothing else.
  expect(new Set(received)).toEqual(due);
  expect(waiting).toBeGreaterThan(0);
  const bodies = new Set(receiver.received.map(({ headers, body }) => `${String(headers['webhook-id'])} ${body}`));
  expect(bodies.size).toBe(due.size);
});
