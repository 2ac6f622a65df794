#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { unknownSettings } from '../server/config.js';
import { addAccount } from './account/commands.js';
import { hasToken } from './account/flags.js';
import { addCompletion } from './completion/commands.js';
import { addContract } from './contract.js';
import { addDatabase } from './database.js';
import { addDev } from './dev.js';
import { Failure, WrongUse } from './failure.js';
import { addScan } from './scan/command.js';
import { addServe } from './serve.js';
import { addTokens } from './tokens/commands.js';
import { addUsers } from './users.js';

// Exit codes: 0 done, 1 could not be done (or a broken contract, or tokens found), 2 the command or the configuration is wrong.

// Whoever reads may have enough before the end, as `head` has; that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const program = new Command('latchkey')
  .description('A self-hosted access token service.')
  .version(version)
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
  process.exitCode = report(error);
}

/** Before anything is parsed, so that no message repeats it. `contract` is for tokens of test servers, and takes them. */
function refuseTokens(words: string[]): void {
  if (words[0] === 'contract' || !hasToken(words)) return;
  throw new WrongUse(
    'a token does not belong on the command line, where other users of this machine see it and shells keep it: use standard input or LATCHKEY_TOKEN, and consider this token known',
  );
}

function report(error: unknown): number {
  // Commander has printed its own errors already; help and version end with code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`latchkey: ${message}\n`);
  if (error instanceof Failure) return error.exitCode;
  if (isNamed(error, 'InvalidArgument')) return 2;
  if (!isNamed(error, 'DatabaseRefusal') && !isSystemError(error)) console.error(error);
  return 1;
}

/** The server's errors by their names: their classes would bring the whole server along. */
function isNamed(error: unknown, name: 'InvalidArgument' | 'DatabaseRefusal'): boolean {
  return error instanceof Error && error.name === name;
}

/** Such as a port that is taken: the message says it all, and a stack would not help. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
