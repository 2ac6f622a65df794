import type { Command } from 'commander';
import type { SeededUser, TestingServer } from '../server/index.js';
import { WrongUse } from './failure.js';
import { readSettings } from './settings.js';
import { stopOnSignal } from './stop.js';

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
    .description('Run a local server for tests and trying out: in memory, with a demo user, under your control.')
    .option('--port <number>', 'port to listen on, 0 for any that is free (LATCHKEY_PORT, 8080)')
    .option('--seed <file>', 'users and tokens from a JSON or YAML file, instead of the demo user')
    .option('--json', 'print one line of JSON instead, for programs')
    .option('--exit-with-stdin', 'end when standard input is closed, as it is when the parent process ends')
    .addHelpText(
      'after',
      '\nThe seed is described by latchkey/seed.schema.json, the control by /__testing/openapi.yaml.',
    )
    .action(dev);
}

async function dev({ port, seed, json, exitWithStdin }: DevFlags): Promise<void> {
  const { startServer } = await import('../server/index.js');
  const config = await readSettings({ port, database: ':memory:' }, { logLevel: 'warn' });
  const starting = startServer({ ...config, testing: { seed: seed ?? DEMO } });
  stopOnSignal(async () => (await starting).close());
  const server = await starting;
  process.stdout.write(json === true ? `${JSON.stringify(describe(server))}\n` : welcome(server, seed === undefined));
  if (exitWithStdin === true) {
    process.stdin.once('close', () => void server.close());
    process.stdin.resume();
  }
}

/** What a test runner in another language needs to know. */
function describe({ url, users }: TestingServer): object {
  return { url, control: `${url}/__testing`, pid: process.pid, users };
}

function welcome({ url, users }: TestingServer, isDemo: boolean): string {
  const [user] = users;
  if (user === undefined) throw new WrongUse('a local server has at least one user');
  return [
    `latchkey dev listening on ${url}`,
    '',
    `user      ${user.email}`,
    `password  ${user.password}`,
    ...tokenLines(user, isDemo),
    '',
    'Everything is in memory and gone when this ends. Try:',
    '',
    ...curlLines(url, user).map((line) => `  ${line}`),
    '',
  ].join('\n');
}

function tokenLines({ tokens }: SeededUser, isDemo: boolean): string[] {
  return tokens
    .slice(0, 10)
    .map(({ name, plaintext }, index) => `token     ${plaintext}  ${isDemo && index === 0 ? `${name}, valid` : name}`);
}

function curlLines(url: string, { email, password, tokens }: SeededUser): string[] {
  const json = "-H 'Content-Type: application/json'";
  const token = tokens[0]?.plaintext;
  const control = `${url}/__testing`;
  return [
    `curl -s ${url}/api/v1/auth/login/ ${json} -d ${quoted(JSON.stringify({ username: email, password }))}`,
    ...(token === undefined ? [] : [`curl -s ${url}/api/v1/access-tokens -H 'Authorization: Bearer ${token}'`]),
    `curl -s -X PUT ${control}/clock ${json} -d '{"advanceMs": 86400000}'`,
    `curl -s ${control}/faults ${json} -d '{"operationId": "createAccessToken", "status": 503}'`,
    `curl -s ${control}/requests`,
    `curl -s -X POST ${control}/reset`,
  ];
}

/** As one word of a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
