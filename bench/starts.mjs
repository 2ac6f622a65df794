// @ts-check
import { join } from 'node:path';
import { FASTIFY, FLOOR, LATCHKEY, latchkey } from './contenders.mjs';
import { copyOf } from './databases.mjs';
import { ratios, spread, table } from './figures.mjs';
import { fromRoot, timeStart } from './process.mjs';

/** @typedef {Record<string, number[]>} Starts milliseconds from the spawn to the first answer, by program */

export const BARE_FASTIFY = `${FASTIFY}, one route`;
export const NEW_DATABASE = `${LATCHKEY}, new database`;

/**
 * @param {import('./databases.mjs').Database} database
 * @param {number} rounds
 * @param {string} folder
 */
export async function measureStarts(database, rounds, folder) {
  const path = copyOf(database, folder, 'starts');
  let fresh = 0;
  const programs = [
    () => ({ name: BARE_FASTIFY, argv: [fromRoot('bench/servers/fastify.mjs')] }),
    () => ({ name: FLOOR, argv: [fromRoot('bench/servers/floor.mjs'), path] }),
    () => ({ name: LATCHKEY, argv: latchkey(path) }),
    () => ({ name: NEW_DATABASE, argv: latchkey(join(folder, `fresh-${fresh++}.db`)) }),
  ];
  /** @type {Starts} */
  const starts = {};
  for (let round = 0; round < rounds; round++) {
    for (const program of programs.map((make) => make())) {
      (starts[program.name] ??= []).push(await timeStart(program));
    }
  }
  return starts;
}

/** @param {Starts} starts */
export function printStarts(starts) {
  const fastify = starts[BARE_FASTIFY] ?? [];
  console.log('\nFrom spawn to the first answer: median (least-most)\n');
  const rows = Object.entries(starts).map(([name, values]) => [
    name,
    spread(values),
    spread(ratios(values, fastify), 2),
  ]);
  console.log(table(['', 'ms', 'of Fastify'], rows));
}
