// @ts-check
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { pino } from 'pino';
import { rolldown } from 'rolldown';
import { parse } from 'yaml';

// Runs the built contract tests against the built service, by several callers and set-ups, and prints the faults that they
// find. The service is right each time, so every fault is a false alarm. Arguments of `npm run right --` select by name.

const { positionals } = parseArgs({ allowPositionals: true });
const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'latchkey-right-'));
/** @param {string} file */
const load = (file) => import(pathToFileURL(file).href);
const bundle = await rolldown({
  input: { proxy: 'test/contract/right/reverse-proxy.ts' },
  platform: 'node',
  resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
});
await bundle.write({ dir: folder });
/** @type {typeof import('../test/contract/right/reverse-proxy.js')} */
const { startReverseProxy } = await load(join(folder, 'proxy.js'));
/** @type {typeof import('../server/index.js')} */
const { openUsers, startServer } = await load('dist/server/index.js');
/** @type {typeof import('../contract/index.js')} */
const { testContract } = await load('dist/contract/index.js');

const log = /** @type {any} */ (pino({ level: 'silent' }));
const { laws } = parse(readFileSync('openapi.laws.yaml', 'utf8'));
const administrator = { username: 'admin@latchkey.local', password: 'correct horse battery staple' };
const users = [1, 2].map((n) => ({ username: `user${n}@example.org`, password: `the password of user ${n}` }));
const [user = administrator, another = administrator] = users;

/** @param {import('../server/index.js').RunningServer} server @param {string[]} scopes */
async function tokenWith({ url }, scopes) {
  /** @param {string} path @param {object} body @param {string} [token] */
  const post = async (path, body, token) => {
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const headers = { 'content-type': 'application/json', ...authorization };
    const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    return /** @type {any} */ (await response.json());
  };
  const { access_token: session } = await post('/api/v1/auth/login/', administrator);
  return { token: (await post('/api/v1/access-tokens', { name: 'contract', scopes }, session)).plaintext };
}

/** @typedef {Partial<import('../contract/index.js').ContractOptions>} Options */
/** @type {Record<string, (server: import('../server/index.js').RunningServer) => Promise<Options> | Options>} */
const WAYS = {
  'an administrator': () => ({ login: administrator, other: { login: user } }),
  'a user who is no administrator': () => ({ login: user, other: { login: another } }),
  'a token that reads and verifies': (server) => tokenWith(server, ['tokens:read', 'tokens:verify']),
  'a token that only reads': (server) => tokenWith(server, ['tokens:read']),
  'a token that may do nothing': (server) => tokenWith(server, []),
  'a reverse proxy': async ({ url }) => ({ url: (await startReverseProxy(url)).url, login: administrator }),
  'a base path': async ({ url }) => {
    const proxy = await startReverseProxy(url, { base: '/latchkey' });
    return { url: proxy.url, login: administrator };
  },
};

/** @param {string} way @param {{ failures: any[], warnings: any[], untested: any[], ended?: string, held: boolean, requests: number, durationMs: number }} report */
function tell(way, { failures, warnings, untested, ended, held, requests, durationMs }) {
  console.log(
    `${way} | ${failures.length} faults | ${warnings.length} warnings | held ${held} | ${requests} requests in ${(durationMs / 1000).toFixed(1)} s`,
  );
  for (const { severity, operation, message, received, curl } of [...failures, ...warnings])
    console.log(`  ${severity} ${operation}: ${message}\n${received}\n${curl}`);
  for (const { operation, reason } of untested) console.log(`  untested ${operation}: ${reason}`);
  if (ended !== undefined) console.log(`  ${ended}`);
  if (failures.length > 0 || !held) process.exitCode = 1;
}

const isChosen = (/** @type {string} */ way) =>
  positionals.length === 0 || positionals.some((word) => way.includes(word));
const options = { seed: 1, timeMs: 600_000 };

/** @param {(server: import('../server/index.js').RunningServer) => Promise<void>} work */
async function withService(work) {
  const database = join(mkdtempSync(join(folder, 'service-')), 'latchkey.db');
  const { username: adminEmail, password: adminPassword } = administrator;
  const server = await startServer({ port: 0, database, adminEmail, adminPassword, log, trustProxy: 1 });
  const store = await openUsers(database);
  for (const { username: email, password } of users)
    await store.add({ email, fullName: 'User', isAdmin: false, password });
  await store.close();
  await work(server);
  await server.close();
}

for (const [way, use] of Object.entries(WAYS).filter(([name]) => isChosen(name)))
  await withService(async (server) => {
    tell(way, await testContract({ ...options, url: server.url, laws, ...(await use(server)) }));
  });

if (isChosen('HTTPS'))
  await withService(async (server) => {
    const [cert, key, report] = ['cert.pem', 'key.pem', 'report.json'].map((name) => join(folder, name));
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
    await run('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', `${key}`, '-out', `${cert}`]);
    const secure = { cert: readFileSync(`${cert}`), key: readFileSync(`${key}`) };
    const { url } = await startReverseProxy(server.url, { secure });
    // Node reads the certificates that it trusts when it starts.
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: cert, LATCHKEY_PASSWORD: administrator.password };
    const flags = [
      '--url',
      url,
      '--login',
      administrator.username,
      '--seed',
      '1',
      '--time',
      '600s',
      '--report',
      `${report}`,
    ];
    await run(process.execPath, ['dist/cli/main.js', 'contract', ...flags], { env }).catch(() => undefined);
    tell('HTTPS', JSON.parse(readFileSync(`${report}`, 'utf8')));
  });

if (isChosen('control of a local server')) {
  const server = await startServer({ testing: { seed: { users: [{ email: 'ada@example.org' }] } }, log });
  tell(
    'the control of a local server',
    await testContract({ ...options, url: server.url, spec: 'testing/openapi.yaml' }),
  );
}
rmSync(folder, { recursive: true, force: true });
process.exit();
