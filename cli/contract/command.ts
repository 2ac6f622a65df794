import { writeFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import type { ContractReport, ToldOptions } from '../../contract/index.js';
import { Failure, WrongUse } from '../failure.js';
import { visibleLines } from '../output/text.js';
import { type ContractFlags, readOptions } from './flags.js';
import { toPlanLines, toPlanTable } from './plan.js';
import { showContractProgress } from './progress.js';

const collect = (value: string, before: string[]) => [...before, value];
const collectList = (value: string, before: string[]) => [...before, ...value.split(',').map((name) => name.trim())];

export function addContract(program: Command): void {
  program
    .command('contract')
    .description('Hold a server against an OpenAPI document. It creates and ends things: use a server for tests.')
    .option('--url <address>', 'the server')
    .option('--spec <file>', "an OpenAPI 3.0 or 3.1 document, a file or an address (Latchkey's own)")
    .option('--config <file>', 'a configuration file (latchkey-contract.yaml, where it is there)')
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
    .option(
      '--other <token>',
      'the credential of a second identity, or env:NAME or file:PATH of it; may be repeated',
      collect,
      [],
    )
    .option('--header <name:value>', 'a header of every request; may be repeated', collect, [])
    .option('--only <tag|operationId>', 'test these operations alone')
    .option('--checks <names>', 'the checks that count, such as body,status; may be repeated (all)', collectList, [])
    .option('--exclude-checks <names>', 'checks that do not count; may be repeated', collectList, [])
    .option('--seed <number>', 'replay a run (random)')
    .option('--time <duration>', 'stop after this time, such as 90s or 5m (60s)')
    .option('--max-response-time <duration>', 'a slower answer is a fault (unbounded)')
    .option('--allow-incomplete', 'end with code 0 where something could not be tested, if nothing is broken')
    .option('--report <file>', 'write a report: .xml is JUnit, .json or .html; may be repeated', collect, [])
    .option('--quiet', 'show no progress and no table: what is found, and the closing line')
    .option('--list', 'show the operations and what would be sent, and send nothing')
    .option('--dry-run', 'print the requests as curl commands, and send nothing')
    .addHelpText(
      'after',
      '\nExit codes: 0 the contract holds, 1 it is broken, 2 the tests could not run, or not all of them.',
    )
    .action(contract);
}

async function contract(flags: ContractFlags): Promise<void> {
  // Only here: the other commands start faster without what makes the cases.
  const { CouldNotRun, planContract, testContract, toSummary } = await tests();
  const quiet = flags.quiet === true;
  const writers = flags.report.map((file) => ({ file, write: writerOf(file) }));
  const progress = showContractProgress(quiet);
  try {
    const options = await readOptions(flags);
    if (flags.list === true || flags.dryRun === true) {
      const plan = await planContract(options);
      process.stdout.write(`${visibleLines(flags.list === true ? toPlanTable(plan) : toPlanLines(plan))}\n`);
      return;
    }
    const report = await testContract({ ...options, onProgress: progress.show });
    const { commandOf } = await import('./again.js');
    const command = commandOf(flags);
    progress.clear();
    for (const { file, write } of writers) await writeFile(file, await write(report, { command }));
    process.stdout.write(`${visibleLines(toSummary(report, { quiet, command }))}\n`);
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

const tests = () => import('../../contract/index.js');

function writerOf(file: string): (report: ContractReport, told: ToldOptions) => Promise<string> {
  if (file.endsWith('.xml')) return async (report, told) => (await tests()).toJUnit(report, told);
  if (file.endsWith('.html')) return async (report, told) => (await tests()).toHtml(report, told);
  if (file.endsWith('.json')) return (report) => Promise.resolve(`${JSON.stringify(report, null, 2)}\n`);
  throw new WrongUse('--report must end in .xml, .json or .html');
}
