// @ts-check
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contendersAt, HEAVY, LATCHKEY } from './contenders.mjs';
import { makeDatabase, removeKept } from './databases.mjs';
import { measureAll, show } from './measurements.mjs';
import { ALL, readOptions } from './options.mjs';
import { stopAll } from './process.mjs';
import { printComparison } from './report.mjs';
import { readPublished } from './results.mjs';
import { compare } from './rounds.mjs';
import { findDifferences } from './smoke.mjs';
import { soak } from './soak.mjs';

// Compares Latchkey with the most that Node and SQLite can do, and with other products.
//
//   npm run build && npm run bench [-- --help]

/** Enough for more than one page of each owner. */
const SMOKE_TOKENS = 600;

const options = readOptions(process.argv.slice(2));
if (options.clean) removeKept();

const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-'));
try {
  if (options.redraw) console.log(show(readPublished()));
  else if (options.smoke) await smoke();
  else if (options.soakMinutes !== undefined)
    await soak({ minutes: options.soakMinutes, publish: options.publish }, folder);
  else await measureAll(options, folder);
} finally {
  stopAll();
  rmSync(folder, { recursive: true, force: true });
}

/** Checks that all contenders give the same answers, and runs a moment of load. Exits with 1 otherwise. */
async function smoke() {
  const database = await makeDatabase(SMOKE_TOKENS, folder, SMOKE_TOKENS);
  const contenders = [...contendersAt('1 thousand', [...options.without, ...HEAVY]), ...options.contenders];
  const [model] = contenders.filter(({ name }) => name === LATCHKEY);
  const others = contenders.filter((contender) => contender !== model);
  const differences = model ? await findDifferences(model, others, database, folder) : [`there is no ${LATCHKEY}`];
  for (const difference of differences) console.log(difference);
  if (differences.length > 0) {
    process.exitCode = 1;
    return;
  }
  const effort = { rounds: 1, seconds: 0.05, warmUp: { requests: 100, seconds: 1 }, connections: [4] };
  const setting = { folder, core: undefined, progress() {} };
  printComparison('Few', await compare('Few', database, contenders, ALL, effort, setting));
  console.log(`\nAll answer as ${LATCHKEY} does: ${others.map(({ name }) => name).join('; ')}.`);
}
