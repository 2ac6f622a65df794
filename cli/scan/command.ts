import { type Command, Option } from 'commander';
import type { ScanFlags } from './flags.js';

const collect = (value: string, before: string[] = []) => [...before, value];

export function addScan(program: Command): void {
  program
    .command('scan')
    .description(
      'Find Latchkey tokens in files, archives and git repositories, by pattern and checksum; offline without --check.',
    )
    .argument('[path...]', 'files and folders, or - for standard input')
    .option('--brand <brand>', 'find tokens of this brand only; may be repeated (any brand)', collect)
    .option('--history', 'also search the history of the repository that contains a path (only of those in it)')
    .option('--no-history', 'search no history')
    .option('--allow <file>', 'file with the fingerprints of accepted tokens; may be repeated', collect)
    .option('--max-expanded <size>', 'most bytes that one file may expand to, such as 500M (4G)')
    .addOption(new Option('--json', 'print JSON').conflicts('sarif'))
    .option('--sarif', 'print SARIF 2.1.0, for code scanning')
    .option('--check', 'send the tokens to the service of the login, to learn which are valid')
    .option('--revoke', 'like --check, and revoke the valid ones')
    .option('--yes', 'revoke without asking')
    .addOption(
      new Option(
        '--print-patterns <tool>',
        'print configuration with which another tool finds tokens of the brand (LATCHKEY_BRAND, lk), and search nothing',
      ).choices(['github', 'gitlab', 'gitleaks', 'trufflehog', 'ripgrep']),
    )
    .option('--profile <name>', 'the login to use (LATCHKEY_PROFILE, default)')
    .option('--insecure-http', 'allow plain http to another machine; others on the network can then read the tokens')
    .option('--output <file>', 'write the report to a file, and the summary to standard output')
    .addHelpText(
      'after',
      '\nExit codes: 0 no tokens found, 1 tokens found, 2 a path or a history could not be searched. With --check,\ntokens that are unknown to the service, expired or revoked count as not found.',
    )
    .action(async (paths: string[], flags: ScanFlags) => {
      // Imported here, so that other commands do not load the archive readers.
      const { search } = await import('./search.js');
      process.exitCode = await search(paths, flags, program.version() ?? '');
    });
}
