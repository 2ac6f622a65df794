// @ts-check
import { readFileSync } from 'node:fs';
import { BETTER_AUTH, FASTIFY, FLOOR, LATCHKEY } from './contenders.mjs';
import { median, ratios, table } from './figures.mjs';
import { fromRoot } from './process.mjs';
import { cellsOf, valuesOf } from './report.mjs';
import { write } from './results.mjs';
import { BARE_FASTIFY } from './starts.mjs';

// Writes the figures of the published run between the two marks in the README.

/** @typedef {import('./results.mjs').Results} Results */

const SIZE = '1 thousand';
const CONNECTIONS = 64;
/** Load average of other programs from which requests per second say nothing about the contenders. */
export const BUSY = 0.7;
const MARKED = /(<!-- figures -->\n)[^]*?(<!-- \/figures -->)/;

/** @param {Results} results @returns {string} the path */
export function refreshReadme(results) {
  const text = readFileSync(fromRoot('README.md'), 'utf8');
  if (!MARKED.test(text)) throw new Error('README.md has no marks around the figures');
  return write(
    'README.md',
    text.replace(MARKED, (_, begin, end) => `${begin}\n${figuresOf(results)}\n\n${end}`),
  );
}

/** @param {Results} results */
function figuresOf({ at, machine, busy, versions, figures, starts, warmStarts, memory, disks }) {
  const cells = cellsOf(figures.filter(({ size, connections }) => size === SIZE && connections === CONNECTIONS));
  const rows = cells.map(({ operation, figures: cell }) => {
    const values = (/** @type {string} */ contender, /** @type {'rate' | 'cost' | 'p99'} */ of) =>
      valuesOf(cell, contender, of);
    const share = (/** @type {string} */ contender) =>
      toText(median(ratios(values(contender, 'rate'), values(FLOOR, 'rate'))), 2);
    return [
      ...[operation, toText(median(values(LATCHKEY, 'rate'))), share(LATCHKEY), share(FASTIFY), share(BETTER_AUTH)],
      ...[LATCHKEY, FLOOR].map((contender) => toText(median(values(contender, 'p99')), 1)),
      ...[LATCHKEY, FLOOR].map((contender) => toText(median(values(contender, 'cost')))),
    ];
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

/** @param {number} value @param {number} [digits] */
function toText(value, digits = 0) {
  if (Number.isNaN(value)) return '';
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
