import type { Command } from 'commander';
import { readConfig, startServer } from '../server/index.js';

interface ServeFlags {
  host?: string;
  port?: string;
  database?: string;
  checkResponses?: boolean;
}

export function addServe(program: Command): void {
  program
    .command('serve')
    .description('Run the service until SIGTERM or SIGINT.')
    .option('--host <address>', 'address to listen on (LATCHKEY_HOST, 127.0.0.1)')
    .option('--port <number>', 'port to listen on, 0 for any that is free (LATCHKEY_PORT, 8080)')
    .option('--database <path>', 'database file, or :memory: (LATCHKEY_DATABASE, latchkey.db)')
    .option('--check-responses', 'answer 500 where an answer breaks the contract, for development')
    .addHelpText('after', '\nThe README lists the environment variables for everything else.')
    .action(serve);
}

async function serve({ checkResponses, ...flags }: ServeFlags): Promise<void> {
  const config = readConfig({ ...flags, ...(checkResponses === true && { checkResponses: 'true' }) });
  const starting = startServer(config);
  // From here on, so that a signal during the start closes the database properly too.
  stopOnSignal(async () => (await starting).close());
  const server = await starting;
  if (server.firstUser?.generated === true) {
    const { email, password } = server.firstUser;
    process.stdout.write(`created user ${email} with password ${password} (shown this once)\n`);
  }
  process.stdout.write(`latchkey listening on ${server.url}\n`);
}

function stopOnSignal(close: () => Promise<void>): void {
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(1);
      stopping = true;
      close().then(
        () => process.exit(0),
        (error: unknown) => {
          process.stderr.write(`latchkey: could not stop cleanly: ${String(error)}\n`);
          process.exit(1);
        },
      );
    });
  }
}
