#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { Command, CommanderError, Option } from 'commander';
import { unknownSettings } from '../server/config/config.js';
import { addAccount } from './account/commands.js';
import { hasToken } from './account/flags.js';
import { addAudit } from './audit/commands.js';
import { addCompletion } from './completion/commands.js';
import { addContract } from './contract/command.js';
import { addCopy } from './copy.js';
import { addDatabase } from './database.js';
import { addDev } from './dev.js';
import { Failure, WrongUse } from './failure.js';
import { note, outputFault, print } from './output/print.js';
import { addRotateKey } from './rotate-key.js';
import { addScan } from './scan/command.js';
import { addServe } from './serve.js';
import { addTokens } from './tokens/commands.js';
import { addUsers } from './users.js';

// Exit codes: 0 success; 1 rejected, or contract broken, or tokens found; 2 the command line or the configuration is wrong.

// A reader may close the pipe before the end, as `head` does. That is no failure.
const output = { isLost: false };
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE' || output.isLost) return;
  output.isLost = true;
  note(`latchkey: ${outputFault(error)}`);
});
// A failure of standard error must not stop the output.
process.stderr.on('error', () => undefined);

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const program = new Command('latchkey')
  .description('A self-hosted access token service.')
  .version(version, '-v, --version')
  .addOption(new Option('-V').hideHelp())
  .on('option:V', () => {
    print(version);
    throw new CommanderError(0, 'commander.version', version);
  })
  .exitOverride()
  .showHelpAfterError('(see --help)');
program.commandsGroup('Tokens of a service:');
addAccount(program);
addTokens(program);
addScan(program);
program.commandsGroup('The service itself:');
addServe(program);
addDev(program);
addUsers(program);
addDatabase(program);
addCopy(program);
addRotateKey(program);
addAudit(program);
addContract(program);
program.commandsGroup('This command:');
addCompletion(program);
program.hook('preAction', (_, command) => {
  // Shells call these while the user types, so they must not print warnings.
  if (!['completion', 'complete'].includes(command.name())) unknownSettings(process.env);
});
program.helpCommand('help [command]', 'Show the help of a command.');

try {
  rejectTokens(process.argv.slice(2));
  await program.parseAsync();
} catch (error) {
  process.exitCode = await report(error);
}
// A failed write is reported in the next turn of the event loop.
await new Promise(setImmediate);
if (output.isLost) process.exitCode = 2;

/** Rejects a token on the command line before parsing, so that no message repeats it. `contract` accepts test tokens. */
function rejectTokens(words: string[]): void {
  if (words[0] === 'contract' || !hasToken(words)) return;
  throw new WrongUse(
    'do not pass a token on the command line, where other users of this machine and the shell history can see it: use standard input or LATCHKEY_TOKEN, and revoke this token',
  );
}

async function report(error: unknown): Promise<number> {
  // Commander has printed its own errors already; help and version end with code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  // A message may contain text from others, with control characters.
  const { visibleLines } = await import('./output/text.js');
  note(visibleLines(`latchkey: ${explain(error)}`));
  if (error instanceof Failure) return error.exitCode;
  if (isNamed(error, 'InvalidArgument')) return 2;
  const isExplained = isNamed(error, 'UnusableDatabase') || isNamed(error, 'PackageMissing') || isSystemError(error);
  if (!isExplained) note(visibleLines(inspect(error)));
  return 1;
}

/** Recognises the server's errors by name, because importing their classes would load the whole server. */
function isNamed(error: unknown, name: 'InvalidArgument' | 'UnusableDatabase' | 'PackageMissing'): boolean {
  return error instanceof Error && error.name === name;
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, syscall, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  if (syscall !== 'listen' && syscall !== 'bind') return error.message;
  const place = `${address ?? ''}:${String(port)}`;
  if (code === 'EADDRINUSE')
    return `${place} is in use by another process: choose another port with --port or LATCHKEY_PORT`;
  if (code === 'EACCES')
    return `this user may not listen on ${place}: choose another port with --port or LATCHKEY_PORT`;
  if (code === 'EADDRNOTAVAIL')
    return `${place} is not an address of this machine: choose another with --host or LATCHKEY_HOST`;
  return error.message;
}

/** Whether it is an error of the system, such as a missing file: its message is enough without a stack. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
