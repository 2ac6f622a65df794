// @ts-check
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { fromRoot } from './process.mjs';

/**
 * Everything that a run measured.
 *
 * @typedef {object} Results
 * @property {string} at
 * @property {Machine} machine
 * @property {number} busy runnable processes (the load average) in the five minutes before the run
 * @property {Record<string, string>} versions
 * @property {import('./rounds.mjs').Effort} effort
 * @property {boolean} apart whether server and load had a core each
 * @property {import('./rounds.mjs').Figure[]} figures
 * @property {import('./starts.mjs').Starts} starts
 * @property {number[]} warmStarts milliseconds
 * @property {import('./memory.mjs').Memory} memory
 * @property {import('./disk.mjs').Disk[]} disks
 * @property {import('./last-used.mjs').LastUsed} [lastUsed]
 * @property {Record<string, import('./pages.mjs').Pages>} pages by size
 *
 * @typedef {{ processor: string, cores: number, memory: number, system: string, node: string, sqlite: string }} Machine
 */

const FOLDER = 'bench/results';

/** @param {string} sqlite @returns {Machine} */
export function describeMachine(sqlite) {
  const [first] = cpus();
  const system = `${process.platform} ${release()}`;
  return {
    processor: first?.model ?? '',
    cores: cpus().length,
    memory: totalmem(),
    system,
    node: process.version,
    sqlite,
  };
}

/** Runnable processes (the load average) in the last five minutes. */
export function readLoad() {
  return loadavg()[1] ?? 0;
}

/** @returns {Results} */
export function readPublished() {
  return JSON.parse(readFileSync(fromRoot(`${FOLDER}/published.json`), 'utf8'));
}

/** The versions of the compared products. */
export function readVersions() {
  const packages = [
    ['package.json', 'Latchkey'],
    ['node_modules/fastify/package.json', 'Fastify'],
    ['node_modules/better-sqlite3/package.json', 'better-sqlite3'],
  ];
  const contenders = JSON.parse(readFileSync(fromRoot('bench/contenders/package.json'), 'utf8')).dependencies;
  return {
    ...Object.fromEntries(
      packages.map(([path = '', name]) => [name, JSON.parse(readFileSync(fromRoot(path), 'utf8')).version]),
    ),
    ...contenders,
  };
}

/** @param {string} name @param {object} results @returns {string} the path */
export function writeResults(name, results) {
  return write(`${FOLDER}/${name}.json`, `${JSON.stringify(results, rounded)}\n`);
}

/** @param {string} path from the package's root @param {string} text */
export function write(path, text) {
  mkdirSync(dirname(fromRoot(path)), { recursive: true });
  writeFileSync(fromRoot(path), text);
  return path;
}

/** Keeps five digits of a fraction; no measurement is more precise. @param {string} _ @param {unknown} value */
function rounded(_, value) {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;
}
