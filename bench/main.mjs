// @ts-check
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { contendersAt } from './contenders.mjs';
import { prepareDatabase, removeKept } from './databases.mjs';
import { readOptions } from './options.mjs';
import { splitCores, stopAll } from './process.mjs';
import { printComparison } from './report.mjs';
import { compare } from './rounds.mjs';
import { measureStarts, printStarts } from './starts.mjs';

// How near Latchkey comes to what Node and SQLite can do at most, and how far ahead it is of others.
//
//   npm run build && npm run bench [-- --help]

const options = readOptions(process.argv.slice(2));
if (options.clean) removeKept();

const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-'));
try {
  console.log(`Node ${process.version}, ${cpus().length} cores`);
  const small = await prepareDatabase(1_000, folder);
  // Before this process has a core of its own: a start may use all there are.
  printStarts(await measureStarts(small, options.starts, folder));
  const core = splitCores();
  console.log(core === undefined ? '\nServer and load share the cores.' : '\nServer and load have a core each.');
  const setting = { folder, core, progress: (/** @type {string} */ line) => console.error(line) };
  for (const { name, tokens, operations } of options.sizes) {
    const database = await prepareDatabase(tokens, folder);
    const contenders = contendersAt(name, options.without);
    const figures = await compare(name, database, contenders, operations, options.effort, setting);
    printComparison(name, figures);
  }
} finally {
  stopAll();
  rmSync(folder, { recursive: true, force: true });
}
