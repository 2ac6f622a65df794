import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { TestingServer } from '../server/index.js';
import { latchkeyPerFile } from '../testing/vitest.js';
import { blockBehind, documentsWith } from './support/documents.js';
import { send } from './support/http.js';
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

test('examples/vitest-local-server and the guide pass with the packed package', { timeout: 120_000 }, async () => {
  const folder = await install('vitest-local-server');
  const guide = blockBehind('vitest', 'ts');
  await writeFile(join(folder, 'test', 'guide.test.ts'), guide);
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
        /^lk_pat_deplo was replaced by lk_pat_\w{5} in \S+ and is valid until 2030-01-02T00:00:00.000Z\nlk_pat_deplo was last used 2030-01-01T00:50:00.000Z\nlk_pat_deplo has not been used for 1 h: .*\n$/,
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
      stderr: 'lk_pat_deplo was in use until it expired: the service now rejects and logs requests with it\n',
    });
  });

  test('is refused what the service refuses', async () => {
    const { server, id, start } = await startWithScript();
    await server.client('ada@example.org').revokeAccessToken({ path: { token_id: id } });
    expect(await start('2030-01').ended).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^The token is revoked. A revoked token cannot be changed\. \(request \S+\)\n$/,
      ) as string,
    });
  });
});

describe('examples/protect-an-api', () => {
  const service = latchkeyPerFile({
    testing: {
      seed: {
        users: [
          {
            email: 'demo@latchkey.local',
            password: 'demo password',
            tokens: [
              { name: 'invoice API', plaintext: 'api', scopes: ['tokens:verify'] },
              { name: 'reporting', plaintext: 'reporting', scopes: ['invoices:read'] },
              { name: 'deploy bot', plaintext: 'deploy', scopes: [] },
            ],
          },
        ],
      },
    },
  });
  const FOLDER = resolve('examples/protect-an-api');

  const environment = () => ({ PATH: process.env['PATH'], LATCHKEY_TOKEN: plaintextOf(service, 'invoice API') });

  /** Runs a program of the example on a free port, and resolves when it listens. */
  async function start(program: string) {
    const child = spawn(process.execPath, [program], {
      cwd: FOLDER,
      env: { ...environment(), PORT: '0', LATCHKEY_URL: service.url },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill());
    let printed = '';
    const port = await new Promise<string>((resolve, reject) => {
      child.stdout.on('data', (chunk: Buffer) => {
        printed += chunk.toString();
        const [, found] = /^listening on .*\bport: (\d+)/m.exec(printed) ?? [];
        if (found !== undefined) resolve(found);
      });
      child.once('exit', () => {
        reject(new Error(`${program} ended: ${printed}`));
      });
    });
    return { url: `http://127.0.0.1:${port}`, printed: () => printed.split('\n').slice(-5) };
  }

  test('is typed', { timeout: 60_000 }, async () => {
    await run(process.execPath, [resolve('node_modules/typescript/bin/tsc'), '--project', FOLDER]);
  });

  test.each(['node.js', 'express.js', 'koa.js', 'fastify.js', 'hono.js'])(
    '%s takes who may, and no others',
    async (program) => {
      const api = await start(program);
      const reporting = plaintextOf(service, 'reporting');
      expect((await send(api, 'GET /hello')).text).toBe('Hello stranger\n');
      expect((await send(api, 'GET /hello', { token: reporting })).text).toBe('Hello demo@latchkey.local\n');
      const invoices = async (token?: string) => {
        const { status, text } = await send(api, 'GET /invoices', token === undefined ? {} : { token });
        return { status, text };
      };
      expect(await invoices(reporting)).toEqual({
        status: 200,
        text: 'Invoices of demo@latchkey.local, shown to reporting\n',
      });
      expect(await invoices()).toMatchObject({ status: 401 });
      expect(await invoices(plaintextOf(service, 'deploy bot'))).toMatchObject({ status: 403 });
      await service.client(reporting).revokeCurrentAccessToken();
      expect(await invoices(reporting)).toMatchObject({ status: 401 });
      service.faults.add({ operationId: 'verifyAccessToken', status: 500 });
      expect(await invoices(reporting)).toMatchObject({ status: 503 });
      await expect
        .poll(api.printed)
        .toEqual([
          '401 missing -',
          '403 insufficient_scope deploy bot',
          '401 revoked reporting',
          expect.stringMatching(/^503 The token was not verified: /),
          '',
        ]);
    },
  );

  test.each(documentsWith('middleware'))("%s's program prints what it says", async (file) => {
    const pattern = /<!-- middleware -->\n+```js\n(.*?)```\n+```sh\n(.*?)```\n+```text\n(.*?)```/s;
    const [, program = '', commands = '', output] = pattern.exec(await readFile(file, 'utf8')) ?? [];
    const port = String(await freePort());
    const child = spawn(process.execPath, ['--input-type=module', '-e', program.replace('3000', port)], {
      env: { ...environment(), LATCHKEY_URL: service.url },
      stdio: 'ignore',
    });
    onTestFinished(() => void child.kill());
    const url = `http://127.0.0.1:${port}`;
    await expect.poll(() => send({ url }, 'GET /').then(Boolean, () => false), { timeout: 10_000 }).toBe(true);
    const tokens = { TOKEN: plaintextOf(service, 'reporting'), OTHER_TOKEN: plaintextOf(service, 'deploy bot') };
    const script = commands.replaceAll('http://127.0.0.1:3000', url).replaceAll('\n', '; echo\n');
    const { stdout } = await run('bash', ['-euc', script], { env: { PATH: process.env['PATH'], ...tokens } });
    expect(stdout.replaceAll(/\n+/g, '\n')).toBe(output);
  });

  test.each(documentsWith('middleware'))("%s's program compiles in strict TypeScript", async (file) => {
    const [, program = ''] = /<!-- middleware -->\n+```js\n(.*?)```/s.exec(await readFile(file, 'utf8')) ?? [];
    expect(program).toContain('auth.owner.email');
    expect(errorsOf(program)).toEqual([]);
    expect(errorsOf(program.replace('authenticated(({ auth }', '(({ auth }'))).not.toEqual([]);
  });

  /** What the compiler says of `program`, as a file of the example. */
  function errorsOf(program: string): string[] {
    const options: ts.CompilerOptions = {
      ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, noEmit: true },
      ...{ module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2023, types: ['node'], skipLibCheck: true },
    };
    const path = resolve(FOLDER, 'readme.ts');
    const host = ts.createCompilerHost(options);
    const { getSourceFile, fileExists } = host;
    host.fileExists = (name) => name === path || fileExists(name);
    host.getSourceFile = (name, version) =>
      name === path ? ts.createSourceFile(name, program, version) : getSourceFile(name, version);
    const diagnostics = ts.getPreEmitDiagnostics(ts.createProgram([path], options, host));
    return diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  }
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
