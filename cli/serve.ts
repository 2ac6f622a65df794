import type { Command } from 'commander';
import { describeSettings } from '../server/config/settings.js';
import type { Config, RunningServer } from '../server/index.js';
import { Failure, Refused, WrongUse } from './failure.js';
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
    .option('--port <number>', 'port to listen on, 0 for any that is free (LATCHKEY_PORT, 8080)')
    .option('--database <path>', 'database file, or :memory: (LATCHKEY_DATABASE, latchkey.db)')
    .option('--workers <number>', 'processes that share port and database, 1 to 64 (LATCHKEY_WORKERS, 1)')
    .option('--check-responses', 'answer 500 where an answer breaks the contract, for development')
    .option('--testing', 'for tests alone: in memory, on loopback, and controlled over HTTP by whoever reaches it')
    .option('--seed <file>', 'with --testing: users and tokens from a JSON or YAML file')
    .addHelpText(
      'after',
      () => `\nSettings, by their environment variables; flags win over them:\n${describeSettings()}`,
    )
    .action(serve);
}

async function serve({ checkResponses, testing = false, seed, ...flags }: ServeFlags): Promise<void> {
  if (seed !== undefined && !testing) throw new WrongUse('--seed needs --testing');
  // What cannot be written to it must not stop the service.
  process.stderr.on('error', () => undefined);
  // Only here, as in every command: none loads what another one needs.
  const { startServer } = await import('../server/index.js');
  const given = { ...flags, ...(checkResponses === true && { checkResponses: 'true' }) };
  const config = await readSettings(given, testing ? { database: ':memory:' } : {});
  if (config.workers > 1) {
    if (testing)
      throw new WrongUse('--testing is one process in memory: --workers (LATCHKEY_WORKERS) must be 1 with it');
    await serveByWorkers(config);
    return;
  }
  const starting = testing
    ? startServer({ ...config, testing: seed === undefined ? {} : { seed } })
    : startServer(config);
  // From here on, so that a signal during the start closes the database properly too.
  stopOnSignal(async () => (await starting).close(), { say: print });
  const server = await starting;
  if (server.firstUser !== null) await printFirstUser(server.firstUser);
  if (testing) process.stdout.write(`for tests alone: controlled over HTTP at ${server.url}/__testing/\n`);
  process.stdout.write(`latchkey listening on ${server.url}\n`);
}

async function serveByWorkers(config: Readonly<Config>): Promise<void> {
  const { startWorkers } = await import('../server/index.js');
  const starting = startWorkers(config, (firstUser) => void printFirstUser(firstUser));
  let kill = (): void => undefined;
  let isStopping = false;
  // Ctrl-C reaches the workers as well, which may end a start before it is done: that is what was asked for.
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
    throw new Refused(error instanceof Error ? error.message : String(error));
  });
}

/** A service whose password nobody saw serves all the same: another can be set. */
async function printFirstUser({ email, password, generated }: NonNullable<RunningServer['firstUser']>): Promise<void> {
  if (!generated) return;
  try {
    const remedy = `latchkey users set-password ${email}`;
    await printOnce(
      `created user ${email} with password ${password} (shown this once)`,
      `created user ${email}, and nobody has the password; for another: ${remedy}`,
    );
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    note(`latchkey: ${error.message}`);
  }
}
