import type { Command } from 'commander';
import type { TestingServer } from '../server/index.js';
import { print } from './output/print.js';
import { readSettings } from './settings.js';
import { stopOnSignal } from './stop.js';
import { welcome } from './welcome.js';

interface DevFlags {
  port?: string;
  seed?: string;
  json?: boolean;
  exitWithStdin?: boolean;
}

const DEMO = {
  users: [
    {
      email: 'demo@latchkey.local',
      password: 'demo password',
      fullName: 'Demo',
      isAdmin: true,
      createdAt: '-90d',
      tokens: [
        { name: 'demo', plaintext: 'demo', createdAt: '-30d', expiresAt: '+365d' },
        { name: 'expired', plaintext: 'expired', createdAt: '-60d', expiresAt: '-1d' },
      ],
    },
  ],
};

export function addDev(program: Command): void {
  program
    .command('dev')
    .description(
      'Run a local server to try Latchkey or test with it: in memory, with a demo user, controlled over HTTP.',
    )
    .option('--port <number>', 'port to listen on, 0 for a free one (LATCHKEY_PORT, 8080)')
    .option('--seed <file>', 'users and tokens from a JSON or YAML file, instead of the demo user')
    .option('--json', 'print one line of JSON instead, for programs')
    .option('--exit-with-stdin', 'end when standard input is closed, for example because the parent process ends')
    .addHelpText(
      'after',
      '\nThe schema of a seed is latchkey/seed.schema.json. The HTTP control is described at /__testing/openapi.yaml.',
    )
    .action(dev);
}

async function dev({ port, seed, json, exitWithStdin }: DevFlags): Promise<void> {
  const { startServer } = await import('../server/index.js');
  const config = await readSettings({ port, database: ':memory:' }, { logLevel: 'warn' });
  const starting = startServer({ ...config, testing: { seed: seed ?? DEMO } });
  stopOnSignal(async () => (await starting).close(), json === true ? {} : { say: print });
  const server = await starting;
  process.stdout.write(json === true ? `${JSON.stringify(describe(server))}\n` : await welcome(server));
  if (exitWithStdin === true) {
    process.stdin.once('close', () => void server.close());
    process.stdin.resume();
  }
}

/** The line of JSON for a test runner in another language. */
function describe({ url, users, owners }: TestingServer): object {
  return { url, control: `${url}/__testing`, pid: process.pid, users, owners };
}
