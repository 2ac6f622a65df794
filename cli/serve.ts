import type { Command } from 'commander';
import { describeSettings } from '../server/config/settings.js';
import type { Config, RunningServer } from '../server/index.js';
import { Failure, Rejected, WrongUse } from './failure.js';
import { note, print, printOnce } from './output/print.js';
import { readSettings } from './settings.js';
import { stopOnSignal } from './stop.js';

interface ServeFlags {
  host?: string;
  port?: string;
  database?: string;
  workers?: string;
  checkResponses?: boolean;
  testing?: boolean;
  seed?: string;
}

export function addServe(program: Command): void {
  program
    .command('serve')
    .description('Run the service until SIGTERM or SIGINT.')
    .option('--host <address>', 'address to listen on (LATCHKEY_HOST, 127.0.0.1)')
    .option('--port <number>', 'port to listen on, 0 for a free one (LATCHKEY_PORT, 8080)')
    .option('--database <path>', 'database file, or :memory: (LATCHKEY_DATABASE, latchkey.db)')
    .option('--workers <number>', 'processes that share port and database, 1 to 64 (LATCHKEY_WORKERS, 1)')
    .option('--check-responses', 'answer 500 if a response breaks the contract, for development')
    .option(
      '--testing',
      'for tests only: in memory, on a loopback address, and controlled over HTTP without a credential',
    )
    .option('--seed <file>', 'with --testing: users and tokens from a JSON or YAML file')
    .addHelpText('after', () => `\nSettings by environment variable, which a flag overrides:\n${describeSettings()}`)
    .action(serve);
}

async function serve({ checkResponses, testing = false, seed, ...flags }: ServeFlags): Promise<void> {
  if (seed !== undefined && !testing) throw new WrongUse('--seed needs --testing');
  // A closed standard error must not stop the service.
  process.stderr.on('error', () => undefined);
  // Imported here, so that other commands do not load the server.
  const { startServer } = await import('../server/index.js');
  const given = { ...flags, ...(checkResponses === true && { checkResponses: 'true' }) };
  const config = await readSettings(given, testing ? { database: ':memory:' } : {});
  if (config.workers > 1) {
    if (testing) throw new WrongUse('--testing runs in one process: --workers (LATCHKEY_WORKERS) must be 1');
    await serveByWorkers(config);
    return;
  }
  const starting = testing
    ? startServer({ ...config, testing: seed === undefined ? {} : { seed } })
    : startServer(config);
  // Installed before the start ends, so that a signal during the start closes the database properly too.
  stopOnSignal(async () => (await starting).close(), { say: print });
  const server = await starting;
  if (server.firstUser !== null) await printFirstUser(server.firstUser);
  if (testing) process.stdout.write(`for tests only: controlled over HTTP at ${server.url}/__testing/\n`);
  process.stdout.write(`latchkey listening on ${server.url}\n`);
}

async function serveByWorkers(config: Readonly<Config>): Promise<void> {
  const { startWorkers } = await import('../server/index.js');
  const starting = startWorkers(config, (firstUser) => void printFirstUser(firstUser));
  let kill = (): void => undefined;
  let isStopping = false;
  // Ctrl-C reaches the workers too, which may then end during the start. That is no error.
  const close = async () => {
    isStopping = true;
    const workers = await starting.catch(() => undefined);
    await workers?.close();
  };
  stopOnSignal(close, {
    kill: () => {
      kill();
    },
    say: print,
  });
  const workers = await starting.catch((error: unknown) => {
    if (!isStopping) throw error;
  });
  if (workers === undefined) return;
  kill = () => {
    workers.kill();
  };
  process.stdout.write(`latchkey listening on ${workers.url}\n`);
  await workers.ended.catch((error: unknown) => {
    throw new Rejected(error instanceof Error ? error.message : String(error));
  });
}

/** Prints the first user. If that fails, the service runs anyway, because another password can be set. */
async function printFirstUser({ email, password, generated }: NonNullable<RunningServer['firstUser']>): Promise<void> {
  if (!generated) return;
  try {
    const remedy = `latchkey users set-password ${email}`;
    await printOnce(
      `created user ${email} with password ${password} (shown only once)`,
      `created user ${email}, but the password was not shown; to set another: ${remedy}`,
    );
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    note(`latchkey: ${error.message}`);
  }
}
