import cluster, { type Worker } from 'node:cluster';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Config } from '../config/config.js';
import { createWorkerLog } from '../log/log.js';
import type { RunningServer } from '../options.js';
import { clearTimeout, dateNow, performanceNow, setTimeout, sleep } from '../timers.js';
import { createLoginThrottle } from '../users/login-throttle.js';
import { fromFailure, type ToPrimary, type ToWorker } from './messages.js';
import { lendThrottle } from './shared-throttle.js';

/** Milliseconds that a worker must have served for its end to be no failure to start. */
const SETTLED = 5_000;
/** Milliseconds before another worker is started after failures in a row, doubled for each. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 10_000;
/** Failures in a row after which nobody can serve, where nobody does. */
const MOST_FAILURES = 5;
/** Milliseconds that workers get to stop, a little more than each takes to drain. */
const STOP_PATIENCE = 9_500;

/** Processes that serve together. */
export interface RunningWorkers extends Pick<RunningServer, 'url' | 'close'> {
  /** Resolves when all have stopped after `close`; rejects where no worker can be kept running. */
  ended: Promise<void>;
  /** Ends all at once. */
  kill(): void;
}

type Listening = ToPrimary & { kind: 'listening' };

/**
 * Starts `config.workers` processes that share the port and the database file, and resolves when all answer. Rejects with
 * what the first of them failed of. One that dies is answered by another. `tellFirstUser` hears of the first user as soon as
 * there is one, whatever becomes of the rest of the start: its password is known to nobody else.
 */
export async function startPrimary(
  config: Readonly<Config>,
  tellFirstUser: (firstUser: NonNullable<RunningServer['firstUser']>) => void,
): Promise<RunningWorkers> {
  const log = createWorkerLog(config.logLevel);
  const throttle = createLoginThrottle(dateNow);
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
  // Who does not wait for it hears of it by `close`.
  ended.catch(() => undefined);

  // Each accepts by itself: what the primary hands to a worker that is killed meanwhile would be open, and never answered.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({ exec: workerFile(), args: [], execArgv: process.execArgv });

  /** Resolves when the worker answers; rejects with the reason where it ends before. */
  function startWorker(): Promise<Listening> {
    // All must ask for the same port; once all have ended, for the one that clients know.
    if (alive.size === 0) port = chosenPort;
    const worker = cluster.fork();
    alive.add(worker);
    const lending = lendThrottle(throttle, (answer) => {
      tell(worker, answer);
    });
    let settledAt = Number.POSITIVE_INFINITY;
    const asked = { ...config, port };
    return new Promise((resolve, reject) => {
      let reason = new Error('a worker ended before it listened');
      worker.on('message', (message: ToPrimary) => {
        if (message.kind === 'up') tell(worker, { kind: 'start', config: asked });
        else if (message.kind === 'login') void lending.take(message);
        else if (message.kind === 'failed') reason = fromFailure(message.failure);
        else {
          settledAt = performanceNow() + SETTLED;
          serving.add(worker);
          resolve(message);
          if (isStopping()) tell(worker, { kind: 'stop' });
        }
      });
      worker.once('exit', (code, signal) => {
        lending.end();
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
    // One alone first: it brings the schema up to date and makes the first user.
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

/** A worker that is just ending hears nothing any more, and needs nothing. */
function tell(worker: Worker, message: ToWorker): void {
  if (worker.isConnected()) worker.send(message, () => undefined);
}

/** Found through the package's own exports, wherever this code is bundled into. */
function workerFile(): string {
  return join(dirname(createRequire(import.meta.url).resolve('latchkey/package.json')), 'dist/server/worker.js');
}
