#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { Command, CommanderError, Option } from 'commander';
import { unknownSettings } from '../server/config/config.js';
import { addAccount } from './account/commands.js';
import { hasToken } from './account/flags.js';
import { addCompletion } from './completion/commands.js';
import { addContract } from './contract/command.js';
import { addDatabase } from './database.js';
import { addDev } from './dev.js';
import { Failure, WrongUse } from './failure.js';
import { note, outputFault, print } from './output/print.js';
import { addScan } from './scan/command.js';
import { addServe } from './serve.js';
import { addTokens } from './tokens/commands.js';
import { addUsers } from './users.js';

// Exit codes: 0 done, 1 could not be done (or a broken contract, or tokens found), 2 the command or the configuration is wrong.

// Whoever reads may have enough before the end, as `head` has; that is no failure.
const output = { isLost: false };
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE' || output.isLost) return;
  output.isLost = true;
  note(`latchkey: ${outputFault(error)}`);
});
// What is said beside the output is not worth the output.
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
  .showHelpAfterError('(--help shows what there is)');
program.commandsGroup('Tokens of a service:');
addAccount(program);
addTokens(program);
addScan(program);
program.commandsGroup('The service itself:');
addServe(program);
addDev(program);
addUsers(program);
addDatabase(program);
addContract(program);
program.commandsGroup('This command:');
addCompletion(program);
program.hook('preAction', (_, command) => {
  // What a shell asks for while somebody types.
  if (!['completion', 'complete'].includes(command.name())) unknownSettings(process.env);
});
program.helpCommand('help [command]', 'Show what there is to a command.');

try {
  refuseTokens(process.argv.slice(2));
  await program.parseAsync();
} catch (error) {
  process.exitCode = await report(error);
}
// A write that fails is known a moment later.
await new Promise(setImmediate);
if (output.isLost) process.exitCode = 2;

/** Before anything is parsed, so that no message repeats it. `contract` is for tokens of test servers, and takes them. */
function refuseTokens(words: string[]): void {
  if (words[0] === 'contract' || !hasToken(words)) return;
  throw new WrongUse(
    'a token does not belong on the command line, where other users of this machine see it and shells keep it: use standard input or LATCHKEY_TOKEN, and consider this token known',
  );
}

async function report(error: unknown): Promise<number> {
  // Commander has printed its own errors already; help and version end with code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  // A message may repeat what somebody else wrote.
  const { visibleLines } = await import('./output/text.js');
  note(visibleLines(`latchkey: ${explain(error)}`));
  if (error instanceof Failure) return error.exitCode;
  if (isNamed(error, 'InvalidArgument')) return 2;
  if (!isNamed(error, 'DatabaseRefusal') && !isSystemError(error)) note(visibleLines(inspect(error)));
  return 1;
}

/** The server's errors by their names: their classes would bring the whole server along. */
function isNamed(error: unknown, name: 'InvalidArgument' | 'DatabaseRefusal'): boolean {
  return error instanceof Error && error.name === name;
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, syscall, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  if (syscall !== 'listen' && syscall !== 'bind') return error.message;
  const place = `${address ?? ''}:${String(port)}`;
  if (code === 'EADDRINUSE')
    return `${place} is in use by another process: --port or LATCHKEY_PORT chooses another port`;
  if (code === 'EACCES')
    return `${place} is not for this user to listen on: --port or LATCHKEY_PORT chooses another port`;
  if (code === 'EADDRNOTAVAIL')
    return `${place} is no address of this machine: --host or LATCHKEY_HOST chooses another`;
  return error.message;
}

/** Such as a port that is taken: the message says it all, and a stack would not help. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
