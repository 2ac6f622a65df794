// @ts-check
import { BETTER_AUTH, CHECKED, FASTIFY, FLOOR, LATCHKEY, ON_SQLITE } from './contenders.mjs';
import { median, ratios, table } from './figures.mjs';
import { valuesOf } from './report.mjs';
import { BARE_FASTIFY } from './starts.mjs';

/**
 * A figure that Latchkey should reach, and the measured one.
 *
 * @typedef {object} Bound
 * @property {string} what
 * @property {string} bound
 * @property {string} figure
 * @property {boolean} met
 * @property {string} byProcessor the same ratio of the server's processor time, which other programs disturb less
 *
 * @typedef {import('./results.mjs').Results} Results
 */

const SMALL = '1 thousand';
const READS = ['verify', 'me', 'get'];
const FLAT = ['verify', 'next 50', 'create'];

/** The bounds for which the run has figures. @param {Results} results @returns {Bound[]} */
export function boundsOf(results) {
  const { figures, starts, warmStarts, memory, disks, lastUsed } = results;
  /** @type {Bound[]} */
  const bounds = [];
  /** @param {string} what @param {number} figure @param {'>=' | '<='} relation @param {number} bound @param {string} [unit] @param {number} [byProcessor] */
  const add = (what, figure, relation, bound, unit = '', byProcessor = Number.NaN) => {
    if (Number.isNaN(figure)) return;
    const met = relation === '>=' ? figure >= bound : figure <= bound;
    const digits = unit === '' ? 2 : 0;
    bounds.push({
      what,
      bound: `${relation} ${bound}${unit}`,
      figure: `${figure.toFixed(digits)}${unit}`,
      met,
      byProcessor: Number.isNaN(byProcessor) ? '' : byProcessor.toFixed(2),
    });
  };
  /** @param {string} operation @param {number} connections @param {'rate' | 'cost' | 'p99'} of @param {string} other */
  const toOther = (operation, connections, of, other) => {
    const cell = figures.filter(
      (each) => each.size === SMALL && each.operation === operation && each.connections === connections,
    );
    return median(ratios(valuesOf(cell, LATCHKEY, of), valuesOf(cell, other, of)));
  };

  /** @param {string} what @param {string} operation @param {number} connections @param {string} other @param {number} bound */
  const addRate = (what, operation, connections, other, bound) => {
    const byProcessor = 1 / toOther(operation, connections, 'cost', other);
    add(what, toOther(operation, connections, 'rate', other), '>=', bound, '', byProcessor);
  };

  for (const connections of [64, 1]) {
    const suffix = `${connections} connection${connections === 1 ? '' : 's'}`;
    for (const read of READS) {
      addRate(`${read} of the floor, ${suffix}`, read, connections, FLOOR, 0.8);
      addRate(`${read} of Fastify, ${suffix}`, read, connections, FASTIFY, 0.85);
      addRate(`${read} of better-auth, ${suffix}`, read, connections, BETTER_AUTH, 20);
    }
    addRate(`list 50 of the floor, ${suffix}`, 'list 50', connections, FLOOR, 0.85);
  }
  for (const read of READS) add(`p99 of ${read} to the floor's, 64`, toOther(read, 64, 'p99', FLOOR), '<=', 1.5);
  addRate('create of the floor, 64 connections', 'create', 64, FLOOR, 2.5);
  add("p99 of create to the floor's, 64", toOther('create', 64, 'p99', FLOOR), '<=', 1);
  addRate('create of the floor, 1 connection', 'create', 1, FLOOR, 0.85);
  for (const read of [...READS, 'list 50']) {
    const checking = 1 / toOther(read, 64, 'cost', CHECKED);
    add(`processor time of ${read} with answers checked`, checking, '<=', 1.05);
  }

  const sizes = [...new Set(figures.map(({ size }) => size))];
  const largest = sizes.at(-1) ?? SMALL;
  if (largest !== SMALL) {
    for (const operation of FLAT) {
      const [small = Number.NaN, large = Number.NaN] = [SMALL, largest].map((size) =>
        median(valuesOf(cellOf(figures, size, operation), LATCHKEY, 'cost')),
      );
      add(`processor time of ${operation} with ${largest} to that with ${SMALL}`, large / small, '<=', 1.15);
    }
  }

  add('start to that of a bare Fastify', median(ratios(starts[LATCHKEY] ?? [], starts[BARE_FASTIFY] ?? [])), '<=', 1);
  add('startServer in a warm process', median(warmStarts), '<=', 15, ' ms');
  add('memory at rest', median(memory[LATCHKEY] ?? []) / 1e6, '<=', 90, ' MB');
  for (const { how, tokens, bytesPerToken } of disks) {
    add(`disk for a token, ${tokens.toLocaleString('en')} ${how}`, bytesPerToken, '<=', 250, ' bytes');
  }
  if (lastUsed !== undefined) {
    const { flushing, resting, requests, seconds, writes } = lastUsed;
    const of = (/** @type {'rate' | 'p99'} */ name) =>
      median(
        ratios(
          flushing.map((each) => each[name]),
          resting.map((each) => each[name]),
        ),
      );
    add(`lastUsedAt, ${requests.toLocaleString('en')} uses in ${seconds} s`, writes, '<=', 2, ' writes');
    add('p99 while uses are written', of('p99'), '<=', 1.3);
    add('requests/s while uses are written', of('rate'), '>=', 0.95);
  }
  return bounds;
}

/** @param {import('./rounds.mjs').Figure[]} figures @param {string} size @param {string} operation */
function cellOf(figures, size, operation) {
  return figures.filter((each) => each.size === size && each.operation === operation && each.connections === 64);
}

/** @param {Bound[]} bounds */
export function printBounds(bounds) {
  const rows = bounds.map(({ what, bound, figure, met, byProcessor }) => [
    what,
    bound,
    figure,
    met ? 'yes' : 'NO',
    byProcessor,
  ]);
  const met = bounds.filter((bound) => bound.met).length;
  console.log(`\n${met} of ${bounds.length} bounds are met; ratios are medians of pairs of neighbouring rounds\n`);
  console.log(table(['', 'bound', 'figure', 'met', 'by processor time'], rows));
}

/** The bounds of a run on PostgreSQL. @param {import('./rounds.mjs').Figure[]} figures @returns {Bound[]} */
export function boundsOnPostgres(figures) {
  /** @type {Bound[]} */
  const bounds = [];
  /** @param {string} size @param {string} operation @param {'rate' | 'cost'} of @param {string} other */
  const toOther = (size, operation, of, other) => {
    const cell = cellOf(figures, size, operation);
    return median(ratios(valuesOf(cell, LATCHKEY, of), valuesOf(cell, other, of)));
  };
  for (const size of new Set(figures.map((figure) => figure.size))) {
    for (const [operation, bound] of /** @type {const} */ ([
      ['verify', 0.85],
      ['create', 1],
    ])) {
      const figure = toOther(size, operation, 'rate', FLOOR);
      bounds.push({
        what: `${operation} of the floor, 64 connections, ${size}`,
        bound: `>= ${bound}`,
        figure: figure.toFixed(2),
        met: figure >= bound,
        byProcessor: (1 / toOther(size, operation, 'cost', FLOOR)).toFixed(2),
      });
    }
  }
  const toSqlite = toOther(SMALL, 'verify', 'cost', ON_SQLITE);
  if (!Number.isNaN(toSqlite)) {
    const what = "processor time of verify to SQLite's, 64 connections";
    bounds.push({ what, bound: '<= 2', figure: toSqlite.toFixed(2), met: toSqlite <= 2, byProcessor: '' });
  }
  return bounds;
}
