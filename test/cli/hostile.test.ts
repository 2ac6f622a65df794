import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { HOSTILE, serveHostile } from '../support/hostile.js';
import { withChecksum } from '../support/plaintext.js';
import { type Finished, latchkey, newFolder } from '../support/process.js';

// Whatever a service says, a terminal only shows it.

const TOKEN = withChecksum('lk_pat_4fGq1ZsW8vKtYb0Xc7Rn2LmJd5PhQe');
/** Commands that ask no service of somebody else's. */
const OWN = [
  'serve',
  'dev',
  'users',
  'backup',
  'restore',
  'check',
  'copy',
  'migrate',
  'rotate-key',
  'completion',
  'help',
];

/** Every command that asks a service, with standard input where it takes any. */
const COMMANDS: Record<string, { args: string[]; input?: string }> = {
  login: { args: ['--email', 'ada@example.org', '--password-stdin'], input: 'correct horse\n' },
  whoami: { args: [] },
  'tokens create': { args: ['ci', '--scope', 'a', '--expires-in', '1d'] },
  'tokens list': { args: ['--all'] },
  'tokens show': { args: ['current'] },
  'tokens rotate': { args: ['current'] },
  'tokens edit': { args: ['current', '--name', 'other'] },
  'tokens revoke': { args: ['current'] },
  'tokens transfer': { args: ['01820000-0000-7000-8000-000000000001', '--to', '2', '--yes'] },
  'tokens verify': { args: [], input: `${TOKEN}\n` },
  'audit list': { args: [] },
  'audit export': { args: [] },
  scan: { args: ['leaked.txt', '--check'] },
  contract: { args: ['--only', 'getMe', '--time', '1s'] },
  logout: { args: [] },
};

test('the walk below has every command', async () => {
  const named = async (...words: string[]) =>
    (await latchkey(['complete', '--', ...words, ''])).stdout
      .split('\n')
      .map((line) => line.split('\t')[0] ?? '')
      .filter((name) => name !== '' && !OWN.includes(name));
  const top = (await named()).filter((name) => !['tokens', 'audit'].includes(name));
  const below = (await named('tokens')).map((name) => `tokens ${name}`);
  // Of the others, two read a database, and one has no end.
  const remote = (await named('audit')).filter((name) => !['verify', 'anchor', 'follow'].includes(name));
  expect([...top, ...below, ...remote.map((name) => `audit ${name}`)].sort()).toEqual(Object.keys(COMMANDS).sort());
});

const PROBLEM = { loc: ['body', HOSTILE], msg: HOSTILE, type: HOSTILE };

test.each<[string, Parameters<typeof serveHostile>[0], string[], string[]]>([
  ['for people', undefined, [], []],
  ['as JSON', undefined, ['--json'], []],
  ['refusals', { status: 403, body: { detail: HOSTILE, code: 'insufficient_scope' } }, [], ['logout']],
  ['bad input', { status: 422, body: { detail: [PROBLEM] } }, [], ['logout']],
  ['no answer of the contract', { status: 502, body: HOSTILE }, [], []],
])(
  'no answer drives the terminal, in any command: %s',
  async (_, refusal, flags, silent) => {
    const url = await serveHostile(refusal);
    const cwd = await newFolder();
    await writeFile(join(cwd, 'leaked.txt'), TOKEN);
    const folder = join(cwd, 'config');
    for (const [command, { args, input = '' }] of Object.entries(COMMANDS)) {
      const json = command === 'contract' ? [] : flags;
      const at = ['login', 'contract'].includes(command) ? ['--url', url] : [];
      if (command === 'logout' && refusal !== undefined) await keepProfile(folder, url);
      const finished = await latchkey([...command.split(' '), ...args, ...at, ...json], {
        input,
        cwd,
        env: {
          LATCHKEY_CONFIG: folder,
          FORCE_COLOR: '1',
          ...(!['login', 'logout'].includes(command) && { LATCHKEY_URL: url, LATCHKEY_TOKEN: TOKEN }),
        },
      });
      expectHarmless(command, finished);
      // What a run of contract tests tells of answers depends on how far it comes.
      if (![...silent, 'contract'].includes(command) && !(command === 'logout' && refusal === undefined))
        expect(finished.stdout + finished.stderr, command).toMatch(/evil|does not answer as a Latchkey service does/);
    }
  },
  120_000,
);

function expectHarmless(command: string, { stdout, stderr }: Finished): void {
  for (const text of [stdout, stderr]) {
    // The command's own colours.
    const plain = text.replace(/\u001B\[\d+m/g, '');
    expect(plain, command).not.toMatch(/[^\P{Cc}\n]|[\p{Cs}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/u);
    expect(plain, command).not.toMatch(/^FORGED/m);
  }
}

async function keepProfile(folder: string, url: string): Promise<void> {
  await mkdir(join(folder, 'profiles'), { recursive: true, mode: 0o700 });
  const profile = { url, insecureHttp: false, email: 'a@b', tokenId: 'x', token: TOKEN, refreshToken: TOKEN };
  await writeFile(join(folder, 'profiles', 'default.json'), JSON.stringify(profile), { mode: 0o600 });
}
