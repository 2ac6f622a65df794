// @ts-check
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { post } from './api.mjs';
import { closedLoop } from './closed-loop.mjs';
import { ratios, spread, table } from './figures.mjs';
import { fromRoot, start, startStopwatch, stopAll } from './process.mjs';

// Compares the processor time of a request with that in another checkout, whose `npm run build` has run. Both serve in
// turns, pair by pair, so that other programs on the machine slow both alike.
//
//   npm run build && npm run bench:against -- FOLDER [NAME...]
//
// FOLDER contains the other checkout. With NAMEs, only the loads whose names contain one of them run.

const ADMIN = { username: 'admin@latchkey.local', password: 'only for this benchmark' };
const TOKENS = 200;
const PAIRS = 15;
const SECONDS = 1;
const API = '/api/v1/access-tokens';

/** @typedef {{ url: string, pid: number, plaintexts: string[], ids: string[] }} Service */
/** @typedef {{ connections: number, pipelining?: number, requestOf: (service: Service) => (count: number) => string }} Load */

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
    requestOf:
      ({ plaintexts }) =>
      (count) =>
        text('POST', API, plaintexts[count % TOKENS], { name: `made ${count}`, expiresInDays: 30 }),
  },
};

const [other, ...wanted] = process.argv.slice(2);
if (other === undefined) throw new Error('usage: npm run bench:against -- FOLDER [NAME...]');
const folder = mkdtempSync(join(tmpdir(), 'latchkey-against-'));
try {
  const services = await Promise.all([prepare(resolve(other), 'other'), prepare(fromRoot('.'), 'this')]);
  const rows = [];
  for (const [name, load] of Object.entries(LOADS)) {
    if (wanted.length > 0 && !wanted.some((part) => name.includes(part))) continue;
    /** @type {{ time: number[], rate: number[] }[]} */
    const measured = services.map(() => ({ time: [], rate: [] }));
    for (const service of services) await measure(service, load);
    for (let pair = 0; pair < PAIRS; pair++) {
      // The two begin a pair in turns.
      for (const index of pair % 2 === 0 ? [0, 1] : [1, 0]) {
        const { time, rate } = await measure(/** @type {Service} */ (services[index]), load);
        measured[index]?.time.push(time);
        measured[index]?.rate.push(rate);
      }
    }
    const [before = { time: [], rate: [] }, now = before] = measured;
    rows.push([
      name,
      spread(before.time, 1),
      spread(now.time, 1),
      spread(ratios(now.time, before.time), 3),
      spread(ratios(now.rate, before.rate), 2),
    ]);
  }
  console.log(`Node ${process.version}; median (least-most) of ${PAIRS} pairs of ${SECONDS} s\n`);
  console.log(table(['', 'us before', 'us now', 'ratio', 'requests/s, ratio'], rows));
} finally {
  stopAll();
  rmSync(folder, { recursive: true, force: true });
}

/** Starts the service of a checkout and creates tokens in it. @param {string} root @param {string} name @returns {Promise<Service>} */
async function prepare(root, name) {
  const argv = [join(root, 'dist/cli/main.js'), 'serve', '--port', '0', '--database', join(folder, `${name}.db`)];
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
async function measure(service, { connections, pipelining = 1, requestOf }) {
  const timeOf = startStopwatch([service.pid]);
  const { latencies, broken, milliseconds } = await closedLoop(service.url, {
    connections,
    seconds: SECONDS,
    pipelining,
    request: requestOf(service),
  });
  const spent = timeOf();
  const statuses = [...latencies.keys()];
  if (broken > 0 || statuses.some((status) => status > 299)) throw new Error(`${broken} broken, statuses ${statuses}`);
  const count = [...latencies.values()].flat().length;
  return { time: spent / count, rate: (count / milliseconds) * 1_000 };
}
