// @ts-check
import { fromRoot } from './process.mjs';

/**
 * A program to measure, on a database of its own.
 *
 * @typedef {object} Contender
 * @property {string} name
 * @property {(database: string) => string[]} argv what Node runs
 * @property {string[]} [operations] where it has not all of them
 * @property {string[]} [sizes] where it is not measured with all of them
 * @property {boolean} [own] whether it keeps its tokens in a database of its own making
 * @property {string} [package] the folder in `contenders/node_modules` without which it is not there
 */

const MAIN = fromRoot('dist/cli/main.js');

export const FLOOR = 'floor';
export const LATCHKEY = 'Latchkey';
export const CHECKED = 'Latchkey, answers checked';
export const FASTIFY = 'Fastify';

/** Those that need packages of their own, by the names that `--without` takes. @type {string[]} */
export const HEAVY = [];

/** In the order of the tables; the first is what the others are compared with. @type {Contender[]} */
const CONTENDERS = [
  { name: FLOOR, argv: (database) => [fromRoot('bench/servers/floor.mjs'), database] },
  { name: LATCHKEY, argv: (database) => latchkey(database) },
  { name: CHECKED, argv: (database) => latchkey(database, '--check-responses'), sizes: ['1 thousand'] },
  {
    name: FASTIFY,
    argv: (database) => [fromRoot('bench/servers/fastify.mjs'), database],
    sizes: ['1 thousand', '1 million'],
  },
];

/** @param {string} database @param {string[]} flags */
export function latchkey(database, ...flags) {
  return [MAIN, 'serve', '--port', '0', '--database', database, ...flags];
}

/** @param {string} size @param {string[]} without names of contenders, in lower case */
export function contendersAt(size, without) {
  return CONTENDERS.filter(
    ({ name, sizes }) => (sizes === undefined || sizes.includes(size)) && !without.includes(name.toLowerCase()),
  );
}
