// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { contendersAt, FASTIFY, FLOOR, LATCHKEY } from './contenders.mjs';
import { copyOf } from './databases.mjs';
import { spread, table } from './figures.mjs';
import { load } from './load.mjs';
import { OPERATIONS } from './operations.mjs';
import { memoryOf, start } from './process.mjs';

/** @typedef {Record<string, number[]>} Memory bytes by contender: of a process at rest after some requests of each kind */

const REQUESTS_OF_EACH_KIND = 100;
/** Milliseconds after the last request and before the measurement. */
const REST = 2_000;

/**
 * @param {import('./databases.mjs').Database} database
 * @param {number} rounds
 * @param {string} folder
 */
export async function measureMemory(database, rounds, folder) {
  /** @type {Memory} */
  const memory = {};
  const contenders = contendersAt('1 thousand', []).filter(({ name }) => [FLOOR, FASTIFY, LATCHKEY].includes(name));
  for (let round = 0; round < rounds; round++) {
    for (const { name, argv } of contenders) {
      const server = await start({ name, argv: argv(copyOf(database, folder, `memory ${name}`)) });
      for (const { status, prepare, request } of OPERATIONS) {
        const tokens = prepare === undefined ? database.real : await prepare(server.url, database.real);
        const some = (/** @type {number} */ index) =>
          index < REQUESTS_OF_EACH_KIND ? request(tokens, index) : undefined;
        await load(server, { connections: 4, seconds: 60, status, request: some });
      }
      await sleep(REST);
      (memory[name] ??= []).push(memoryOf(server.pid));
      await server.stop();
    }
  }
  return memory;
}

/** @param {Memory} memory */
export function printMemory(memory) {
  console.log('\nMemory at rest, after some requests of each kind: median (least-most)\n');
  const rows = Object.entries(memory).map(([name, values]) => [name, spread(values.map((bytes) => bytes / 1e6))]);
  console.log(table(['', 'MB'], rows));
}
