#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';

// Exit codes: 0 done, 1 could not be done (or a broken contract, or tokens found), 2 the command or the configuration is
// wrong.

// Only the named command is loaded: the server takes longer to load than most scans take.
const COMMANDS = {
  serve: async () => (await import('./serve.js')).addServe,
  dev: async () => (await import('./dev.js')).addDev,
  users: async () => (await import('./users.js')).addUsers,
  contract: async () => (await import('./contract.js')).addContract,
  scan: async () => (await import('./scan.js')).addScan,
};

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const program = new Command('latchkey')
  .description('A self-hosted access token service.')
  .version(version)
  .exitOverride()
  .showHelpAfterError('(--help shows what there is)');
const named = Object.entries(COMMANDS).filter(([name]) => name === process.argv[2]);
for (const [, load] of named.length === 0 ? Object.entries(COMMANDS) : named) (await load())(program);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = await report(error);
}

async function report(error: unknown): Promise<number> {
  // Commander has printed its own errors already; help and version end with code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const { DatabaseRefusal, InvalidArgument } = await import('../server/index.js');
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`latchkey: ${message}\n`);
  if (error instanceof InvalidArgument) return 2;
  if (!(error instanceof DatabaseRefusal) && !isSystemError(error)) console.error(error);
  return 1;
}

/** Such as a port that is taken: the message says it all, and a stack would not help. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
