import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { expect, test } from 'vitest';
import { send } from '../../support/http.js';
import { withChecksum } from '../../support/plaintext.js';
import { endure, expectTruth } from '../endure.js';
import { FULL, milliseconds, publish } from '../figures.js';
import { atOnce, TOKENS } from '../nodes.js';
import { type OwnServer, shareNodesOnOwnServer } from './own-server.js';

// PostgreSQL ends, hangs or refuses connections under three processes of the service, which serve again without a restart.

const ROUNDS = FULL ? 5 : 1;
/** Milliseconds for which PostgreSQL is gone, or has no free connection. */
const LASTS = FULL ? 1_500 : 300;

/** Milliseconds for which PostgreSQL hangs: longer than the 6 seconds after which the service gives a connection up. */
const HANGS = FULL ? 30_000 : 7_500;
/** Further requests that wait at each node at the same time. */
const WAITING = FULL ? 200 : 60;
/** Milliseconds: 5 seconds until a connection, and 6 until it answers. A run beside all other tests takes longer. */
const LONGEST_REQUEST = FULL ? 12_000 : 20_000;
const LONGEST_PROBE = FULL ? 2_000 : 10_000;
/** MiB by which a process may grow meanwhile. */
const GROWTH = 100;

/** A well-formed token, which is looked up. */
const UNKNOWN = withChecksum(`lk_pat_${'u'.repeat(30)}`);

const shared = shareNodesOnOwnServer();

/** Ends the server, waits and starts it again. Resolves when it accepts connections. */
async function away(server: OwnServer, end: () => Promise<void>): Promise<number> {
  await end();
  await sleep(LASTS);
  const [accepting] = await Promise.all([server.untilAccepting(), server.start()]);
  return accepting;
}

type Fault = [name: string, fault: (server: OwnServer) => Promise<number>];

const FAULTS: Fault[] = [
  ['kill -9 of PostgreSQL', (server) => away(server, () => server.kill())],
  [
    'pg_terminate_backend of all connections',
    async (server) => {
      await server.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'latchkey'");
      return performance.now();
    },
  ],
];

const FURTHER_FAULTS: Fault[] = [
  ['pg_ctl stop -m immediate', (server) => away(server, () => server.stop('immediate'))],
  ['pg_ctl restart', (server) => away(server, () => server.stop('fast'))],
  [
    'kill -9 of a backend',
    async (server) => {
      await server.killBackend();
      await sleep(LASTS);
      return await server.untilAccepting();
    },
  ],
];

test.each(FULL ? [...FAULTS, ...FURTHER_FAULTS] : FAULTS)(
  '%s loses nothing that was answered, and gives no answer but 503 or the truth',
  {
    timeout: 300_000,
  },
  async (name, fault) => {
    const nodes = await shared();
    const all = await endure('outages', name, nodes, () => fault(nodes.server), ROUNDS);
    for (const seen of all) expectTruth(seen);
  },
);

test('without a free connection (53300), changes wait or are 503, and what is read goes on', {
  timeout: 120_000,
}, async () => {
  const nodes = await shared();
  const takeAll = async () => {
    const taken: Client[] = [];
    for (let end = Number.POSITIVE_INFINITY; performance.now() < end; ) {
      const client = new Client(nodes.database);
      client.on('error', () => undefined);
      try {
        await client.connect();
        taken.push(client);
      } catch (error) {
        expect(error).toMatchObject({ code: '53300' });
        end = Math.min(end, performance.now() + LASTS);
        await sleep(10);
      }
    }
    for (const client of taken) await client.end();
    return performance.now();
  };
  const seen = await endure('outages', 'too many connections (53300)', nodes, takeAll, ROUNDS);
  for (const node of seen) expectTruth(node);
  for (const { valid, revoked } of seen) expect([...valid, ...revoked]).toEqual([200, 401]);
});

test('while PostgreSQL hangs, requests end with 503, probes are answered, and memory is bounded', {
  timeout: 300_000,
}, async () => {
  const nodes = await shared();
  const probes = { ready: new Set<number>(), healthy: new Set<number>(), slowest: 0 };
  const waiting = { statuses: new Set<number>(), slowest: 0, count: 0 };
  let growth = 0;
  const hang = async () => {
    const sizes = nodes.all.map(({ child }) => residentMiB(child.pid));
    let isOver = false;
    nodes.server.hang();
    const wait = async (index: number) => {
      while (!isOver) {
        const start = performance.now();
        const { status } = await send(nodes.at(index), `GET ${TOKENS}/current`, { token: UNKNOWN });
        waiting.statuses.add(status);
        waiting.slowest = Math.max(waiting.slowest, performance.now() - start);
        waiting.count++;
      }
    };
    const all = atOnce(WAITING * nodes.all.length, wait);
    // Before that, the server has answered some.
    await sleep(100);
    for (const end = performance.now() + HANGS - 100; performance.now() < end; ) {
      for (const [index, node] of nodes.all.entries()) {
        for (const [path, statuses] of [
          ['/readyz', probes.ready],
          ['/healthz', probes.healthy],
        ] as const) {
          const start = performance.now();
          statuses.add((await send(node, `GET ${path}`)).status);
          probes.slowest = Math.max(probes.slowest, performance.now() - start);
        }
        growth = Math.max(growth, residentMiB(node.child.pid) - (sizes[index] ?? 0));
      }
    }
    isOver = true;
    nodes.server.goOn();
    const from = performance.now();
    await all;
    return from;
  };
  const seen = await endure('outages', `SIGSTOP for ${milliseconds(HANGS)}`, nodes, hang);
  const slowest = Math.max(waiting.slowest, ...seen.map((node) => node.slowest));
  publish('outages', 'slowest request, of them all', milliseconds(slowest), `≤ ${milliseconds(LONGEST_REQUEST)}`);
  publish('outages', 'slowest probe', milliseconds(probes.slowest), `≤ ${milliseconds(LONGEST_PROBE)}`);
  const requests = String(waiting.count);
  publish(
    'outages',
    `a process grew by at most, with ${requests} requests waiting in turn`,
    `${String(growth)} MiB`,
    `≤ ${String(GROWTH)} MiB`,
  );
  for (const node of seen) expectTruth(node);
  expect([...waiting.statuses].filter((status) => ![401, 503].includes(status))).toEqual([]);
  expect(waiting.statuses).toContain(503);
  expect([...probes.ready]).toEqual([503]);
  expect([...probes.healthy]).toEqual([200]);
  expect(slowest).toBeLessThanOrEqual(LONGEST_REQUEST);
  expect(probes.slowest).toBeLessThanOrEqual(LONGEST_PROBE);
  expect(growth).toBeLessThanOrEqual(GROWTH);
});

function residentMiB(pid: number | undefined): number {
  return Math.round(Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1_024);
}
