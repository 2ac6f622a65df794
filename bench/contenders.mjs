// @ts-check
import { readFileSync } from 'node:fs';
import { toWire } from './load.mjs';
import { fromRoot } from './process.mjs';

/**
 * A program to measure, on a database of its own.
 *
 * @typedef {import('./databases.mjs').RealToken} RealToken
 *
 * @typedef {object} Contender
 * @property {string} name
 * @property {(database: string) => string[]} argv what Node runs
 * @property {string[]} [sizes] the databases that it is measured with; all by default
 * @property {string[]} [operations] the ones that it implements; all by default
 * @property {boolean} [manyCores] whether it may use every core
 * @property {number} [processes] that share its database; 1 by default
 * @property {Engine} [engine] the database server; without one the database is a copied file
 * @property {import('./databases.mjs').Database} [database] its own database, with as many tokens as that of the others
 * @property {Foreign} [foreign] for another product, with another API
 *
 * @typedef {object} Engine
 * @property {number | undefined} pid
 * @property {(name: string) => Promise<string>} copy makes a copy of the database and returns its URL
 * @property {(copy: string) => Promise<void>} remove
 *
 * @typedef {object} Foreign
 * @property {Record<string, (tokens: RealToken[], index: number) => string>} requests by operation; other operations are not measured
 * @property {(database: string) => RealToken[]} [tokens] reads its own tokens; by default it knows the database's
 */

export const FLOOR = 'floor';
export const LATCHKEY = 'Latchkey';
export const ON_SQLITE = 'Latchkey on SQLite';
export const CHECKED = 'Latchkey, answers checked';
export const FASTIFY = 'Fastify';
export const BETTER_AUTH = 'better-auth';
const PRISM = 'Prism';

/** The contenders that need packages of their own, by the names that `--without` takes. */
export const HEAVY = [BETTER_AUTH, PRISM].map((name) => name.toLowerCase());

const MAIN = fromRoot('dist/cli/main.js');
const ONLY_SMALL = ['1 thousand'];

/** In the order of the tables; ratios are to the first one. @type {Contender[]} */
const CONTENDERS = [
  { name: FLOOR, argv: (database) => [fromRoot('bench/servers/floor.mjs'), database] },
  { name: LATCHKEY, argv: (database) => latchkey(database) },
  { name: CHECKED, argv: (database) => latchkey(database, '--check-responses'), sizes: ONLY_SMALL },
  {
    name: FASTIFY,
    argv: (database) => [fromRoot('bench/servers/fastify.mjs'), database],
    sizes: [...ONLY_SMALL, '1 million'],
  },
  {
    name: BETTER_AUTH,
    argv: (database) => [
      fromRoot('bench/contenders/better-auth.mjs'),
      ownFiles(database).path,
      ownFiles(database).keys,
    ],
    sizes: ONLY_SMALL,
    foreign: {
      tokens: (database) => JSON.parse(readFileSync(ownFiles(database).keys, 'utf8')),
      requests: {
        me: (tokens, index) => withKey('/api/auth/get-session', at(tokens, index)),
        get: (tokens, index) => withKey(`/api/auth/api-key/get?id=${at(tokens, index).id}`, at(tokens, index)),
        'list 50': (tokens, index) => withKey('/api/auth/api-key/list?limit=50', at(tokens, index)),
        // Its verification authenticates no caller.
        verify: (tokens, index) =>
          toWire({ method: 'POST', path: '/verify', body: { token: at(tokens, index).plaintext } }),
      },
    },
  },
  {
    name: PRISM,
    argv: () => [fromRoot('bench/contenders/prism.mjs'), fromRoot('openapi.yaml')],
    sizes: ONLY_SMALL,
    foreign: {
      requests: {
        me: (tokens, index) => toWire({ method: 'GET', path: '/api/v1/auth/me', token: at(tokens, index).plaintext }),
        verify: (tokens, index) => {
          const { plaintext } = at(tokens, index);
          const body = { token: plaintext };
          return toWire({ method: 'POST', path: '/api/v1/access-tokens/verify', token: plaintext, body });
        },
      },
    },
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

/** The contender's own files, beside its copy of the database. @param {string} database */
function ownFiles(database) {
  return { path: `${database}.own`, keys: `${database}.keys.json` };
}

/** @param {string} path @param {RealToken} token */
function withKey(path, { plaintext }) {
  return toWire({ method: 'GET', path, key: plaintext });
}

/** @param {RealToken[]} tokens @param {number} index */
function at(tokens, index) {
  return /** @type {RealToken} */ (tokens[index % tokens.length]);
}
