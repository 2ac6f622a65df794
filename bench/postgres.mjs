// @ts-check
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { boundsOnPostgres, printBounds } from './bounds.mjs';
import { FLOOR, LATCHKEY, latchkey, ON_SQLITE } from './contenders.mjs';
import { prepareDatabase } from './databases.mjs';
import { openServer } from './postgres-databases.mjs';
import { fromRoot, splitCores, stopAll } from './process.mjs';
import { BUSY, refreshPostgres } from './readme.mjs';
import { printComparison } from './report.mjs';
import { describeMachine, readLoad, writeResults } from './results.mjs';
import { compare } from './rounds.mjs';
import { findDifferences } from './smoke.mjs';

// Compares Latchkey on PostgreSQL with the most that Node and pg can do, with Latchkey on SQLite, and one process with
// several on one PostgreSQL.
//
//   npm run build && npm run bench:postgres [-- --help]

/** @typedef {import('./contenders.mjs').Contender} Contender */

const OPERATIONS = ['verify', 'create'];
const SIZES = [
  { name: '1 thousand', tokens: 1_000 },
  { name: '1 million', tokens: 1_000_000 },
  { name: '10 million', tokens: 10_000_000 },
];
const SMOKE_TOKENS = 100;

const HELP = `npm run bench:postgres [-- OPTIONS]

  --full       measure 10 million tokens too, in more and longer rounds
  --rounds N   rounds of each measurement; 7 by default, 15 with --full
  --seconds N  seconds of a round; 0.4 by default, 2 with --full
  --sizes 1,2  sizes of the database: 1 is 1 thousand tokens, 2 is 1 million, 3 is 10 million
  --publish    write the figures into docs/operate/performance.md, and bench/results/published-postgres.json
  --smoke      only check that the floor answers as Latchkey does
  --help       print this text

It starts a PostgreSQL of its own, or uses the server at LATCHKEY_TEST_POSTGRES=postgres://...`;

const { values: options } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    sizes: { type: 'string' },
    publish: { type: 'boolean', default: false },
    smoke: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) {
  console.log(HELP);
  process.exit();
}

const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-'));
const busy = readLoad();
const server = await openServer();
try {
  if (options.smoke) await smoke();
  else await measure();
} finally {
  stopAll();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function measure() {
  const { full } = options;
  const effort = {
    rounds: Number(options.rounds ?? (full ? 15 : 7)),
    seconds: Number(options.seconds ?? (full ? 2 : 0.4)),
    warmUp: { requests: full ? 30_000 : 8_000, seconds: full ? 5 : 2 },
    connections: [64, 1],
  };
  const numbers = (options.sizes ?? (full ? '1,2,3' : '1,2')).split(',').map(Number);
  const machine = describeMachine('');
  console.log(`${machine.processor}, ${machine.cores} cores, Node ${machine.node}, PostgreSQL ${server.version}`);
  if (busy >= BUSY)
    console.log(`The machine is busy (load average ${busy.toFixed(1)}): compare ratios and processor times.`);
  const core = splitCores();
  const setting = { folder, core, progress: (/** @type {string} */ line) => console.error(line) };

  const figures = [];
  const processes = [];
  for (const { name, tokens } of SIZES.filter((_, index) => numbers.includes(index + 1))) {
    setting.progress(`${name} tokens`);
    const filled = await server.fill(tokens);
    const onSqlite = tokens === 1_000 ? await prepareDatabase(tokens, folder) : undefined;
    const some = await compare(name, filled, contendersOn(filled, onSqlite), OPERATIONS, effort, setting);
    figures.push(...some);
    printComparison(name, some);
    if (tokens === 1_000) {
      const alike = { ...effort, connections: [64] };
      processes.push(...(await compare(name, filled, severalOn(filled), OPERATIONS, alike, setting)));
      printComparison(`Processes on one PostgreSQL, ${name}`, processes, 'of 1 process');
    }
    await filled.drop();
  }
  printBounds(boundsOnPostgres(figures));
  const results = { at: new Date().toISOString(), machine, postgres: server.version, busy, effort, figures, processes };
  const name = options.publish ? 'published-postgres' : `postgres-${results.at.replaceAll(/[:.]/g, '-')}`;
  console.log(`\n${writeResults(name, results)}${options.publish ? `, ${refreshPostgres(results)}` : ''}`);
}

/** Checks that the floor gives Latchkey's answers. Exits with 1 otherwise. */
async function smoke() {
  const filled = await server.fill(SMOKE_TOKENS, SMOKE_TOKENS);
  const [floor, model] = contendersOn(filled);
  const differences = floor && model ? await findDifferences(model, [floor], filled, folder) : [];
  for (const difference of differences) console.log(difference);
  if (differences.length > 0) process.exitCode = 1;
  else console.log(`The floor on PostgreSQL answers as ${LATCHKEY} does: ${OPERATIONS.join(', ')}.`);
}

/** @param {import('./postgres-databases.mjs').Filled} filled @param {import('./databases.mjs').Database} [onSqlite] @returns {Contender[]} */
function contendersOn({ engine }, onSqlite) {
  const floor = fromRoot('bench/servers/floor-postgres.mjs');
  const operations = OPERATIONS;
  return [
    { name: FLOOR, argv: (url) => [floor, url], engine, operations },
    { name: LATCHKEY, argv: (url) => latchkey(url), engine },
    ...(onSqlite
      ? [{ name: ON_SQLITE, argv: (/** @type {string} */ path) => latchkey(path), database: onSqlite }]
      : []),
  ];
}

/** @param {import('./postgres-databases.mjs').Filled} filled @returns {Contender[]} */
function severalOn({ engine }) {
  return [1, 2, 3].map((processes) => ({
    name: `${processes} process${processes > 1 ? 'es' : ''}`,
    argv: (url) => latchkey(url),
    engine,
    processes,
    manyCores: true,
  }));
}
