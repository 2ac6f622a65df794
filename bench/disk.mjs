// @ts-check
import { join } from 'node:path';
import Driver from 'better-sqlite3';
import { LATCHKEY, latchkey } from './contenders.mjs';
import { copyOf } from './databases.mjs';
import { table } from './figures.mjs';
import { load } from './load.mjs';
import { OPERATIONS } from './operations.mjs';
import { start } from './process.mjs';

/**
 * Bytes for each token, of its tables and indexes. The events of the audit log do not count: they stay as long as the operator
 * wants.
 *
 * @typedef {object} Disk
 * @property {string} how the tokens were made
 * @property {number} tokens
 * @property {number} bytesPerToken
 * @property {Record<string, number>} parts
 * @property {number} bytesPerEvent 0 where no event was written
 */

const EVENTS = /^audit_/;

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
  const before = bytesIn(path);
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
  const added = Object.entries(bytesIn(path)).map(([name, bytes]) => [name, bytes - (before[name] ?? 0)]);
  return { ...diskOf('created through the API', tokens, Object.fromEntries(added)), path, real };
}

/** Measures a file that was filled by SQL. @param {import('./databases.mjs').Database} database @returns {Disk} */
export function measureFilled({ path, tokens }) {
  return diskOf('filled by SQL', tokens, bytesIn(path));
}

/** @param {string} how @param {number} tokens @param {Record<string, number>} bytes @returns {Disk} */
function diskOf(how, tokens, bytes) {
  const each = Object.entries(bytes).map(([name, all]) => /** @type {const} */ ([name, all / tokens]));
  const parts = each.filter(([name]) => !EVENTS.test(name));
  return {
    how,
    tokens,
    bytesPerToken: sum(parts),
    parts: Object.fromEntries(parts),
    bytesPerEvent: sum(each) - sum(parts),
  };
}

/** @param {(readonly [name: string, bytes: number])[]} parts */
const sum = (parts) => parts.reduce((total, [, bytes]) => total + bytes, 0);

/** The bytes of each table and index in a file. @param {string} path @returns {Record<string, number>} */
function bytesIn(path) {
  const database = new Driver(join(path), { readonly: true });
  try {
    const rows = database
      .prepare('select name, sum(pgsize) as bytes from dbstat group by name order by bytes desc')
      .all();
    return Object.fromEntries(/** @type {any[]} */ (rows).map(({ name, bytes }) => [name, bytes]));
  } finally {
    database.close();
  }
}

/** @param {Disk[]} disks */
export function printDisk(disks) {
  console.log('\nBytes on disk for a token, with its indexes\n');
  const rows = disks.flatMap(({ how, tokens, bytesPerToken, parts, bytesPerEvent }) => [
    [`${tokens.toLocaleString('en')} ${how}`, bytesPerToken.toFixed(0)],
    ...Object.entries(parts)
      .filter(([, bytes]) => bytes >= 1)
      .map(([name, bytes]) => [`  ${name}`, bytes.toFixed(0)]),
    ...(bytesPerEvent < 1 ? [] : [['  its event in the audit log, besides', bytesPerEvent.toFixed(0)]]),
  ]);
  console.log(table(['', 'bytes'], rows));
}
