// @ts-check
import { statSync } from 'node:fs';
import { join } from 'node:path';
import Driver from 'better-sqlite3';
import { LATCHKEY, latchkey } from './contenders.mjs';
import { copyOf } from './databases.mjs';
import { table } from './figures.mjs';
import { load } from './load.mjs';
import { OPERATIONS } from './operations.mjs';
import { start } from './process.mjs';

/**
 * Bytes of the file for each token, and of its tables and indexes.
 *
 * @typedef {object} Disk
 * @property {string} how the tokens were made
 * @property {number} tokens
 * @property {number} bytesPerToken
 * @property {Record<string, number>} parts
 */

/**
 * Measures a file in which `tokens` tokens are created through the API. What the file contained before does not count.
 *
 * @param {import('./databases.mjs').Database} database
 * @param {number} tokens
 * @param {string} folder
 * @returns {Promise<Disk & { path: string, real: import('./databases.mjs').RealToken[] }>}
 */
export async function measureWritten(database, tokens, folder) {
  const path = copyOf(database, folder, 'written');
  const before = statSync(path).size;
  const server = await start({ name: LATCHKEY, argv: latchkey(path) });
  const create = OPERATIONS.find(({ name }) => name === 'create');
  /** @type {import('./databases.mjs').RealToken[]} */
  const real = [];
  await load(server, {
    connections: 64,
    seconds: 600,
    status: 201,
    request: (index) => (index < tokens ? create?.request(database.real, index) : undefined),
    read(body) {
      const { plaintext, token } = JSON.parse(body);
      real.push({ plaintext, id: token.id, owner: '' });
    },
  });
  await server.stop();
  const bytesPerToken = (statSync(path).size - before) / tokens;
  return {
    how: 'created through the API',
    tokens,
    bytesPerToken,
    parts: partsOf(path, tokens + database.tokens),
    path,
    real,
  };
}

/** Measures a file that was filled by SQL. @param {import('./databases.mjs').Database} database @returns {Disk} */
export function measureFilled({ path, tokens }) {
  return {
    how: 'filled by SQL',
    tokens,
    bytesPerToken: statSync(path).size / tokens,
    parts: partsOf(path, tokens),
  };
}

/** @param {string} path @param {number} tokens @returns {Record<string, number>} */
function partsOf(path, tokens) {
  const database = new Driver(join(path), { readonly: true });
  try {
    const rows = database
      .prepare('select name, sum(pgsize) as bytes from dbstat group by name order by bytes desc')
      .all();
    return Object.fromEntries(/** @type {any[]} */ (rows).map(({ name, bytes }) => [name, bytes / tokens]));
  } catch {
    // This driver was built without dbstat.
    return {};
  } finally {
    database.close();
  }
}

/** @param {Disk[]} disks */
export function printDisk(disks) {
  console.log('\nBytes on disk for a token, with its indexes\n');
  const rows = disks.flatMap(({ how, tokens, bytesPerToken, parts }) => [
    [`${tokens.toLocaleString('en')} ${how}`, bytesPerToken.toFixed(0)],
    ...Object.entries(parts)
      .filter(([, bytes]) => bytes >= 1)
      .map(([name, bytes]) => [`  ${name}`, bytes.toFixed(0)]),
  ]);
  console.log(table(['', 'bytes'], rows));
}
