import cluster, { type Worker } from 'node:cluster';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Config } from '../config/config.js';
import { createWorkerLog } from '../log/log.js';
import type { RunningServer } from '../options.js';
import { clearTimeout, performanceNow, setTimeout, sleep } from '../timers.js';
import { fromFailure, type ToPrimary, type ToWorker } from './messages.js';

/** Milliseconds after which a worker's end no longer counts as a failure to start. */
const SETTLED = 5_000;
/** Milliseconds before the next start after consecutive failures, doubled for each up to the longest pause. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 10_000;
/** Consecutive failures after which the service gives up, if no worker is listening. */
const MOST_FAILURES = 5;
/** Milliseconds that workers get to stop before they are killed, a little more than a worker takes to drain. */
const STOP_PATIENCE = 9_500;

/** A service that runs in several processes. */
export interface RunningWorkers extends Pick<RunningServer, 'url' | 'close'> {
  /** Resolves when all workers have stopped after `close`; rejects if no worker can be kept running. */
  ended: Promise<void>;
  /** Kills all workers at once. */
  kill(): void;
}

type Listening = ToPrimary & { kind: 'listening' };

/**
 * Starts `config.workers` processes that share the port and the database file. Resolves when all accept requests; rejects
 * with the error of the first that cannot start. A worker that ends later is replaced. `tellFirstUser` is called as soon as
 * the first user is created, even if the rest of the start fails, because its password is not stored anywhere.
 */
export async function startPrimary(
  config: Readonly<Config>,
  tellFirstUser: (firstUser: NonNullable<RunningServer['firstUser']>) => void,
): Promise<RunningWorkers> {
  const log = createWorkerLog(config.logLevel);
  const alive = new Set<Worker>();
  const serving = new Set<Worker>();
  let { port } = config;
  let chosenPort = port;
  let hasBeenStopped = false;
  const isStopping = () => hasBeenStopped;
  let failures = 0;
  let reportEnd: (failure?: Error) => void = () => undefined;
  const ended = new Promise<void>((resolve, reject) => {
    reportEnd = (failure) => {
      if (failure === undefined) resolve();
      else reject(failure);
    };
  });
  // A caller that does not await `ended` must not get an unhandled rejection.
  ended.catch(() => undefined);

  // Workers accept connections themselves. A connection that the primary hands to a worker that is killed would stay open
  // and never get an answer.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({ exec: workerFile(), args: [], execArgv: process.execArgv });

  /** Starts a worker. Resolves when it accepts requests; rejects with the reason if it ends before. */
  function startWorker(): Promise<Listening> {
    // The configured port may be 0. The first worker gets a free port; if all have ended, the next one must use that again.
    if (alive.size === 0) port = chosenPort;
    const worker = cluster.fork();
    alive.add(worker);
    let settledAt = Number.POSITIVE_INFINITY;
    const asked = { ...config, port };
    return new Promise((resolve, reject) => {
      let reason = new Error('a worker ended before it accepted requests');
      worker.on('message', (message: ToPrimary) => {
        if (message.kind === 'up') tell(worker, { kind: 'start', config: asked });
        else if (message.kind === 'failed') reason = fromFailure(message.failure);
        else {
          settledAt = performanceNow() + SETTLED;
          serving.add(worker);
          resolve(message);
          if (isStopping()) tell(worker, { kind: 'stop' });
        }
      });
      worker.once('exit', (code, signal) => {
        alive.delete(worker);
        const hasListened = serving.delete(worker);
        reject(reason);
        if (isStopping()) {
          if (alive.size === 0) reportEnd();
        } else if (hasListened) {
          failures = performanceNow() > settledAt ? 0 : failures + 1;
          log.warn({ worker: worker.process.pid, code, signal }, 'a worker ended');
          void replace();
        }
      });
    });
  }

  async function replace(): Promise<void> {
    for (;;) {
      if (failures > 1) await sleep(Math.min(FIRST_PAUSE * 2 ** (failures - 2), LONGEST_PAUSE));
      if (isStopping()) return;
      try {
        await startWorker();
        return;
      } catch (error) {
        if (isStopping()) return;
        failures++;
        log.error({ err: error }, 'a worker could not start');
        if (failures >= MOST_FAILURES && serving.size === 0) {
          hasBeenStopped = true;
          kill();
          reportEnd(new Error(`no worker can be kept running: ${String(error)}`, { cause: error }));
          return;
        }
      }
    }
  }

  function kill(): void {
    for (const worker of alive) worker.process.kill('SIGKILL');
  }

  async function close(): Promise<void> {
    hasBeenStopped = true;
    if (alive.size === 0) return;
    for (const worker of alive) tell(worker, { kind: 'stop' });
    const patience = setTimeout(kill, STOP_PATIENCE);
    await ended;
    clearTimeout(patience);
  }

  try {
    // The first worker starts alone, because it migrates the schema and creates the first user.
    const { url, firstUser } = await startWorker();
    if (firstUser !== null) tellFirstUser(firstUser);
    chosenPort = Number(new URL(url).port);
    await Promise.all(Array.from({ length: config.workers - 1 }, startWorker));
    return { url, close, ended, kill };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Sends a message. A worker that is ending is no longer connected and needs no messages. */
function tell(worker: Worker, message: ToWorker): void {
  if (worker.isConnected()) worker.send(message, () => undefined);
}

/** Path of the worker's file, found through the package's exports because this code is bundled into several files. */
function workerFile(): string {
  return join(dirname(createRequire(import.meta.url).resolve('latchkey/package.json')), 'dist/server/worker.js');
}
