// @ts-check
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { closedLoop, quantile } from './closed-loop.mjs';
import { table } from './figures.mjs';
import { fromRoot, splitCores, start, stopAll } from './process.mjs';

// Sends Latchkey more than it can serve. Each case starts a new server on one core; the load runs on the other.
//
//   npm run build && npm run overload [-- <part of a case's name>...]

const ADMIN = { username: 'admin@latchkey.local', password: 'only for this benchmark' };
const TOKENS = 500;
const SECONDS = 6;
const API = '/api/v1/access-tokens';

/** @typedef {import('./process.mjs').Running & { plaintexts: string[], ids: string[] }} Service */

const wanted = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'latchkey-overload-'));
const core = splitCores();
console.log(
  `Node ${process.version}; ${core === undefined ? 'server and load share the cores' : 'server and load have a core each'}\n`,
);

/** @type {Record<string, (service: Service) => Promise<string[][]>>} */
const CASES = {
  'verify, 64 connections': (service) => flood(service, 64, verification(service)),
  'verify, 1,000 connections': (service) => flood(service, 1_000, verification(service)),
  'verify, 1,000 connections, 10 pipelined': (service) => flood(service, 1_000, verification(service), 10),
  'list of 100, 1,000 connections': (service) =>
    flood(service, 1_000, () => get(`${API}?limit=100`, service.plaintexts[0])),
  'create, 64 connections': (service) => flood(service, 64, creation(service)),
  'create, 1,000 connections': (service) => flood(service, 1_000, creation(service)),
  'log in, 1,000 connections': (service) => flood(service, 1_000, login),
  '10,000 idle connections': idle,
  '400 slow senders and readers': slow,
  'a reader that never reads': neverReading,
};

try {
  for (const [name, run] of Object.entries(CASES)) {
    if (wanted.length > 0 && !wanted.some((part) => name.includes(part))) continue;
    const service = await prepare(join(folder, `${name.replace(/\W+/g, '-')}.db`));
    const rows = await run(service);
    await service.stop();
    console.log(`${name}\n\n${table(['', ''], rows)}\n`);
  }
} finally {
  stopAll();
  rmSync(folder, { recursive: true, force: true });
}

