import { writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { type Command, Option } from 'commander';
import type { Check, ContractProgress, ContractReport } from '../contract/index.js';
import { Failure, WrongUse } from './failure.js';
import { visibleLines } from './output/text.js';
import { showProgress } from './progress.js';
import { askHidden } from './terminal.js';
import { variable } from './variables.js';

interface ContractFlags {
  url: string;
  spec?: string;
  token?: string;
  login?: string;
  passwordStdin?: boolean;
  credential: string[];
  header: string[];
  only?: string;
  checks: string[];
  excludeChecks: string[];
  seed?: string;
  time: string;
  allowIncomplete?: boolean;
  report: string[];
}

const NO_PASSWORD = 'the password must be in LATCHKEY_PASSWORD, or --password-stdin';

const collect = (value: string, before: string[]) => [...before, value];
const collectList = (value: string, before: string[]) => [...before, ...value.split(',').map((name) => name.trim())];

export function addContract(program: Command): void {
  program
    .command('contract')
    .description('Hold a server against an OpenAPI document. It creates and ends things: use a server for tests.')
    .requiredOption('--url <address>', 'the server')
    .option('--spec <file>', "an OpenAPI 3.0 or 3.1 document, a file or an address (Latchkey's own)")
    .addOption(
      new Option('--token <token>', 'the credential, or env:NAME or file:PATH of it (LATCHKEY_TOKEN)').conflicts(
        'login',
      ),
    )
    .option('--login <email>', 'log in instead; the password is LATCHKEY_PASSWORD, or asked for')
    .option('--password-stdin', 'read the password from the first line of standard input')
    .option(
      '--credential <scheme=token>',
      'the credential of one security scheme, or env:NAME or file:PATH of it; may be repeated',
      collect,
      [],
    )
    .option('--header <name:value>', 'a header of every request; may be repeated', collect, [])
    .option('--only <tag|operationId>', 'test these operations alone')
    .option('--checks <names>', 'the checks that count, such as body,status; may be repeated (all)', collectList, [])
    .option('--exclude-checks <names>', 'checks that do not count; may be repeated', collectList, [])
    .option('--seed <number>', 'replay a run (random)')
    .option('--time <duration>', 'stop after this time, such as 90s or 5m', '60s')
    .option('--allow-incomplete', 'end with code 0 where something could not be tested, if nothing is broken')
    .option('--report <file>', 'write a report: .xml is JUnit, .json or .html; may be repeated', collect, [])
    .addHelpText(
      'after',
      '\nExit codes: 0 the contract holds, 1 it is broken, 2 the tests could not run, or not all of them.',
    )
    .action(contract);
}

async function contract(flags: ContractFlags): Promise<void> {
  const { spec, only } = flags;
  // Only here: the other commands start faster without what makes the cases.
  const { CouldNotRun, readCredential, testContract, toSummary } = await tests();
  const token = flags.token ?? (flags.login === undefined ? variable('LATCHKEY_TOKEN') : undefined);
  const writers = flags.report.map((file) => ({ file, write: writerOf(file) }));
  const progress = showProgress<ContractProgress>(describe);
  try {
    const credentials: Record<string, string> = {};
    for (const [scheme, text] of Object.entries(pairs(flags.credential, '=', '--credential')))
      credentials[scheme] = await readCredential(text);
    const report = await testContract({
      url: flags.url,
      headers: pairs(flags.header, ':', '--header'),
      timeMs: milliseconds(flags.time),
      allowIncomplete: flags.allowIncomplete === true,
      onProgress: progress.show,
      ...(spec !== undefined && { spec }),
      ...(token !== undefined && { token: await readCredential(token) }),
      ...(flags.login !== undefined && { login: { username: flags.login, password: await readPassword(flags) } }),
      ...(flags.credential.length > 0 && { credentials }),
      ...(only !== undefined && { only }),
      ...(flags.checks.length > 0 && { checks: flags.checks as Check[] }),
      excludeChecks: flags.excludeChecks as Check[],
      ...(flags.seed !== undefined && { seed: readSeed(flags.seed) }),
    });
    progress.clear();
    for (const { file, write } of writers) await writeFile(file, await write(report));
    process.stdout.write(`${visibleLines(toSummary(report))}\n`);
    process.exitCode = report.held ? 0 : report.failures.length > 0 ? 1 : 2;
  } catch (error) {
    // Exit code 1 says that the contract is broken; this says nothing about it.
    if (error instanceof Failure) throw error;
    if (!(error instanceof CouldNotRun) && !(error instanceof Error && 'syscall' in error)) console.error(error);
    throw new WrongUse(error instanceof Error ? error.message : String(error));
  } finally {
    progress.clear();
  }
}

async function readPassword({ login = '', passwordStdin }: ContractFlags): Promise<string> {
  if (passwordStdin === true) return (await text(process.stdin)).split(/\r?\n/, 1)[0] ?? '';
  return variable('LATCHKEY_PASSWORD') ?? (await askHidden(`password of ${login}: `, NO_PASSWORD));
}

const tests = () => import('../contract/index.js');

function writerOf(file: string): (report: ContractReport) => Promise<string> {
  if (file.endsWith('.xml')) return async (report) => (await tests()).toJUnit(report);
  if (file.endsWith('.html')) return async (report) => (await tests()).toHtml(report);
  if (file.endsWith('.json')) return (report) => Promise.resolve(`${JSON.stringify(report, null, 2)}\n`);
  throw new WrongUse('--report must end in .xml, .json or .html');
}

function milliseconds(duration: string): number {
  const [, count, unit = 's'] = /^(\d{1,6})(ms|s|m)?$/.exec(duration) ?? [];
  if (count === undefined) throw new WrongUse('--time must be a duration such as 500ms, 90s or 5m');
  return Number(count) * { ms: 1, s: 1_000, m: 60_000 }[unit as 'ms' | 's' | 'm'];
}

function readSeed(seed: string): number {
  if (!/^\d{1,10}$/.test(seed) || Number(seed) > 0x7fffffff) {
    throw new WrongUse('--seed must be an integer from 0 to 2147483647');
  }
  return Number(seed);
}

function pairs(texts: string[], separator: string, flag: string): Record<string, string> {
  return Object.fromEntries(
    texts.map((pair) => {
      const at = pair.indexOf(separator);
      if (at <= 0) throw new WrongUse(`${flag} must be a name, ${separator} and a value`);
      return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
    }),
  );
}

function describe({ phase, operation, requests, failures, elapsedMs }: ContractProgress): string {
  const found = failures === 0 ? '' : `, ${String(failures)} ${failures === 1 ? 'fault' : 'faults'}`;
  return `${(elapsedMs / 1_000).toFixed(0)} s  ${String(requests)} requests${found}  ${phase} ${visibleLines(operation)}`;
}
