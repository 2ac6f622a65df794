// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import Driver from 'better-sqlite3';
import { LATCHKEY, latchkey } from './contenders.mjs';
import { ratios, spread, table } from './figures.mjs';
import { load, toWire } from './load.mjs';
import { start } from './process.mjs';

/**
 * The cost of `lastUsedAt`.
 *
 * @typedef {object} LastUsed
 * @property {number} requests with one token, within `seconds`
 * @property {number} seconds
 * @property {number} writes that these requests caused
 * @property {import('./load.mjs').Round[]} flushing rounds during which the uses of many tokens are written
 * @property {import('./load.mjs').Round[]} resting the same requests while there is nothing to write
 */

const REQUESTS_A_SECOND = 1_000;
/** Milliseconds between two bursts. */
const BEAT = 10;
/** Milliseconds until all uses are written. */
const SETTLED = 4_000;

/**
 * @param {string} path of a database with many tokens of which the plaintext is known
 * @param {import('./databases.mjs').RealToken[]} tokens
 * @param {{ rounds: number, core: string | undefined }} setting
 * @returns {Promise<LastUsed>}
 */
export async function measureLastUsed(path, tokens, { rounds, core }) {
  const server = await start({ name: LATCHKEY, argv: latchkey(path) }, core);
  // A second connection: it resets the uses, waits for the server's lock, and sees the server's commits.
  const database = new Driver(path, { timeout: 10_000 });
  const requests = tokens.map(({ plaintext: token }) => toWire({ method: 'GET', path: '/api/v1/auth/me', token }));
  const all = (/** @type {number} */ index) => requests[index];
  const round = () => load(server, { connections: 64, seconds: 600, status: 200, request: all });
  try {
    const flushing = [];
    const resting = [];
    for (let index = -1; index < rounds; index++) {
      database.prepare('update access_tokens set last_used_at = null').run();
      const [first, second] = [await round(), (await sleep(SETTLED), await round())];
      // The first round warms up.
      if (index < 0) continue;
      flushing.push(first);
      resting.push(second);
    }
    await sleep(SETTLED);
    database.prepare('update access_tokens set last_used_at = null').run();
    return { ...(await countWrites(server, database, requests[0] ?? '')), flushing, resting };
  } finally {
    database.close();
    await server.stop();
  }
}

/** @param {import('./process.mjs').Running} server @param {Driver.Database} database @param {string} request */
async function countWrites(server, database, request) {
  const seconds = 10;
  const version = () => database.pragma('data_version', { simple: true });
  let [seen, writes, requests] = [version(), 0, 0];
  const begin = performance.now();
  while (performance.now() - begin < seconds * 1_000) {
    const due = Math.floor(((performance.now() - begin) / 1_000) * REQUESTS_A_SECOND) - requests;
    if (due > 0) {
      const wish = { connections: Math.min(due, 4), seconds: 60, status: 200 };
      await load(server, { ...wish, request: (index) => (index < due ? request : undefined) });
      requests += due;
    }
    // `data_version` changes with each commit of another connection.
    const now = version();
    if (now !== seen) writes++;
    seen = now;
    await sleep(BEAT);
  }
  return { requests, seconds, writes };
}

/** @param {LastUsed} lastUsed */
export function printLastUsed({ requests, seconds, writes, flushing, resting }) {
  console.log(
    `\n${requests.toLocaleString('en')} requests of one token in ${seconds} s: lastUsedAt written ${writes} times\n`,
  );
  const of = (/** @type {'rate' | 'p99'} */ name) =>
    [flushing, resting].map((rounds) => rounds.map((each) => each[name]));
  const rows = /** @type {const} */ (['rate', 'p99']).map((name) => {
    const [on = [], off = []] = of(name);
    const digits = name === 'rate' ? 0 : 2;
    return [
      name === 'rate' ? 'requests/s' : 'p99 ms',
      spread(on, digits),
      spread(off, digits),
      spread(ratios(on, off), 2),
    ];
  });
  console.log(table(['many tokens, 64 connections', 'being written', 'nothing to write', 'ratio'], rows));
}
