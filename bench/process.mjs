// @ts-check
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { devNull } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/**
 * A program to measure: one that prints `listening on URL` when it is ready.
 *
 * @typedef {object} Contender
 * @property {string} name
 * @property {string[]} argv what Node runs
 * @property {Record<string, string>} [env]
 *
 * @typedef {object} Running
 * @property {string} url
 * @property {number} pid
 * @property {() => Promise<void>} stop ends the process and resolves when it has ended
 */

/** Linux's command that keeps a process on given cores. */
const PIN = 'taskset';

/** @type {Set<import('node:child_process').ChildProcess>} */
const children = new Set();

/** @param {string} path from the package's root */
export function fromRoot(path) {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}

/**
 * Starts `contender`, on one core alone where one is given, and resolves when it listens. Its log is written as ever,
 * and dropped by the system.
 *
 * @param {Contender} contender
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

/** What is configured for a service on this machine is not what is measured. */
function ownEnvironment() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('LATCHKEY_')));
}

export function stopAll() {
  for (const child of children) child.kill('SIGKILL');
}

/**
 * Milliseconds from the spawn to the first answered request.
 *
 * @param {Contender} contender
 */
export async function timeStart(contender) {
  const begin = performance.now();
  const { url, stop } = await start(contender);
  while ((await statusOf(`${url}/healthz`)) !== 200);
  const elapsed = performance.now() - begin;
  await stop();
  return elapsed;
}

/** @param {string} url @returns {Promise<number | undefined>} undefined where nothing answers */
function statusOf(url) {
  return new Promise((resolve) => {
    get(url, { agent: false }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode));
    }).once('error', () => resolve(undefined));
  });
}

/**
 * Moves this process to a core of its own and gives another one for a server; undefined where there are not two, or no
 * `taskset`.
 */
export function splitCores() {
  const { stdout } = spawnSync(PIN, ['-cp', String(process.pid)], { encoding: 'utf8' });
  const cores = (stdout ?? '').match(/[\d,-]+$/m)?.[0].match(/\d+/g) ?? [];
  const [first, last] = [cores[0], cores.at(-1)];
  if (first === undefined || last === undefined || first === last) return undefined;
  spawnSync(PIN, ['-acp', last, String(process.pid)]);
  return first;
}

/** Microseconds of processor time that the process has had so far; NaN where the system has no /proc. @param {number} pid */
export function processorTime(pid) {
  try {
    const [user, system] = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/s, '').trim().split(' ').slice(11);
    // In ticks, of which Linux has 100 a second whatever the machine.
    return (Number(user) + Number(system)) * 10_000;
  } catch {
    return Number.NaN;
  }
}
