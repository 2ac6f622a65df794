// @ts-check
import { readFileSync } from 'node:fs';
import { BETTER_AUTH, FASTIFY, FLOOR, LATCHKEY, ON_SQLITE } from './contenders.mjs';
import { median, ratios, table } from './figures.mjs';
import { fromRoot } from './process.mjs';
import { cellsOf, valuesOf } from './report.mjs';
import { write } from './results.mjs';
import { BARE_FASTIFY } from './starts.mjs';

// Writes the figures of the published run between the two marks of each document that shows them.

/**
 * @typedef {import('./results.mjs').Results} Results
 * @typedef {Pick<Results, 'at' | 'machine' | 'busy' | 'effort' | 'figures'> & { postgres: string, processes: Results['figures'] }} PostgresResults
 */

const SIZE = '1 thousand';
const CONNECTIONS = 64;
/** From this load average of other programs on, requests per second cannot be compared. */
export const BUSY = 0.7;
const PERFORMANCE = 'docs/operate/performance.md';
const MARKED = /(<!-- figures -->\n)[^]*?(<!-- \/figures -->)/;
const MARKED_POSTGRES = /(<!-- postgres -->\n)[^]*?(<!-- \/postgres -->)/;

/** @param {Results} results @returns {string} the paths */
export function refreshDocuments(results) {
  return [refresh('README.md', shortTable(results)), refresh(PERFORMANCE, figuresOf(results))].join(', ');
}

/** Writes the figures of a run on PostgreSQL. @param {PostgresResults} results @returns {string} the path */
export function refreshPostgres(results) {
  return refresh(PERFORMANCE, onPostgres(results), MARKED_POSTGRES);
}

/** @param {string} path @param {string} figures @param {RegExp} marked */
function refresh(path, figures, marked = MARKED) {
  const text = readFileSync(fromRoot(path), 'utf8');
  if (!marked.test(text)) throw new Error(`${path} has no marks around the figures`);
  return write(
    path,
    text.replace(marked, (_, begin, end) => `${begin}\n${figures}\n\n${end}`),
  );
}

/** @param {Results} results */
function rowsOf({ figures }) {
  const cells = cellsOf(figures.filter(({ size, connections }) => size === SIZE && connections === CONNECTIONS));
  return cells.map(({ operation, figures: cell }) => {
    const values = (/** @type {string} */ contender, /** @type {'rate' | 'cost' | 'p99'} */ of) =>
      valuesOf(cell, contender, of);
    const share = (/** @type {string} */ contender) =>
      toText(median(ratios(values(contender, 'rate'), values(FLOOR, 'rate'))), 2);
    return {
      operation,
      rate: toText(median(values(LATCHKEY, 'rate'))),
      shares: { latchkey: share(LATCHKEY), fastify: share(FASTIFY), betterAuth: share(BETTER_AUTH) },
      p99s: [LATCHKEY, FLOOR].map((contender) => toText(median(values(contender, 'p99')), 1)),
      costs: [LATCHKEY, FLOOR].map((contender) => toText(median(values(contender, 'cost')))),
    };
  });
}

/** @param {Results} results */
function shortTable(results) {
  const head = ['', 'requests/s', 'of the floor', 'Fastify, of the floor', 'p99 ms'];
  const rows = rowsOf(results).map(({ operation, rate, shares, p99s: [p99 = ''] }) => {
    return [operation, rate, shares.latchkey, shares.fastify, p99];
  });
  return table(head, rows);
}

/** @param {Results} results */
function figuresOf(results) {
  const { at, machine, busy, versions, starts, warmStarts, memory, disks } = results;
  const rows = rowsOf(results).map(({ operation, rate, shares, p99s, costs }) => {
    return [operation, rate, shares.latchkey, shares.fastify, shares.betterAuth, ...p99s, ...costs];
  });
  const head = ['', 'requests/s', 'of the floor', FASTIFY, BETTER_AUTH, 'p99 ms', "floor's", 'processor us', "floor's"];
  const start = median(starts[LATCHKEY] ?? []);
  const fastify = median(starts[BARE_FASTIFY] ?? []);
  const [disk] = disks;
  return [
    table(head, rows),
    '',
    `Medians with ${CONNECTIONS} connections and ${SIZE} tokens, on ${at.slice(0, 10)}: ${machine.cores} cores of`,
    `${machine.processor}, Node ${machine.node}, SQLite ${machine.sqlite}, Fastify ${versions['Fastify']},`,
    `better-auth ${versions['better-auth']}. From spawn to the first answer ${toText(start)} ms (Fastify with one route: ${toText(fastify)}),`,
    `\`startServer\` in a warm process ${toText(median(warmStarts))} ms, ${toText(median(memory[LATCHKEY] ?? []) / 1e6)} MB of memory at rest,`,
    `${toText(disk?.bytesPerToken ?? Number.NaN)} bytes on disk for a token with its indexes.`,
    ...(busy >= BUSY
      ? [
          '',
          `The machine had other work meanwhile (load average ${toText(busy, 1)}): only the processor times are worth comparing.`,
        ]
      : []),
  ].join('\n');
}

/** @param {PostgresResults} results */
function onPostgres({ at, machine, busy, effort, postgres, figures, processes }) {
  const head = [
    '',
    'tokens',
    'requests/s',
    'of the floor',
    'p99 ms',
    'processor us',
    "floor's",
    "SQLite's",
    "PostgreSQL's",
  ];
  const rows = [...new Set(figures.map(({ size }) => size))].flatMap((size) =>
    cellsOf(figures.filter((each) => each.size === size && each.connections === CONNECTIONS)).map((cell) => {
      const values = (/** @type {string} */ contender, /** @type {import('./report.mjs').Measure} */ of) =>
        valuesOf(cell.figures, contender, of);
      const cost = (/** @type {string} */ contender) => toText(median(values(contender, 'cost')));
      return [
        ...[cell.operation, size, toText(median(values(LATCHKEY, 'rate')))],
        toText(median(ratios(values(LATCHKEY, 'rate'), values(FLOOR, 'rate'))), 2),
        ...[toText(median(values(LATCHKEY, 'p99')), 1), cost(LATCHKEY), cost(FLOOR), cost(ON_SQLITE)],
        toText(median(values(LATCHKEY, 'databaseCost'))),
      ];
    }),
  );
  const processRows = cellsOf(processes).flatMap(({ operation, contenders: [one = '', ...more], figures: cell }) =>
    [one, ...more].map((contender) => {
      const of = (/** @type {import('./report.mjs').Measure} */ what) => valuesOf(cell, contender, what);
      return [
        ...[operation, contender, toText(median(of('rate')))],
        toText(median(ratios(of('rate'), valuesOf(cell, one, 'rate'))), 2),
        ...[toText(median(of('cost'))), toText(median(of('databaseCost')))],
      ];
    }),
  );
  return [
    table(head, rows),
    '',
    table(['', 'on one PostgreSQL', 'requests/s', 'of 1 process', 'processor us', "PostgreSQL's"], processRows),
    '',
    `Medians of ${effort.rounds} rounds of ${effort.seconds} s with ${CONNECTIONS} connections, on ${at.slice(0, 10)}: ${machine.cores} cores of`,
    `${machine.processor}, Node ${machine.node}, PostgreSQL ${postgres}.`,
    ...(busy >= BUSY
      ? [`The machine had other work meanwhile (load average ${toText(busy, 1)}): compare ratios and processor times.`]
      : []),
  ].join('\n');
}

/** @param {number} value @param {number} [digits] */
function toText(value, digits = 0) {
  if (Number.isNaN(value)) return '';
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
