// @ts-check
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { post } from './api.mjs';
import { closedLoop } from './closed-loop.mjs';
import { ratios, spread, table } from './figures.mjs';
import { openServer } from './postgres-databases.mjs';
import { fromRoot, start, startStopwatch, stopAll } from './process.mjs';

// Compares the processor time of a request with that in another checkout, whose `npm run build` has run. Both serve in
// turns, pair by pair, so that other programs on the machine slow both alike.
//
//   npm run build && npm run bench:against -- [--postgres] FOLDER [NAME...]
//
// FOLDER contains the other checkout. With NAMEs, only the loads whose names contain one of them run. With --postgres, both
// serve from one PostgreSQL, and the processor time of its server is measured too.

const ADMIN = { username: 'admin@latchkey.local', password: 'only for this benchmark' };
const TOKENS = 200;
const PAIRS = 15;
const SECONDS = 1;
/** Tokens that a round revokes: as many as it can in a second, about. */
const REVOKED = 2_000;
const PAGE = 200;
const API = '/api/v1/access-tokens';

/** @typedef {{ url: string, pid: number, plaintexts: string[], ids: string[] }} Service */
/**
 * @typedef {object} Load
 * @property {number} connections
 * @property {number} [pipelining]
 * @property {number} [requests] how many requests a round has; by default, as many as there is time for
 * @property {(service: Service) => ((count: number) => string) | Promise<(count: number) => string>} requestOf
 *
 * @typedef {{ time: number, rate: number, databaseTime: number }} Measured
 */

