// @ts-check
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
// @ts-expect-error It comes without types.
import autocannon from 'autocannon';
import { ratios, spread, table } from './figures.mjs';
import { fromRoot, processorTime, splitCores, start, stopAll, timeStart } from './process.mjs';

// How near Latchkey comes to the bare floor (floor.mjs) with an authenticated read, and how long it takes to start.
// Contenders take turns, so that a noisy machine hits all alike; what counts are the ratios, not the figures.
//
//   npm run build && npm run bench

const TOKENS = 1_000;
/** So many of them authenticate the load and are read. */
const USED_TOKENS = 100;
const CONNECTIONS = [64, 1];
const ROUNDS = 5;
const ROUND_SECONDS = 3;
const STARTS = 7;
const ADMIN = { username: 'admin@latchkey.local', password: 'only for this benchmark' };
const PATH = '/api/v1/access-tokens';

/** @typedef {{ name: string, argv: string[], env?: Record<string, string> }} Contender */
/** @typedef {{ plaintext: string, token: { id: string } }} IssuedToken */

const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-'));
try {
  const database = join(folder, 'prepared.db');
  const tokens = await prepare(database);
  console.log(`Node ${process.version}, ${cpus().length} cores, ${TOKENS} tokens\n`);
  await compareStarts(database);
  await compareReads(database, tokens);
} finally {
  stopAll();
  rmSync(folder, { recursive: true, force: true });
}

/** @param {string} name @param {string} database @param {Record<string, string>} [env] @returns {Contender} */
function latchkey(name, database, env = {}) {
  const argv = [fromRoot('dist/cli/main.js'), 'serve', '--port', '0', '--database', database];
  return { name, argv, env };
}

/** @param {string} name @param {string} database @returns {Contender} */
function floor(name, database) {
  return { name, argv: [fromRoot('bench/floor.mjs'), database] };
}

/** Fills a new database through the API and gives its tokens. @param {string} database @returns {Promise<IssuedToken[]>} */
async function prepare(database) {
  const server = await start(latchkey('Latchkey', database, { LATCHKEY_ADMIN_PASSWORD: ADMIN.password }));
  const { access_token: session } = await post(`${server.url}/api/v1/auth/login/`, ADMIN);
  const tokens = [];
  while (tokens.length < TOKENS) {
    const some = Array.from({ length: 50 }, (_, index) =>
      post(server.url + PATH, { name: `token ${tokens.length + index}`, expiresInDays: 30 }, session),
    );
    tokens.push(...(await Promise.all(some)));
  }
  await server.stop();
  return tokens;
}

/** @param {string} url @param {object} body @param {string} [token] @returns {Promise<any>} */
async function post(url, body, token) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...(token !== undefined && { Authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`POST ${url}: ${response.status} ${await response.text()}`);
  return await response.json();
}

/** @param {string} database */
async function compareStarts(database) {
  let fresh = 0;
  const contenders = [
    () => ({ name: 'Fastify, bare', argv: [fromRoot('bench/fastify.mjs')] }),
    () => floor('floor', database),
    () => latchkey('Latchkey, existing database', database),
    () => latchkey('Latchkey, new database', join(folder, `fresh-${fresh++}.db`)),
  ];
  /** @type {Map<string, number[]>} */
  const times = new Map();
  for (let round = 0; round < STARTS; round++) {
    for (const contender of contenders.map((make) => make())) {
      const time = await timeStart(contender);
      times.set(contender.name, [...(times.get(contender.name) ?? []), time]);
    }
  }

  const fastify = times.get('Fastify, bare') ?? [];
  console.log(`From spawn to the first answer: median (least-most) of ${STARTS}\n`);
  console.log(
    table(
      ['', 'ms', 'of Fastify'],
      [...times].map(([name, values]) => [name, spread(values), spread(ratios(values, fastify), 2)]),
    ),
  );
}

/** @param {string} database @param {IssuedToken[]} tokens */
async function compareReads(database, tokens) {
  const core = splitCores();
  const used = tokens.slice(0, USED_TOKENS);
  const contenders = await Promise.all(
    [floor('floor', copyOf(database, 'floor')), latchkey('Latchkey', copyOf(database, 'latchkey'))].map(
      async (contender) => ({ name: contender.name, server: await start(contender, core) }),
    ),
  );
  for (const { server } of contenders) await load(server, 64, 1, used);

  console.log(`\nGET ${PATH}/{token_id}: median (least-most) of ${ROUNDS} rounds of ${ROUND_SECONDS} s`);
  console.log(core === undefined ? 'Server and load share the cores.\n' : 'Server and load have a core each.\n');
  const rows = [];
  for (const connections of CONNECTIONS) {
    /** @type {Map<string, { rate: number[], cost: number[] }>} */
    const measured = new Map(contenders.map(({ name }) => [name, { rate: [], cost: [] }]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const { name, server } of contenders) {
        const { rate, cost } = await load(server, connections, ROUND_SECONDS, used);
        measured.get(name)?.rate.push(rate);
        measured.get(name)?.cost.push(cost);
      }
    }
    const base = measured.get('floor')?.rate ?? [];
    for (const [name, { rate, cost }] of measured) {
      rows.push([String(connections), name, spread(rate), spread(ratios(rate, base), 2), spread(cost, 1)]);
    }
  }
  for (const { server } of contenders) await server.stop();
  console.log(table(['connections', '', 'requests/s', 'of the floor', 'processor us/request'], rows));
}

/** @param {string} database @param {string} name */
function copyOf(database, name) {
  const copy = join(folder, `${name}.db`);
  copyFileSync(database, copy);
  return copy;
}

/**
 * Requests per second and the server's processor time for each. Throws unless every answer is 200.
 *
 * @param {import('./process.mjs').Running} server
 * @param {number} connections
 * @param {number} seconds
 * @param {IssuedToken[]} tokens
 */
async function load({ url, pid }, connections, seconds, tokens) {
  const before = processorTime(pid);
  const result = await autocannon({
    url,
    connections,
    duration: seconds,
    // As long as its samples, or it would run for up to a second more.
    sampleInt: 250,
    requests: tokens.map(({ plaintext, token }) => ({
      path: `${PATH}/${token.id}`,
      headers: { authorization: `Bearer ${plaintext}` },
    })),
  });
  const statuses = Object.keys(result.statusCodeStats);
  if (result.errors > 0 || result.timeouts > 0 || statuses.join() !== '200') {
    throw new Error(`not every answer was 200: ${JSON.stringify(result.statusCodeStats)}, ${result.errors} errors`);
  }
  const answers = result['2xx'];
  return { rate: answers / result.duration, cost: (processorTime(pid) - before) / answers };
}
