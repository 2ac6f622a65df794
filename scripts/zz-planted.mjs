// @ts-check
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { rolldown } from 'rolldown';
import { parse } from 'yaml';

// Plants faults, one at a time, between the contract tests and the built service, and prints which of them the tests find.
// A set takes about ten minutes. Arguments of `npm run planted --` select faults by their names.

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    set: { type: 'string', default: 'first' },
    part: { type: 'string', default: '1/1' },
    bare: { type: 'boolean', default: false },
    none: { type: 'boolean', default: false },
    output: { type: 'string' },
  },
});
const folder = 'node_modules/.cache/latchkey-planted';
mkdirSync(folder, { recursive: true });
const bundle = await rolldown({
  input: {
    first: 'test/contract/proxied/first.ts',
    second: 'test/contract/proxied/second.ts',
    third: 'test/contract/proxied/third.ts',
    hunt: 'test/contract/proxied/hunt.ts',
    proxy: 'test/contract/proxied/proxy.ts',
  },
  platform: 'node',
  resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
});
await bundle.write({ dir: `${folder}/${process.pid}` });
/** @param {string} file */
const load = (file) => import(pathToFileURL(file).href);
const { hunt } = await load(`${folder}/${process.pid}/hunt.js`);
const { templatesOf } = await load(`${folder}/${process.pid}/proxy.js`);
const { FIRST } = await load(`${folder}/${process.pid}/first.js`);
const { SECOND } = await load(`${folder}/${process.pid}/second.js`);
const { THIRD } = await load(`${folder}/${process.pid}/third.js`);
const parts = {
  ...(await load('dist/server/index.js')),
  ...(await load('dist/contract/index.js')),
  templates: templatesOf(parse(readFileSync('openapi.yaml', 'utf8'))),
  log: pino({ level: 'silent' }),
};
const { laws } = parse(readFileSync(process.env.LAWS ?? 'openapi.laws.yaml', 'utf8'));
const [part = 1, of = 1] = values.part.split('/').map(Number);
const sets = /** @type {Record<string, object>} */ ({ first: FIRST, second: SECOND, third: THIRD });
const set = values.none ? { none: () => ({}) } : sets[values.set];
if (set === undefined) throw new Error(`there is no set ${values.set}; the sets are ${Object.keys(sets).join(', ')}`);
const chosen = Object.entries(set).filter(
  ([name], index) =>
    index % of === part - 1 && (positionals.length === 0 || positionals.some((word) => name.includes(word))),
);
const lines = [];
for (const [name, plant] of chosen) {
  const startedAt = Date.now();
  const wfrows = []; const options = { ...(process.env.ONLY && { only: process.env.ONLY }), hooks: { request(w, a) { wfrows.push({ ...a, t: w.method + ' ' + w.target }); }, answer(a) { wfrows.at(-1).s = a.status; } }, ...(values.bare ? { other: undefined } : { laws }), ...(values.none && { maxFaults: undefined }) };
  /** @type {any} */
  const outcome = await hunt(parts, plant(), options).catch((/** @type {Error} */ error) => ({ error }));
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  const what = outcome.error
    ? `threw ${outcome.error.message}`
    : outcome.found
      ? `${outcome.found.check}: ${outcome.found.operation}: ${outcome.found.message}`
      : `MISSED (${outcome.report.requests} requests)`;
  if (process.env.RULE) for (const r of wfrows) if (r.name.includes(process.env.RULE)) console.log('   ', r.s, r.t); const line = `${name}\t${seconds}\t${what}`;
  console.log(line.replaceAll('\t', ' | '));
  lines.push(line);
  if (values.none) {
    for (const { operation, message, received, curl } of outcome.report?.failures ?? [])
      console.log(`  fault ${operation}: ${message}\n${received}\n${curl}`);
    for (const { operation, message } of outcome.report?.warnings ?? [])
      console.log(`  warning ${operation}: ${message}`);
    for (const note of outcome.report?.notes ?? []) console.log(`  note ${note}`);
    console.log(`  ${outcome.report?.requests} requests in ${outcome.report?.durationMs} ms`);
  }
}
const found = lines.filter((line) => !line.includes('\tMISSED')).length;
console.log(`${found} of ${lines.length} found`);
if (values.output !== undefined) writeFileSync(values.output, `${lines.join('\n')}\n`);
process.exit();
