import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { TestingServer } from '../server/index.js';
import { plaintextOf, startLocal } from './support/local-server.js';
import { newFolder } from './support/process.js';

const run = promisify(execFile);

/** A copy of the example that has what is packed of this package installed, and otherwise what is installed here. */
async function install(example: string): Promise<string> {
  const folder = join(await newFolder(), example);
  await cp(join('examples', example), folder, { recursive: true });
  const modules = join(folder, 'node_modules');
  await mkdir(join(modules, 'latchkey'), { recursive: true });
  for (const name of await readdir('node_modules')) {
    if (name.startsWith('.') || name === 'latchkey') continue;
    await symlink(resolve('node_modules', name), join(modules, name));
  }
  const { stdout } = await run('npm', [
    'pack',
    '--ignore-scripts',
    '--json',
    '--loglevel=error',
    '--pack-destination',
    folder,
  ]);
  const [packed] = Object.values(JSON.parse(stdout) as Record<string, { filename: string }>);
  const tarball = join(folder, packed?.filename ?? '');
  await run('tar', ['-xzf', tarball, '-C', join(modules, 'latchkey'), '--strip-components', '1']);
  return folder;
}

test('examples/vitest-local-server and the README pass with the packed package', { timeout: 120_000 }, async () => {
  const folder = await install('vitest-local-server');
  const [, readme = ''] = /<!-- vitest -->\n+```ts\n(.*?)```/s.exec(await readFile('README.md', 'utf8')) ?? [];
  await writeFile(join(folder, 'test', 'readme.test.ts'), readme);
  const options = { cwd: folder, env: { PATH: process.env['PATH'] ?? '', NO_COLOR: '1' } };
  await run(process.execPath, [resolve('node_modules/typescript/bin/tsc')], options);
  const { stdout } = await run(process.execPath, [resolve('node_modules/vitest/vitest.mjs'), 'run'], options);
  expect(stdout).toMatch(/Tests +11 passed \(11\)/);
});

describe('examples/rotate-without-outage', () => {
  const SCRIPT = resolve('examples/rotate-without-outage/rotate-without-outage.js');
  const MINUTE = 60_000;

  beforeAll(async () => {
    await run(process.execPath, [resolve('node_modules/typescript/bin/tsc'), '--project', join(SCRIPT, '..')]);
  });

  async function startWithScript() {
    const tokens = ['deploy', 'operator'].map((name) => ({ name, plaintext: name }));
    const seed = { users: [{ email: 'ada@example.org', tokens }] };
    const server = await startLocal({ testing: { seed, frozenAt: '2030-01-01T00:00:00Z' } });
    const file = join(await newFolder(), 'secret');
    const id = server.users[0]?.tokens[0]?.id ?? '';
    const env = {
      PATH: process.env['PATH'] ?? '',
      LATCHKEY_URL: server.url,
      LATCHKEY_TOKEN: plaintextOf(server, 'operator'),
      WATCH_SECONDS: '0.01',
    };
    const start = (name: string) => {
      const child = spawn(process.execPath, [SCRIPT, id, name, file], { env });
      const output = { stdout: '', stderr: '' };
      child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
      onTestFinished(() => void child.kill('SIGKILL'));
      return {
        kill: () => child.kill('SIGKILL'),
        ended: once(child, 'close').then(([code]) => ({ code: code as number, ...output })),
      };
    };
    return { server, file, id, start };
  }

  /** Resolves once the script has looked at the token twice more, and so has seen what is there now. */
  async function watched({ requests }: TestingServer): Promise<void> {
    requests.clear();
    await requests.waitFor(({ operationId }) => operationId === 'getAccessToken', { timeoutMs: 10_000 });
    requests.clear();
    await requests.waitFor(({ operationId }) => operationId === 'getAccessToken', { timeoutMs: 10_000 });
  }

  test('ends when the earlier secret is out of use, though an answer was lost', async () => {
    const { server, file, id, start } = await startWithScript();
    server.faults.add({ operationId: 'rotateAccessToken', drop: 'after-commit' });
    const script = start('2030-01');
    await watched(server);
    server.clock.advance(50 * MINUTE);
    await server.client('deploy').getMe();
    await watched(server);
    server.clock.advance(59 * MINUTE);
    await watched(server);
    server.clock.advance(MINUTE);
    expect(await script.ended).toEqual({
      code: 0,
      stdout: expect.stringMatching(
        /^lk_pat_deplo has a successor, lk_pat_\w{5} in \S+, and serves until 2030-01-02T00:00:00.000Z\nlk_pat_deplo was last used 2030-01-01T00:50:00.000Z\nlk_pat_deplo has not been used for 1 h: .*\n$/,
      ) as string,
      stderr: '',
    });
    const secret = await readFile(file, 'utf8');
    expect(await server.client(secret).getCurrentAccessToken()).toMatchObject({ id });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test('goes on with the same secret when it is run again', async () => {
    const { server, file, start } = await startWithScript();
    const first = start('2030-01');
    await watched(server);
    first.kill();
    await first.ended;
    const secret = await readFile(file, 'utf8');
    const second = start('2030-01');
    await watched(server);
    server.clock.advance(60 * MINUTE);
    expect(await second.ended).toMatchObject({ code: 0 });
    expect(await readFile(file, 'utf8')).toBe(secret);
  });

  test('says so where the earlier secret is used until it ends', async () => {
    const { server, start } = await startWithScript();
    const script = start('2030-01');
    await watched(server);
    for (let halfHour = 1; halfHour < 48; halfHour++) {
      server.clock.advance(30 * MINUTE);
      await server.client('deploy').getMe();
    }
    server.clock.advance(30 * MINUTE);
    expect(await script.ended).toMatchObject({
      code: 1,
      stderr: 'lk_pat_deplo was in use until it ended: whoever sends it is refused now, and logged\n',
    });
  });

  test('is refused what the service refuses', async () => {
    const { server, id, start } = await startWithScript();
    await server.client('ada@example.org').revokeAccessToken({ path: { token_id: id } });
    expect(await start('2030-01').ended).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^The token is revoked, and stays as it is\. \(request \S+\)\n$/) as string,
    });
  });
});
