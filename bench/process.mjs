// @ts-check
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { devNull } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/**
 * A program to measure: one that prints `listening on URL` when it is ready.
 *
 * @typedef {object} Program
 * @property {string} name
 * @property {string[]} argv what Node runs
 * @property {Record<string, string>} [env]
 *
 * @typedef {object} Running
 * @property {string} url
 * @property {number} pid
 * @property {() => Promise<void>} stop ends the process and resolves when it has ended
 */

/** Linux's command that restricts a process to given cores. */
const PIN = 'taskset';

/** @type {Set<import('node:child_process').ChildProcess>} */
const children = new Set();

/** @param {string} path from the package's root */
export function fromRoot(path) {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}

/**
 * Starts a program, on `core` alone where it is given, and resolves when the program listens. The program writes its log as
 * usual, to the null device.
 *
 * @param {Program} program
 * @param {string} [core]
 * @returns {Promise<Running>}
 */
export async function start({ name, argv, env = {} }, core) {
  const command = [process.execPath, ...argv];
  const [file = '', ...args] = core === undefined ? command : [PIN, '-c', core, ...command];
  const log = openSync(devNull, 'w');
  const child = spawn(file, args, { env: { ...ownEnvironment(), ...env }, stdio: ['ignore', 'pipe', log] });
  closeSync(log);
  children.add(child);
  child.once('exit', () => children.delete(child));

  for await (const line of createInterface({ input: /** @type {import('node:stream').Readable} */ (child.stdout) })) {
    const [, url] = /listening on (\S+)$/.exec(line) ?? [];
    if (url === undefined) continue;
    return {
      url,
      pid: child.pid ?? 0,
      async stop() {
        if (!children.has(child)) return;
        child.kill();
        await once(child, 'exit');
      },
    };
  }
  throw new Error(`${name} ended before it listened`);
}

/** This process's environment without settings of Latchkey, which would change what is measured. */
function ownEnvironment() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('LATCHKEY_')));
}

export function stopAll() {
  for (const child of children) child.kill('SIGKILL');
}

/**
 * Milliseconds from the spawn to the first answered request.
 *
 * @param {Program} program
 */
export async function timeStart(program) {
  const begin = performance.now();
  const { url, stop } = await start(program);
  while ((await statusOf(`${url}/healthz`)) !== 200);
  const elapsed = performance.now() - begin;
  await stop();
  return elapsed;
}

/** @param {string} url @returns {Promise<number | undefined>} undefined without an answer */
function statusOf(url) {
  return new Promise((resolve) => {
    get(url, { agent: false }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode));
    }).once('error', () => resolve(undefined));
  });
}

/**
 * Moves this process to a core of its own and returns another core for the server; undefined on a machine with one core or
 * without `taskset`.
 */
export function splitCores() {
  const { stdout } = spawnSync(PIN, ['-cp', String(process.pid)], { encoding: 'utf8' });
  const cores = (stdout ?? '').match(/[\d,-]+$/m)?.[0].match(/\d+/g) ?? [];
  const [first, last] = [cores[0], cores.at(-1)];
  if (first === undefined || last === undefined || first === last) return undefined;
  spawnSync(PIN, ['-acp', last, String(process.pid)]);
  return first;
}

/**
 * Returns a function that returns the microseconds of processor time that the processes and their children have used since;
 * NaN without /proc. The time of a child that ended meanwhile does not count.
 *
 * @param {number[]} pids
 */
export function startStopwatch(pids) {
  const before = timesOf(pids);
  return () => {
    let spent = 0;
    for (const [pid, time] of timesOf(pids)) spent += time - (before.get(pid) ?? 0);
    return before.size === 0 ? Number.NaN : spent;
  };
}

/** Microseconds of processor time by process id. @param {number[]} pids @returns {Map<number, number>} */
function timesOf(pids) {
  /** @type {Map<number, number>} */
  const times = new Map();
  for (const pid of pids) {
    try {
      let nanoseconds = 0;
      for (const thread of readdirSync(`/proc/${pid}/task`)) {
        const [used] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ');
        nanoseconds += Number(used);
      }
      times.set(pid, nanoseconds / 1_000);
      for (const [child, time] of timesOf(childrenOf(pid))) times.set(child, time);
    } catch {
      // It has ended, or there is no /proc.
    }
  }
  return times;
}

/** Bytes of memory that the process and its children use; NaN without /proc. @param {number} pid @returns {number} */
export function memoryOf(pid) {
  try {
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return childrenOf(pid).reduce((sum, child) => sum + memoryOf(child), Number(kilobytes) * 1_024);
  } catch {
    return Number.NaN;
  }
}

/** @param {number} pid */
function childrenOf(pid) {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return children === '' ? [] : children.split(' ').map(Number);
}
