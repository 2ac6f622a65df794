#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addContract } from './contract.js';
import { addDev } from './dev.js';
import { Failure } from './failure.js';
import { addServe } from './serve.js';
import { addUsers } from './users.js';

// Exit codes: 0 done, 1 could not be done (or a broken contract), 2 the command or the configuration is wrong.

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const program = new Command('latchkey')
  .description('A self-hosted access token service.')
  .version(version)
  .exitOverride()
  .showHelpAfterError('(--help shows what there is)');
addServe(program);
addDev(program);
addUsers(program);
addContract(program);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
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