/** Starts a service and creates tokens in it. @param {string} database @returns {Promise<Service>} */
async function prepare(database) {
  const argv = [fromRoot('dist/cli/main.js'), 'serve', '--port', '0', '--database', database];
  const server = await start({ name: 'Latchkey', argv, env: { LATCHKEY_ADMIN_PASSWORD: ADMIN.password } }, core);
  const answer = await fetch(`${server.url}/api/v1/auth/login/`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(ADMIN),
  });
  const { access_token: session } = /** @type {{ access_token: string }} */ (await answer.json());
  const plaintexts = [];
  const ids = [];
  for (let index = 0; index < TOKENS; index++) {
    const created = await fetch(server.url + API, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${session}` },
      body: JSON.stringify({ name: `token ${index}`, expiresInDays: 30 }),
    });
    const { plaintext, token } = /** @type {{ plaintext: string, token: { id: string } }} */ (await created.json());
    plaintexts.push(plaintext);
    ids.push(token.id);
  }
  return { ...server, plaintexts, ids };
}

/** @param {string} path @param {string} [token] */
function get(path, token) {
  const credential = token === undefined ? '' : `Authorization: Bearer ${token}\r\n`;
  return `GET ${path} HTTP/1.1\r\nHost: here\r\n${credential}\r\n`;
}

/** @param {string} path @param {object} body @param {string} [token] */
function post(path, body, token) {
  const text = JSON.stringify(body);
  const credential = token === undefined ? '' : `Authorization: Bearer ${token}\r\n`;
  return `POST ${path} HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n${credential}\r\n${text}`;
}

/** @param {Service} service */
function verification({ plaintexts }) {
  const requests = plaintexts.map((token) => post(`${API}/verify`, { token }, token));
  return (/** @type {number} */ count) => requests[count % requests.length] ?? '';
}

/** @param {Service} service */
function creation({ plaintexts }) {
  return (/** @type {number} */ count) =>
    post(API, { name: `made ${count}`, expiresInDays: 30 }, plaintexts[count % TOKENS]);
}

/** @param {number} count */
function login(count) {
  return post('/api/v1/auth/login/', { username: `nobody${count % 9}@example.org`, password: 'a wrong password' });
}

/**
 * @param {Service} service
 * @param {number} connections
 * @param {(count: number) => string} request
 * @param {number} [pipelining]
 */
async function flood(service, connections, request, pipelining = 1) {
  const before = memory(service);
  const watch = watchers(service);
  await sleep(300);
  const { latencies, broken, milliseconds } = await closedLoop(service.url, {
    connections,
    seconds: SECONDS,
    request,
    pipelining,
  });
  const most = memory(service);
  const watched = await watch();
  await sleep(1_000);
  const after = watchers(service);
  await sleep(500);
  const recovered = await after();
  return [
    ...[...latencies]
      .sort()
      .map(([status, values]) => [
        `${status}`,
        `${Math.round((values.length / milliseconds) * 1_000).toLocaleString('en')}/s, ${timesOf(values)}`,
      ]),
    ['connections broken', `${broken}`],
    ...watched,
    ...recovered.map(([name = '', value = '']) => [`1 s later: ${name}`, value]),
    ['memory', `${before} -> ${most} MiB`],
  ];
}

/** Requests the probes and one authenticated read until the returned function is called. @param {Service} service */
function watchers(service) {
  const [token = ''] = service.plaintexts;
  const asked = {
    '/healthz': {},
    '/readyz': {},
    [API + '/current']: { Authorization: `Bearer ${token}` },
  };
  const workers = Object.entries(asked).map(([path, headers]) => ({
    path,
    worker: new Worker(new URL('./probe.mjs', import.meta.url), { workerData: { url: service.url + path, headers } }),
  }));
  return async () =>
    await Promise.all(
      workers.map(async ({ path, worker }) => {
        worker.postMessage('stop');
        const [{ latencies, statuses }] = await once(worker, 'message');
        return [path, `${JSON.stringify(statuses)}, ${timesOf(latencies)}`];
      }),
    );
}

/** @param {Service} service */
async function idle(service) {
  const before = memory(service);
  const sockets = await openMany(service, 10_000, '');
  const open = sockets.filter((socket) => !socket.destroyed).length;
  const watch = watchers(service);
  await sleep(3_000);
  const rows = await watch();
  const most = memory(service);
  for (const socket of sockets) socket.destroy();
  return [['connections', `${open} open`], ...rows, ['memory', `${before} -> ${most} MiB`]];
}

/** @param {Service} service */
async function slow(service) {
  const before = memory(service);
  const head =
    'POST /api/v1/auth/login/ HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n{';
  const begin = performance.now();
  const senders = await openMany(service, 200, head);
  const readers = await openMany(service, 200, get('/openapi.json').repeat(4));
  for (const reader of readers) reader.pause();
  const closed = Promise.all(
    senders.map(
      (socket) => new Promise((resolve) => (socket.destroyed ? resolve(true) : socket.once('close', resolve))),
    ),
  );
  const drip = setInterval(() => {
    for (const socket of senders) if (!socket.destroyed) socket.write(' ');
  }, 500);
  const watch = watchers(service);
  await closed;
  clearInterval(drip);
  const seconds = (performance.now() - begin) / 1_000;
  const rows = await watch();
  const most = memory(service);
  for (const socket of readers) socket.destroy();
  return [['slow senders closed after', `${seconds.toFixed(1)} s`], ...rows, ['memory', `${before} -> ${most} MiB`]];
}

/** @param {Service} service */
async function neverReading(service) {
  const before = memory(service);
  const sockets = await openMany(service, 50, '');
  const [token] = service.plaintexts;
  const requests = get(`${API}?limit=100`, token).repeat(20);
  const watch = watchers(service);
  const end = performance.now() + SECONDS * 1_000;
  let most = before;
  while (performance.now() < end) {
    for (const socket of sockets) {
      socket.pause();
      if (!socket.destroyed && socket.writableLength < 1e6) socket.write(requests);
    }
    most = Math.max(most, memory(service));
    await sleep(20);
  }
  const rows = await watch();
  const open = sockets.filter((socket) => !socket.destroyed).length;
  for (const socket of sockets) socket.destroy();
  return [['connections', `50, ${open} still open`], ...rows, ['memory', `${before} -> ${most} MiB`]];
}

/** @param {Service} service @param {number} count @param {string} text */
async function openMany({ url }, count, text) {
  const { hostname, port } = new URL(url);
  const sockets = [];
  while (sockets.length < count) {
    const some = Array.from({ length: Math.min(200, count - sockets.length) }, async () => {
      const socket = connect({ host: hostname, port: Number(port) });
      await new Promise((resolve) => {
        socket.once('connect', resolve).on('error', resolve);
      });
      if (text !== '') socket.write(text);
      return socket;
    });
    sockets.push(...(await Promise.all(some)));
  }
  return sockets;
}

/** @param {number[]} values */
function timesOf(values) {
  const [p50, p99, most] = [0.5, 0.99, 1].map((share) => quantile(values, share).toFixed(1));
  return `p50 ${p50} ms, p99 ${p99} ms, worst ${most} ms`;
}

/** Resident memory in MiB; NaN without /proc. @param {Service} service */
function memory({ pid }) {
  try {
    const [, kilobytes] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Math.round(Number(kilobytes) / 1_024);
  } catch {
    return Number.NaN;
  }
}
