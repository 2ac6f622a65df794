import { type Command, Option } from 'commander';
import type { ScanFlags } from './flags.js';

const collect = (value: string, before: string[] = []) => [...before, value];

export function addScan(program: Command): void {
  program
    .command('scan')
    .description(
      'Find Latchkey tokens in files, archives and git repositories, by pattern and checksum; offline, unless you ask it to check them.',
    )
    .argument('<path...>', 'files and folders, or - for standard input')
    .option('--brand <brand>', 'find tokens of this brand alone; may be repeated (any)', collect)
    .option('--history', 'search the history of the repository around each path too (of those below it)')
    .option('--no-history', 'search no history')
    .option('--allow <file>', 'accept the tokens whose fingerprints it lists; may be repeated', collect)
    .option('--max-expanded <size>', 'open an archive until it has expanded to this, such as 500M (4G)')
    .addOption(new Option('--json', 'print JSON').conflicts('sarif'))
    .option('--sarif', 'print SARIF 2.1.0, for code scanning')
    .option('--check', 'ask the service of the login which of them are live; it gets to see them')
    .option('--revoke', 'check, and end those that are live')
    .option('--yes', 'revoke without asking')
    .option('--profile <name>', 'the login to ask with (LATCHKEY_PROFILE, default)')
    .option('--insecure-http', 'allow plain http to another machine: everyone on the way reads the tokens')
    .option('--output <file>', 'write the report to a file, and the summary to standard output')
    .addHelpText(
      'after',
      '\nExit codes: 0 nothing found, 1 tokens found, 2 a path or a history could not be searched; with --check,\nwhat the service calls unknown, expired or revoked counts as not found.',
    )
    .action(async (paths: string[], flags: ScanFlags) => {
      // Only here: the other commands start without what reads archives.
      const { search } = await import('./search.js');
      process.exitCode = await search(paths, flags, program.version() ?? '');
    });
}
