// @ts-check
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { post } from './api.mjs';
import { closedLoop, quantile } from './closed-loop.mjs';
import { ratios, spread, table } from './figures.mjs';
import { fromRoot, start, stopAll } from './process.mjs';

// Compares two workers with one. The load runs on the same cores as the service: on two cores, two workers share them with
// the load and gain less than they would on two cores of their own.
//
//   npm run build && npm run bench:workers

const ADMIN = { username: 'admin@latchkey.local', password: 'only for this benchmark' };
const WORKERS = ['1', '2'];
const TOKENS = 200;
const CONNECTIONS = 64;
const ROUNDS = 5;
const SECONDS = 3;
const API = '/api/v1/access-tokens';

/** @typedef {{ url: string, plaintexts: string[], stop: () => Promise<void> }} Service */
/** @typedef {{ rate: number[], p99: number[] }} Measured */

/** @type {Record<string, (service: Service) => (count: number) => string>} */
const LOADS = {
  verify: ({ plaintexts }) => {
    const requests = plaintexts.map((token) => rawPost(`${API}/verify`, { token }, token));
    return (count) => requests[count % TOKENS] ?? '';
  },
  create:
    ({ plaintexts }) =>
    (count) =>
      rawPost(API, { name: `made ${count}`, expiresInDays: 30 }, plaintexts[count % TOKENS]),
};

const folder = mkdtempSync(join(tmpdir(), 'latchkey-workers-'));
try {
  const services = await Promise.all(WORKERS.map(prepare));
  console.log(
    `Node ${process.version}, ${cpus().length} cores, which service and load share; ${CONNECTIONS} connections,`,
  );
  console.log(`median (least-most) of ${ROUNDS} rounds of ${SECONDS} s\n`);
  const rows = [];
  for (const [name, requestOf] of Object.entries(LOADS)) {
    /** @type {Measured[]} */
    const measured = WORKERS.map(() => ({ rate: [], p99: [] }));
    for (let round = -1; round < ROUNDS; round++) {
      for (const [index, service] of services.entries()) {
        const { rate, p99 } = await measure(service, requestOf(service), round < 0 ? 1 : SECONDS);
        if (round < 0) continue;
        measured[index]?.rate.push(rate);
        measured[index]?.p99.push(p99);
      }
    }
    const base = measured[0]?.rate ?? [];
    for (const [index, { rate, p99 }] of measured.entries()) {
      rows.push([name, WORKERS[index] ?? '', spread(rate), spread(ratios(rate, base), 2), spread(p99, 1)]);
    }
  }
  for (const { stop } of services) await stop();
  console.log(table(['', 'workers', 'requests/s', 'of one worker', 'p99 in ms'], rows));
} finally {
  stopAll();
  rmSync(folder, { recursive: true, force: true });
}

/** Starts a service and creates tokens in it. @param {string} workers @returns {Promise<Service>} */
async function prepare(workers) {
  const database = join(folder, `${workers}.db`);
  const argv = [fromRoot('dist/cli/main.js'), 'serve', '--port', '0', '--database', database, '--workers', workers];
  const env = { LATCHKEY_ADMIN_PASSWORD: ADMIN.password };
  const { url, stop } = await start({ name: `${workers} workers`, argv, env });
  const { access_token: session } = await post(`${url}/api/v1/auth/login/`, ADMIN);
  const plaintexts = [];
  for (let index = 0; index < TOKENS; index++) {
    const { plaintext } = await post(url + API, { name: `token ${index}`, expiresInDays: 30 }, session);
    plaintexts.push(plaintext);
  }
  return { url, stop, plaintexts };
}

/** @param {string} path @param {object} body @param {string} [token] */
function rawPost(path, body, token) {
  const text = JSON.stringify(body);
  return `POST ${path} HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\nAuthorization: Bearer ${token}\r\n\r\n${text}`;
}

/** Measures one round. Throws unless every answer is a success. @param {Service} service @param {(count: number) => string} request @param {number} seconds */
async function measure({ url }, request, seconds) {
  const { latencies, broken, milliseconds } = await closedLoop(url, { connections: CONNECTIONS, seconds, request });
  const statuses = [...latencies.keys()];
  if (broken > 0 || statuses.some((status) => status > 299)) throw new Error(`${broken} broken, statuses ${statuses}`);
  const values = [...latencies.values()].flat();
  return { rate: (values.length / milliseconds) * 1_000, p99: quantile(values, 0.99) };
}
