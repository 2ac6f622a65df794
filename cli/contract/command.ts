import { writeFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import type { ContractReport, ToldOptions } from '../../contract/index.js';
import { Failure, WrongUse } from '../failure.js';
import { visibleLines } from '../output/text.js';
import { type ContractFlags, readOptions } from './flags.js';
import { toPlanLines, toPlanTable } from './plan.js';
import { showContractProgress } from './progress.js';

const collect = (value: string, before: string[] = []) => [...before, value];
const collectList = (value: string, before: string[] = []) => [
  ...before,
  ...value.split(',').map((name) => name.trim()),
];

/** The flags that may be repeated. They are not defaults of the options, because the help would show these as `[]`. */
const NONE = { credential: [], other: [], header: [], checks: [], excludeChecks: [], report: [] };

export function addContract(program: Command): void {
  program
    .command('contract')
    .description('Test a server against an OpenAPI document. The tests create and delete things: use a test server.')
    .option('--url <address>', 'the server to test')
    .option('--spec <file>', "an OpenAPI 3.0 or 3.1 document: a file or a URL (default: Latchkey's own)")
    .option('--config <file>', 'a configuration file (default: latchkey-contract.yaml, if it exists)')
    .addOption(
      new Option('--token <token>', 'the credential, env:NAME or file:PATH (default: LATCHKEY_TOKEN)').conflicts(
        'login',
      ),
    )
    .option('--login <email>', 'log in instead; the password comes from LATCHKEY_PASSWORD or a prompt')
    .option('--password-stdin', 'read the password from the first line of standard input')
    .option(
      '--credential <scheme=token>',
      'the credential of one security scheme, env:NAME or file:PATH; may be repeated',
      collect,
    )
    .option('--other <token>', 'the credential of a second identity, env:NAME or file:PATH; may be repeated', collect)
    .option('--header <name:value>', 'send this header with every request; may be repeated', collect)
    .option('--only <tag|operationId>', 'test only these operations')
    .option('--checks <names>', 'run only these checks, such as body,status; may be repeated', collectList)
    .option('--exclude-checks <names>', 'do not run these checks; may be repeated', collectList)
    .option('--seed <number>', 'the seed of an earlier run, to repeat it (default: random)')
    .option('--time <duration>', 'stop after this time, such as 90s or 5m (default: 60s)')
    .option('--max-response-time <duration>', 'report a slower answer as a fault (default: no limit)')
    .option('--allow-incomplete', 'exit with 0 even if not everything could be tested, unless there is a fault')
    .option('--report <file>', 'write a report: .xml (JUnit), .json or .html; may be repeated', collect)
    .option('--quiet', 'show only the findings and the closing line')
    .option('--list', 'list the operations and the planned requests, and send nothing')
    .option('--dry-run', 'print the requests as curl commands, and send nothing')
    .addHelpText(
      'after',
      '\nExit codes: 0 the server keeps the contract, 1 it breaks it, 2 the tests could not run in full.',
    )
    .action((flags: Partial<ContractFlags>) => contract({ ...NONE, ...flags }));
}

async function contract(flags: ContractFlags): Promise<void> {
  // Imported here, so that the other commands start faster.
  const { CouldNotRun, planContract, testContract, toSummary } = await tests();
  const quiet = flags.quiet === true;
  const writers = flags.report.map((file) => ({ file, write: writerOf(file) }));
  const progress = showContractProgress(quiet);
  try {
    const options = await readOptions(flags);
    if (flags.list === true || flags.dryRun === true) {
      const plan = await planContract(options);
      process.stdout.write(`${visibleLines(flags.list === true ? toPlanTable(plan) : toPlanLines(plan))}\n`);
      if (plan.ended !== undefined) {
        process.stderr.write(`${plan.ended}: further requests are not planned. Give more time with --time.\n`);
        process.exitCode = options.allowIncomplete === true ? 0 : 2;
      }
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
    // Exit code 1 would say that the server breaks the contract.
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
