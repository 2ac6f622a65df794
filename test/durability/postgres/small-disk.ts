import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { databaseAt, freePort, postgresFolder } from '../../../bench/embedded-postgres.mjs';
import { mounting, NOT_ROOT, SMALL } from '../../support/namespace.js';
import { newFolder, type WhenDone } from '../../support/process.js';

/** A PostgreSQL that has the tables of one database on a disk of 24 MiB, and its log of changes on another disk. */
export interface SmallDisk {
  /** URL of the empty database. */
  database: string;
  /** The small disk, as this process sees it. */
  folder: string;
  /** What the server has logged. */
  log(): string;
}

/**
 * Starts PostgreSQL in namespaces of its own: one has the small disk, and in the other PostgreSQL is not root. A full disk
 * under its log of changes would end PostgreSQL, which is what `kill` does.
 */
export async function startOnSmallDisk(whenDone: WhenDone): Promise<SmallDisk> {
  const folder = await newFolder(whenDone);
  const [data, disk] = [join(folder, 'data'), join(folder, 'disk')];
  await mkdir(disk);
  const port = await freePort();
  const programs = join(postgresFolder(), 'native/bin');
  const flags = Object.entries({ listen_addresses: '127.0.0.1', unix_socket_directories: '', max_connections: '60' })
    .map(([name, value]) => `-c ${name}='${value}'`)
    .join(' ');
  const script = `"$1/initdb" --no-sync --auth=trust --username=tester --encoding=UTF8 --locale=C -D "$0" >&2 &&
    exec "$1/postgres" -D "$0" -p ${String(port)} ${flags}`;
  const [command, ...args] = [...mounting(SMALL, disk), ...NOT_ROOT, 'sh', '-c', script, data, programs];
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  const ended = once(child, 'close');
  whenDone(async () => {
    child.kill('SIGQUIT');
    await ended;
  });
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString();
      if (log.includes('ready to accept connections')) resolve();
    });
    void ended.then(() => {
      reject(new Error(`PostgreSQL ended: ${log}`));
    });
  });
  const url = `postgres://tester:unused@127.0.0.1:${String(port)}/postgres`;
  const client = new Client(url);
  await client.connect();
  await client.query(`create tablespace small location '${disk}'`);
  await client.query("create database latchkey template template0 encoding 'UTF8' tablespace small");
  await client.end();
  return {
    database: databaseAt(url, 'latchkey'),
    folder: join('/proc', String(child.pid), 'root', disk),
    log: () => log,
  };
}
