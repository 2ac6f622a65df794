import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { databaseAt, startPostgres } from '../../../bench/embedded-postgres.mjs';
import type { WhenDone } from '../../support/process.js';
import { type Nodes, shareNodes, startNodes } from '../nodes.js';

/** Enough for three nodes, which use 12 each at most, and a few clients of the test. */
const CONNECTIONS = 42;

/** A PostgreSQL of the test's own, whose processes it may end or stop. It flushes, unlike the one of the other tests. */
export interface OwnServer {
  /** URL of an empty database. */
  database: string;
  /** Starts the server again, and resolves when it accepts connections. */
  start(): Promise<void>;
  /** Ends all processes of the server by SIGKILL. */
  kill(): Promise<void>;
  /** Does what `pg_ctl stop` does with `-m immediate` and `-m fast`: it sends a signal to the first process. */
  stop(mode: 'immediate' | 'fast'): Promise<void>;
  /** Ends one process that serves a connection by SIGKILL, so that the server recovers from a crash by itself. */
  killBackend(): Promise<void>;
  /** Stops all processes where they are, until `goOn`. */
  hang(): void;
  goOn(): void;
  /** Runs one query as a superuser on a connection of its own. */
  query(text: string): Promise<Record<string, unknown>[]>;
  /** Resolves when the server accepts a connection, with the time in milliseconds of the monotonic clock. */
  untilAccepting(): Promise<number>;
}

/** Three nodes on a server of their own, for all tests of a file. */
export function shareNodesOnOwnServer(): () => Promise<Nodes & { server: OwnServer }> {
  return shareNodes(async (whenDone) => {
    const server = await startOwnServer(whenDone);
    return { ...(await startNodes(whenDone, { url: server.database })), server };
  });
}

async function startOwnServer(whenDone: WhenDone): Promise<OwnServer> {
  const server = await startPostgres({ max_connections: String(CONNECTIONS), shared_buffers: '32MB' });
  let isHanging = false;
  const firstProcess = () => Number(readFileSync(join(server.folder, 'postmaster.pid'), 'utf8').split('\n')[0]);

  /** The first process is stopped before the others are looked up, so that it makes no more of them. */
  function signalAll(signal: NodeJS.Signals): void {
    const pid = firstProcess();
    process.kill(pid, 'SIGSTOP');
    for (const child of childrenOf(pid)) process.kill(child, signal);
    process.kill(pid, signal);
  }

  async function query(text: string, database = 'postgres'): Promise<Record<string, unknown>[]> {
    const client = new Client({ connectionString: databaseAt(server.url, database) });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  const own: OwnServer = {
    database: databaseAt(server.url, 'latchkey'),
    query,
    async start() {
      // Processes that were killed may take a moment to let go of what they share.
      for (const end = performance.now() + 20_000; performance.now() < end; ) {
        try {
          await server.start();
          return;
        } catch {
          await sleep(50);
        }
      }
      throw new Error('PostgreSQL does not start again');
    },
    async kill() {
      const pid = firstProcess();
      signalAll('SIGKILL');
      await untilGone(pid);
    },
    async stop(mode) {
      const pid = firstProcess();
      process.kill(pid, mode === 'immediate' ? 'SIGQUIT' : 'SIGINT');
      await untilGone(pid);
    },
    async killBackend() {
      const [backend] = await query("select pid from pg_stat_activity where application_name = 'latchkey' limit 1");
      process.kill(Number(backend?.['pid']), 'SIGKILL');
    },
    hang() {
      isHanging = true;
      signalAll('SIGSTOP');
    },
    goOn() {
      isHanging = false;
      signalAll('SIGCONT');
    },
    async untilAccepting() {
      for (;;) {
        try {
          await query('select 1');
          return performance.now();
        } catch {
          await sleep(10);
        }
      }
    },
  };
  whenDone(async () => {
    if (isHanging) own.goOn();
    if (!isAlive(firstProcess())) await own.start();
    await server.stop();
  });
  await query("create database latchkey template template0 encoding 'UTF8'");
  return own;
}

function childrenOf(parent: number): number[] {
  return execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, of]) => of === parent)
    .map(([pid = 0]) => pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function untilGone(pid: number): Promise<void> {
  while (isAlive(pid)) await sleep(10);
}
