import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startLocal } from './support/local-server.js';
import { packBoth, unpack } from './support/packed.js';
import { newFolder } from './support/process.js';

const run = promisify(execFile);

const QUIETLY = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
/** Compiled when this repository's packages were installed; compiling it anew takes a minute. */
const ADDON = 'node_modules/better-sqlite3/build/Release/better_sqlite3.node';
const NOT_BUILT = 'better-sqlite3 was not built: npm rebuild better-sqlite3, or pnpm approve-builds';
const OF_ANOTHER =
  'better-sqlite3 was built for another version of Node or another machine: npm rebuild better-sqlite3';
const NO_HASHING =
  '@node-rs/argon2, which hashes passwords, lacks its part for this machine: install again with optional dependencies (npm install --include=optional)';
const START_SERVERS = `
  import { startServer } from './dist/server/index.js';
  for (const options of [{ port: 0, database: 'latchkey.db' }, { testing: {} }]) {
    await startServer(options).catch(({ name, message }) => console.log(name + ': ' + message));
  }
`;

test('a clone without development dependencies says what is missing, and serves what was built', async () => {
  const clone = await newFolder();
  const latchkey = (...args: string[]) => finish(clone, process.execPath, ['dist/cli/main.js', ...args]);
  for (const path of [
    'package.json',
    'package-lock.json',
    '.npmrc',
    'client/package.json',
    'scripts',
    'openapi.yaml',
    'generated',
    'testing',
  ]) {
    await cp(path, join(clone, path), { recursive: true });
  }
  await run('npm', ['ci', '--omit=dev', ...QUIETLY], { cwd: clone });
  expect(existsSync(join(clone, 'node_modules/rolldown'))).toBe(false);
  expect(await finish(clone, 'npm', ['run', '--silent', 'prepare'])).toEqual({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^latchkey is not built, .*: run `npm ci`, .* `npm prune --omit=dev`\n$/) as string,
  });
  await cp('dist', join(clone, 'dist'), { recursive: true });
  expect(await finish(clone, 'npm', ['run', '--silent', 'prepare'])).toEqual({ code: 0, stdout: '', stderr: '' });

  // The install scripts were left out, as pnpm does by itself.
  for (const args of [
    ['dev', '--port', '0'],
    ['serve', '--port', '0'],
    ['serve', '--workers', '2'],
    ['check'],
    ['backup', 'b'],
  ]) {
    if (args[0] !== 'serve') await writeFile(join(clone, 'latchkey.db'), '');
    const found = await latchkey(...args);
    expect(found, args.join(' ')).toEqual({ code: 1, stdout: '', stderr: `latchkey: ${NOT_BUILT}\n` });
  }
  expect(await readdir(clone)).not.toContain('b');
  expect(await finish(clone, process.execPath, ['--input-type=module', '-e', START_SERVERS])).toEqual({
    code: 0,
    stdout: `UnusableDatabase: ${NOT_BUILT}\n`.repeat(2),
    stderr: '',
  });
  expect(await latchkey('scan', 'scripts')).toMatchObject({ code: 0 });
  expect((await latchkey('tokens', 'list')).stderr).toMatch(/^latchkey: profile default is not logged in/);

  await mkdir(dirname(join(clone, ADDON)), { recursive: true });
  await writeFile(join(clone, ADDON), 'of another machine');
  expect((await latchkey('dev', '--port', '0')).stderr).toBe(`latchkey: ${OF_ANOTHER}\n`);
  await cp(ADDON, join(clone, ADDON));
  expect(await latchkey('users', 'list', '--database', 'none.db')).toMatchObject({
    stderr: 'latchkey: there is no database none.db\n',
  });
  const added = await latchkey('users', 'add', 'ada@example.org', '--database', 'new.db');
  expect(added).toMatchObject({ code: 0, stderr: '' });

  expect(await latchkey('serve', '--port', '0', '--database', 'postgres://a@127.0.0.1:1/a')).toEqual({
    code: 1,
    stdout: '',
    stderr: 'latchkey: PostgreSQL needs the package pg beside latchkey: npm install pg\n',
  });

  // As with --omit=optional.
  const scope = join(clone, 'node_modules/@node-rs');
  for (const name of await readdir(scope)) if (name !== 'argon2') await rm(join(scope, name), { recursive: true });
  for (const workers of ['1', '2']) {
    const started = await latchkey('serve', '--port', '0', '--database', 'first.db', '--workers', workers);
    expect(started).toEqual({ code: 1, stdout: '', stderr: `latchkey: ${NO_HASHING}\n` });
  }
}, 180_000);

test('each example works from a copy, with the packages from their tarballs', async () => {
  const folder = await newFolder();
  const tarballs = await packBoth(folder);
  const copyOf = async (name: string) => {
    await cp(join('examples', name), join(folder, name), { recursive: true });
    return join(folder, name);
  };
  const server = await startLocal();
  const [ada] = server.users;
  const env = { LATCHKEY_URL: server.url, LATCHKEY_TOKEN: ada?.tokens[0]?.plaintext ?? '' };

  for (const [name, sees] of [
    ['manage-tokens', 'deploy bot'],
    ['rotate-without-outage', 'usage: '],
  ] as const) {
    const copy = await copyOf(name);
    await run('npm', ['install', '--omit=dev', ...QUIETLY, tarballs.client], { cwd: copy });
    const { stdout, stderr } = await finish(copy, process.execPath, [`${name}.js`, 'list'], env);
    expect(stdout + stderr, name).toContain(sees);
  }

  const api = await copyOf('protect-an-api');
  await unpack(tarballs.client, api, '@latchkey/client');
  await link(api, ['express', '@koa/router', 'koa', 'fastify', 'hono', '@hono/node-server']);
  for (const program of ['node', 'express', 'koa', 'fastify', 'hono']) {
    const script = `await import('./${program}.js'); setTimeout(() => process.exit(), 500);`;
    const { stdout, stderr } = await finish(api, process.execPath, ['-e', script], { ...env, PORT: '0' });
    expect(stdout + stderr, program).toMatch(/^listening on /);
  }

  const shop = await copyOf('customer-keys');
  await unpack(tarballs.client, shop, '@latchkey/client');
  await link(shop, ['hono', '@hono/node-server']);
  const script = "await import('./server.js'); setTimeout(() => process.exit(), 500);";
  expect(await finish(shop, process.execPath, ['-e', script], { ...env, PORT: '0' })).toMatchObject({
    stdout: expect.stringMatching(/^listening on /) as string,
  });

  const suite = await copyOf('vitest-local-server');
  await unpack(tarballs.server, suite, 'latchkey');
  await link(suite, ['vitest', 'better-sqlite3', '@node-rs/argon2']);
  const { code, stdout } = await finish(suite, process.execPath, ['node_modules/vitest/vitest.mjs', 'run'], {
    NO_COLOR: '1',
  });
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/Tests +\d+ passed/) as string });
}, 180_000);

async function finish(cwd: string, command: string, args: string[], env: Record<string, string> = {}) {
  const options = { cwd, env: { PATH: process.env['PATH'], HOME: process.env['HOME'], LATCHKEY_CONFIG: cwd, ...env } };
  return await run(command, args, options).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: unknown) => {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, stdout, stderr };
    },
  );
}

/** Has `project` use packages that are installed here. */
async function link(project: string, names: string[]): Promise<void> {
  for (const name of names) {
    const to = join(project, 'node_modules', name);
    await mkdir(dirname(to), { recursive: true });
    await symlink(resolve('node_modules', name), to);
  }
}
