// @ts-check
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LATCHKEY, latchkey } from './contenders.mjs';
import { BIG_OWNER, copyOf, prepareDatabase } from './databases.mjs';
import { median, slope, table } from './figures.mjs';
import { ask, toWire } from './load.mjs';
import { fromRoot, memoryOf, splitCores, start } from './process.mjs';
import { write, writeResults } from './results.mjs';
import { drawSoak } from './soak-chart.mjs';
import { SERIES } from './soak-series.mjs';
import { startTraffic } from './traffic.mjs';

// Sends mixed traffic for half an hour and measures whether the service's memory, files, log or latency grow.

/**
 * @typedef {object} Sample
 * @property {number} minute since the start
 * @property {number} memory bytes of the process
 * @property {number} heap bytes of V8's heap in use
 * @property {number} files open files
 * @property {number} log bytes of SQLite's write-ahead log
 * @property {number} rate requests per second
 * @property {number} p99 milliseconds
 */

const TOKENS = 100_000;
const RATE = 300;
const SAMPLES = 180;
/** Share of the time during which caches fill and V8 compiles code; ten minutes at most. */
const WARM_UP = 0.33;
const MOST_WARM_UP = 10;
const GROUP = 6;
/** Shortest run, in minutes, whose slope is meaningful. */
const TELLING = 10;

/** @param {{ minutes: number, publish: boolean }} wish @param {string} folder */
export async function soak({ minutes, publish }, folder) {
  const core = splitCores();
  const database = await prepareDatabase(TOKENS, folder);
  const path = copyOf(database, folder, 'soak');
  const heap = join(folder, 'heap');
  const argv = ['--import', fromRoot('bench/servers/heap.mjs'), ...latchkey(path)];
  const server = await start({ name: LATCHKEY, argv, env: { BENCH_HEAP: heap } }, core);
  /** @type {Sample[]} */
  const samples = [];
  /** @type {Record<string, number>} */
  const statuses = {};
  try {
    await fillCaches(server.url, database.real);
    const traffic = startTraffic(server.url, database.real, RATE);
    const begin = performance.now();
    const every = (minutes * 60_000) / SAMPLES;
    for (let index = 1; index <= SAMPLES; index++) {
      await sleep(Math.max(0, begin + index * every - performance.now()));
      const { requests, p99, statuses: some } = traffic.take();
      for (const [status, count] of Object.entries(some)) statuses[status] = (statuses[status] ?? 0) + count;
      samples.push({
        minute: (performance.now() - begin) / 60_000,
        memory: memoryOf(server.pid),
        heap: existsSync(heap) ? Number(readFileSync(heap, 'utf8')) || Number.NaN : Number.NaN,
        files: openFiles(server.pid),
        log: statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0,
        rate: requests / (every / 1_000),
        p99,
      });
    }
    await traffic.stop();
  } finally {
    await server.stop();
  }

  const warm = samples.filter(({ minute }) => minute >= Math.min(minutes * WARM_UP, MOST_WARM_UP));
  const growth = SERIES.map((series) => {
    const known = warm.filter((sample) => !Number.isNaN(sample[series.name]));
    const counted = series.name === 'heap' ? leastOf(known) : known;
    const values = counted.map((sample) => sample[series.name] / series.unit);
    return {
      ...{ label: series.label, median: median(values), most: Math.max(...values), allowed: series.most },
      inTenMinutes:
        10 *
        slope(
          counted.map(({ minute }) => minute),
          values,
        ),
    };
  });
  print(minutes, growth, statuses);
  const name = publish ? 'published-soak' : `soak-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`;
  const image = publish ? 'docs/images/soak.svg' : `bench/results/${name}.svg`;
  const results = { minutes, tokens: TOKENS, rate: RATE, statuses, growth, samples };
  console.log(`\n${writeResults(name, results)}, ${write(image, drawSoak(samples, minutes))}`);
}

/** The least of every few samples, which is what remains after garbage collections. @param {Sample[]} samples */
function leastOf(samples) {
  const groups = Array.from({ length: Math.floor(samples.length / GROUP) }, (_, index) =>
    samples.slice(index * GROUP, (index + 1) * GROUP),
  );
  return groups.map((group) => group.reduce((least, sample) => (sample.heap < least.heap ? sample : least)));
}

/** Fills SQLite's page cache, which grows up to a bound: a search reads many pages. @param {string} url @param {import('./databases.mjs').RealToken[]} tokens */
async function fillCaches(url, tokens) {
  const token = tokens.find(({ owner }) => owner === BIG_OWNER)?.plaintext ?? '';
  for (const sort of ['createdAt', 'name', 'expiresAt', 'lastUsedAt']) {
    const path = `/api/v1/access-tokens?q=nothing+has+this&sort=${sort}`;
    const { status } = await ask(url, toWire({ method: 'GET', path, token }));
    if (status !== 200) throw new Error(`GET ${path}: ${status}`);
  }
}

/** @param {number} pid */
function openFiles(pid) {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return Number.NaN;
  }
}

/**
 * @param {number} minutes
 * @param {{ label: string, median: number, most: number, inTenMinutes: number, allowed: number | undefined }[]} growth
 * @param {Record<string, number>} statuses
 */
function print(minutes, growth, statuses) {
  console.log(`\n${minutes} minutes of mixed traffic, ${RATE} requests/s; after warming up\n`);
  const rows = growth.map(({ label, median: middle, most, inTenMinutes, allowed }) => [
    ...[label, middle.toFixed(1), most.toFixed(1), inTenMinutes.toFixed(2)],
    allowed === undefined ? '' : inTenMinutes <= allowed ? 'no' : 'YES',
  ]);
  console.log(table(['', 'median', 'most', 'in ten minutes', 'grows'], rows));
  if (minutes < TELLING) console.log(`\na run of less than ${TELLING} minutes cannot show growth`);
  const answers = Object.entries(statuses).map(([status, count]) => `${count.toLocaleString('en')} x ${status}`);
  const failed = Object.entries(statuses).filter(([status]) => status === 'none' || Number(status) >= 500);
  console.log(`\nanswers: ${answers.join(', ')}: ${failed.length === 0 ? 'none failed' : 'SOME FAILED'}`);
  const log = growth.find(({ label }) => label.startsWith('write-ahead'))?.most ?? 0;
  console.log(`the write-ahead log stayed ${log < 16 ? 'below' : 'NOT BELOW'} 16 MiB`);
}
