// @ts-check
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { apiKey } from '@better-auth/api-key';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { toNodeHandler } from 'better-auth/node';
import Driver from 'better-sqlite3';

// better-auth's API keys with every setting that makes them faster while they stay on disk: no rate limits, commits
// without a flush, uses written after the answer. Verifying is a function of its server, which runs behind node:http here;
// listing is its own endpoint. The keys are written to a file for the load.
//
//   node bench/contenders/better-auth.mjs DATABASE KEYS

const OWNERS = 10;
const KEYS_OF_AN_OWNER = 100;

const [, , path = '', keysPath = ''] = process.argv;
const database = new Driver(path);
database.pragma('journal_mode = WAL');
database.pragma('synchronous = NORMAL');

const auth = betterAuth({
  database,
  baseURL: 'http://127.0.0.1',
  secret: 'only for this benchmark, and nothing else',
  logger: { disabled: true },
  telemetry: { enabled: false },
  rateLimit: { enabled: false },
  emailAndPassword: { enabled: true },
  advanced: { backgroundTasks: { handler() {} }, disableCSRFCheck: true },
  plugins: [apiKey({ rateLimit: { enabled: false }, enableSessionForAPIKeys: true, deferUpdates: true })],
});
const { runMigrations } = await getMigrations(auth.options);
await runMigrations();
writeFileSync(keysPath, JSON.stringify(await makeKeys()), { mode: 0o600 });

const handle = toNodeHandler(auth);
const server = createServer(async (request, response) => {
  if (request.url !== '/verify') {
    await handle(request, response);
    return;
  }
  const { token } = /** @type {{ token: string }} */ (await json(request));
  const verdict = await auth.api.verifyApiKey({ body: { key: token } });
  const body = JSON.stringify(verdict);
  response.writeHead(verdict.valid ? 200 : 401, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(body);
});
server.listen(0, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}`);
});

async function makeKeys() {
  const keys = [];
  for (let owner = 0; owner < OWNERS; owner++) {
    const email = `owner${owner}@example.com`;
    const body = { email, password: 'only for this benchmark', name: `Owner ${owner}` };
    const { user } = await auth.api.signUpEmail({ body });
    for (let index = 0; index < KEYS_OF_AN_OWNER; index++) {
      const { id, key } = await auth.api.createApiKey({ body: { userId: user.id, name: `token ${index}` } });
      keys.push({ plaintext: key, id, owner: email });
    }
  }
  return keys;
}
