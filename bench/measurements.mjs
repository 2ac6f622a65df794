// @ts-check
import { spawnSync } from 'node:child_process';
import Driver from 'better-sqlite3';
import { boundsOf, printBounds } from './bounds.mjs';
import { drawChart } from './chart.mjs';
import { installContenders } from './contenders/install.mjs';
import { contendersAt, HEAVY } from './contenders.mjs';
import { copyOf, prepareDatabase } from './databases.mjs';
import { measureFilled, measureWritten, printDisk } from './disk.mjs';
import { spread } from './figures.mjs';
import { measureLastUsed, printLastUsed } from './last-used.mjs';
import { measureMemory, printMemory } from './memory.mjs';
import { measurePages, printPages } from './pages.mjs';
import { fromRoot, splitCores } from './process.mjs';
import { BUSY, refreshDocuments } from './readme.mjs';
import { printComparison } from './report.mjs';
import { describeMachine, readLoad, readVersions, write, writeResults } from './results.mjs';
import { compare } from './rounds.mjs';
import { measureStarts, printStarts } from './starts.mjs';

/** @typedef {import('./results.mjs').Results} Results */

const WRITTEN_TOKENS = 20_000;

/**
 * Measures a build, prints the figures and keeps them.
 *
 * @param {ReturnType<typeof import('./options.mjs').readOptions>} options
 * @param {string} folder
 */
export async function measureAll(options, folder) {
  const { effort, sizes, repetitions } = options;
  const wanted = HEAVY.filter((name) => !options.without.includes(name));
  const without = wanted.length > 0 && !installContenders() ? [...options.without, ...HEAVY] : options.without;
  const progress = (/** @type {string} */ line) => console.error(line);
  const busy = readLoad();
  const machine = describeMachine(sqliteVersion());
  console.log(`${machine.processor}, ${machine.cores} cores, Node ${machine.node}, SQLite ${machine.sqlite}`);
  if (busy >= BUSY)
    console.log(`The machine is busy (load average ${busy.toFixed(1)}): only processor times are worth comparing.`);

  const small = await prepareDatabase(1_000, folder);
  /** @type {Results} */
  const results = {
    at: new Date().toISOString(),
    machine,
    busy,
    versions: readVersions(),
    effort,
    apart: false,
    figures: [],
    starts: {},
    warmStarts: [],
    memory: {},
    disks: [],
    pages: {},
  };
  if (options.aside) {
    progress('starts and memory');
    // Before `splitCores`, because a start may use every core.
    results.starts = await measureStarts(small, repetitions, folder);
    results.warmStarts = measureWarmStarts(copyOf(small, folder, 'warm'), 3 * repetitions);
    results.memory = await measureMemory(small, Math.ceil(repetitions / 5), folder);
    printStarts(results.starts);
    console.log(`\nstartServer in a warm process: ${spread(results.warmStarts, 1)} ms`);
    printMemory(results.memory);
  }

  const core = splitCores();
  results.apart = core !== undefined;
  console.log(results.apart ? '\nServer and load have a core each.' : '\nServer and load share the cores.');
  for (const { name, tokens, operations, pages } of sizes) {
    progress(`${name} tokens`);
    const database = tokens === small.tokens ? small : await prepareDatabase(tokens, folder);
    const contenders = [...contendersAt(name, without), ...options.contenders];
    const figures = await compare(name, database, contenders, operations, effort, { folder, core, progress });
    results.figures.push(...figures);
    printComparison(name, figures);
    if (!options.aside || !pages) continue;
    results.pages[name] = await measurePages(database, repetitions, { folder, core });
    results.disks.push(measureFilled(database));
    printPages(name, results.pages[name]);
  }

  if (options.aside) {
    progress('bytes on disk, and lastUsedAt');
    const { path, real, ...written } = await measureWritten(small, WRITTEN_TOKENS, folder);
    results.disks.push(written);
    printDisk(results.disks);
    results.lastUsed = await measureLastUsed(path, real, { rounds: Math.ceil(repetitions / 3), core });
    printLastUsed(results.lastUsed);
  }
  printBounds(boundsOf(results));
  keep(results, options.publish);
}

/** @param {Results} results @param {boolean} publish */
function keep(results, publish) {
  const name = publish ? 'published' : results.at.replaceAll(/[:.]/g, '-');
  console.log(
    `\n${writeResults(name, results)}, ${publish ? show(results) : draw(results, `bench/results/${name}.svg`)}`,
  );
}

/** Writes published results into the README and its chart. @param {Results} results */
export function show(results) {
  return `${draw(results, 'docs/images/speed.svg')}, ${refreshDocuments(results)}`;
}

/** @param {Results} results @param {string} path */
function draw(results, path) {
  return write(path, drawChart(results.figures, { size: '1 thousand', connections: 64 }));
}

function sqliteVersion() {
  const database = new Driver(':memory:');
  const version = database.prepare('select sqlite_version()').pluck().get();
  database.close();
  return String(version);
}

/** @param {string} database @param {number} times @returns {number[]} milliseconds */
function measureWarmStarts(database, times) {
  const argv = [fromRoot('bench/servers/warm-start.mjs'), database, String(times)];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`startServer could not be measured: ${stderr}`);
  return JSON.parse(stdout);
}