/** @type {Record<string, Load>} */
const LOADS = {
  verify: { connections: 64, requestOf: verification },
  'verify, 16 pipelined': { connections: 16, pipelining: 16, requestOf: verification },
  get: {
    connections: 64,
    requestOf: each(({ plaintexts, ids }, index) => text('GET', `${API}/${ids[index]}`, plaintexts[index])),
  },
  list: {
    connections: 16,
    requestOf: each(({ plaintexts }, index) => text('GET', `${API}?limit=50`, plaintexts[index])),
  },
  'list, 16 pipelined': {
    connections: 4,
    pipelining: 16,
    requestOf: each(({ plaintexts }, index) => text('GET', `${API}?limit=50`, plaintexts[index])),
  },
  create: {
    connections: 64,
    requestOf: creation,
  },
  revoke: {
    connections: 64,
    requests: REVOKED,
    async requestOf(service) {
      const ids = await createTokens(service, REVOKED);
      return (count) => text('DELETE', `${API}/${ids[count]}`, service.plaintexts[count % TOKENS]);
    },
  },
};

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { postgres: { type: 'boolean', default: false } },
});
const [other, ...wanted] = positionals;
if (other === undefined) throw new Error('usage: npm run bench:against -- [--postgres] FOLDER [NAME...]');
const postgres = options.postgres ? await openServer() : undefined;
const folder = mkdtempSync(join(tmpdir(), 'latchkey-against-'));
try {
  const services = await Promise.all([prepare(resolve(other), 'other'), prepare(fromRoot('.'), 'this')]);
  const rows = [];
  for (const [name, load] of Object.entries(LOADS)) {
    if (wanted.length > 0 && !wanted.some((part) => name.includes(part))) continue;
    /** @type {[Measured[], Measured[]]} */
    const measured = [[], []];
    for (const service of services) await measure(service, load);
    for (let pair = 0; pair < PAIRS; pair++) {
      // The two begin a pair in turns.
      for (const index of pair % 2 === 0 ? [0, 1] : [1, 0]) {
        measured[index]?.push(await measure(/** @type {Service} */ (services[index]), load));
      }
    }
    rows.push([name, ...compared(...measured, 'time', 1), compared(...measured, 'rate', 0)[2] ?? '']);
    if (postgres !== undefined) rows.push(['  PostgreSQL', ...compared(...measured, 'databaseTime', 1), '']);
  }
  console.log(`Node ${process.version}; median (least-most) of ${PAIRS} pairs of ${SECONDS} s\n`);
  console.log(table(['', 'us before', 'us now', 'ratio', 'requests/s, ratio'], rows));
} finally {
  stopAll();
  await postgres?.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** @param {Measured[]} before @param {Measured[]} now @param {keyof Measured} name @param {number} digits */
function compared(before, now, name, digits) {
  const [first, second] = [before, now].map((rounds) => rounds.map((round) => round[name]));
  if (first === undefined || second === undefined) return [];
  return [spread(first, digits), spread(second, digits), spread(ratios(second, first), 3)];
}

/** Starts the service of a checkout and creates tokens in it. @param {string} root @param {string} name @returns {Promise<Service>} */
async function prepare(root, name) {
  const database = postgres === undefined ? join(folder, `${name}.db`) : await postgres.create(`latchkey_${name}`);
  const argv = [join(root, 'dist/cli/main.js'), 'serve', '--port', '0', '--database', database];
  const { url, pid } = await start({ name, argv, env: { LATCHKEY_ADMIN_PASSWORD: ADMIN.password } });
  const { access_token: session } = await post(`${url}/api/v1/auth/login/`, ADMIN);
  const plaintexts = [];
  const ids = [];
  for (let index = 0; index < TOKENS; index++) {
    const { plaintext, token } = await post(url + API, { name: `token ${index}`, expiresInDays: 30 }, session);
    plaintexts.push(plaintext);
    ids.push(token.id);
  }
  return { url, pid, plaintexts, ids };
}

/** Creates tokens and returns their ids. @param {Service} service @param {number} count a multiple of a page */
async function createTokens(service, count) {
  await closedLoop(service.url, { connections: 64, seconds: 60, requests: count, request: creation(service) });
  const ids = [];
  for (let cursor = ''; ids.length < count; ) {
    const path = `${service.url}${API}?limit=${PAGE}${cursor && `&cursor=${cursor}`}`;
    const response = await fetch(path, { headers: { Authorization: `Bearer ${service.plaintexts[0]}` } });
    const page = await response.json();
    ids.push(...page.items.map((/** @type {{ id: string }} */ { id }) => id));
    cursor = encodeURIComponent(page.nextCursor);
  }
  return ids;
}

/** @param {Service} service */
function creation({ plaintexts }) {
  return (/** @type {number} */ count) =>
    text('POST', API, plaintexts[count % TOKENS], { name: `made ${count}`, expiresInDays: 30 });
}

/** @param {Service} service */
function verification(service) {
  return each(({ plaintexts }, index) =>
    text('POST', `${API}/verify`, plaintexts[index], { token: plaintexts[index] }),
  )(service);
}

/** Makes one request for each token beforehand. @param {(service: Service, index: number) => string} request */
function each(request) {
  return (/** @type {Service} */ service) => {
    const requests = service.plaintexts.map((_, index) => request(service, index));
    return (/** @type {number} */ count) => requests[count % TOKENS] ?? '';
  };
}

/** @param {string} method @param {string} path @param {string} [token] @param {object} [body] */
function text(method, path, token, body) {
  const json = body === undefined ? '' : JSON.stringify(body);
  const length = body === undefined ? '' : `Content-Type: application/json\r\nContent-Length: ${json.length}\r\n`;
  return `${method} ${path} HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer ${token}\r\n${length}\r\n${json}`;
}

/** Microseconds of processor time for a request, and requests per second. @param {Service} service @param {Load} load */
async function measure(service, { connections, pipelining = 1, requests = Number.POSITIVE_INFINITY, requestOf }) {
  const request = await requestOf(service);
  const timeOf = startStopwatch([service.pid]);
  const databaseTimeOf = startStopwatch(postgres?.pid === undefined ? [] : [postgres.pid]);
  const { latencies, broken, milliseconds } = await closedLoop(service.url, {
    connections,
    seconds: SECONDS,
    pipelining,
    requests,
    request,
  });
  const spent = timeOf();
  const databaseSpent = databaseTimeOf();
  const statuses = [...latencies.keys()];
  if (broken > 0 || statuses.some((status) => status > 299)) throw new Error(`${broken} broken, statuses ${statuses}`);
  const count = [...latencies.values()].flat().length;
  return { time: spent / count, rate: (count / milliseconds) * 1_000, databaseTime: databaseSpent / count };
}
