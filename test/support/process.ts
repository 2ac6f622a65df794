import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished } from 'vitest';
import { type Client, createClient } from '../../generated/client/index.js';
import { logIn } from '../../generated/index.js';
import { borrowDatabase } from './databases.js';

const COMMAND = resolve('dist/cli/main.js');

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs `latchkey` to its end. Of this process's environment, it gets only `PATH`. */
export async function latchkey(args: string[], { input = '', ...options }: RunOptions = {}): Promise<Finished> {
  const process = start(args, options);
  process.child.stdin.end(input);
  return await process.finished;
}

/** Starts `latchkey`, which is killed when the test ends. Returns at once. */
export function latchkeyStarted(args: string[], options: StartOptions): Omit<Serving, 'url'> {
  return start(args, options);
}

/** Runs `latchkey` and kills it after `moment` milliseconds, or when `moment` resolves. */
export async function latchkeyUntilKilled(
  moment: number | (() => Promise<void>),
  args: string[],
  options: StartOptions,
): Promise<void> {
  const { child, finished } = start(args, options);
  await Promise.race([finished, typeof moment === 'number' ? sleep(moment) : moment()]);
  child.kill('SIGKILL');
  await finished;
}

interface StartOptions {
  env?: Record<string, string>;
  cwd?: string;
  /** A command that runs `latchkey`, such as `['strace', '-D']`. It must replace itself with `latchkey` by `exec`. */
  prefix?: string[];
  /** Whether it leads its own process group, as on a terminal. */
  detached?: boolean;
  /** Registers the function that kills the process; by default, it is called when the test ends. */
  whenDone?: WhenDone;
}

/** Registers a function that stops or removes something. The functions are called in reverse order. */
export type WhenDone = (cleanUp: () => Promise<unknown>) => void;

interface RunOptions extends StartOptions {
  input?: string;
}

export interface Serving {
  url: string;
  child: ChildProcess;
  output: { stdout: string; stderr: string };
  finished: Promise<Finished>;
}

/** Runs `latchkey serve` on a free port until the test ends, and resolves when it listens. */
export async function serve(
  env: Record<string, string>,
  args: string[] = [],
  options: Omit<StartOptions, 'env'> = {},
): Promise<Serving> {
  return await runUntil(['serve', ...args], /^latchkey listening on (\S+)\n/m, {
    ...options,
    env: { LATCHKEY_PORT: '0', ...env },
  });
}

/** Runs `latchkey` until the test ends, and resolves when its output matches; the first group is the URL. */
export async function runUntil(args: string[], wanted: RegExp, options: StartOptions = {}): Promise<Serving> {
  const process = start(args, options);
  const url = await new Promise<string>((resolve, reject) => {
    process.child.stdout.on('data', () => {
      const match = wanted.exec(process.output.stdout);
      if (match !== null) resolve(match[1] ?? '');
    });
    void process.finished.then(({ code, stderr }) => {
      reject(new Error(`${args.join(' ')} ended with ${String(code)}: ${stderr}`));
    });
  });
  return { url, ...process };
}

export const ADMIN = { email: 'admin@example.org', password: 'a password for the tests' };

/** Runs `latchkey serve` on the file at `database`, whose first user is `ADMIN`. */
export function serveDatabase(
  database: string,
  env: Record<string, string> = {},
  options: Omit<StartOptions, 'env'> = {},
): Promise<Serving> {
  return serve(
    {
      LATCHKEY_DATABASE: database,
      LATCHKEY_ADMIN_EMAIL: ADMIN.email,
      LATCHKEY_ADMIN_PASSWORD: ADMIN.password,
      ...env,
    },
    [],
    options,
  );
}

/** Stops a service by SIGTERM after one more request, and checks that it exits with 0. */
export async function stopServing(serving: Serving): Promise<Finished> {
  await fetch(`${serving.url}/openapi.json`);
  serving.child.kill('SIGTERM');
  const finished = await serving.finished;
  expect(finished.code).toBe(0);
  return finished;
}

/** A client of the server at `url` that sends `token`, if any, as a bearer credential. */
export function clientOf(url: string, token?: string): Client {
  return createClient({ baseUrl: url, headers: token === undefined ? {} : { Authorization: `Bearer ${token}` } });
}

/** A client with a new session. */
export async function logInTo(url: string, { email, password } = ADMIN): Promise<{ client: Client; token: string }> {
  const { data, error } = await logIn({ client: clientOf(url), body: { username: email, password } });
  if (data === undefined) throw new Error(`login was refused: ${JSON.stringify(error)}`);
  return { client: clientOf(url, data.access_token), token: data.access_token };
}

/** The log so far: all lines of standard error. Throws unless each line is JSON. */
export function logOf({ output }: Pick<Serving, 'output'>): Record<string, unknown>[] {
  return output.stderr
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Borrows a database for this test, on the project's engine, until the test ends. */
export async function ownDatabase(): Promise<string> {
  const { database, remove } = await borrowDatabase(await newFolder());
  onTestFinished(remove);
  return database;
}

/** Creates a temporary folder, and removes it when the test ends or as `whenDone` decides. */
export async function newFolder(whenDone: WhenDone = onEndOfTest): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-'));
  whenDone(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The `WhenDone` of the running test. */
export function onEndOfTest(cleanUp: () => Promise<unknown>): void {
  onTestFinished(async () => {
    await cleanUp();
  });
}

function start(args: string[], { env = {}, cwd, prefix = [], detached = false, whenDone = onEndOfTest }: StartOptions) {
  const [command = '', ...rest] = [...prefix, process.execPath, COMMAND, ...args];
  const child = spawn(command, rest, {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: 'pipe',
    detached,
    ...(cwd !== undefined && { cwd }),
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  const finished = once(child, 'close').then(([code]): Finished => ({ code: code as number | null, ...output }));
  whenDone(async () => {
    child.kill('SIGKILL');
    await finished;
  });
  return { child, output, finished };
}
