import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { send } from '../support/http.js';
import { canMount, mounting, SMALL } from '../support/namespace.js';
import { logInTo, newFolder, type Serving, serveDatabase } from '../support/process.js';
import { openConnection } from '../support/socket.js';

// What becomes of a service whose log cannot be written. Each `prefix` gives the process another standard error.

const shell = (redirection: string, ...args: string[]) => [
  'bash',
  '--norc',
  '-c',
  `exec "$@" ${redirection}`,
  'redirected',
  ...args,
];

const OUTPUTS: [name: string, losesLines: boolean, prefix: (folder: string) => string[]][] = [
  ['a full device', true, () => shell('2>/dev/full')],
  ['closed', false, () => shell('2>&-')],
  ['a pipe whose reader is gone', true, () => shell('2> >(exec true)')],
  ['a socket that nobody reads', false, () => []],
  ['a pipe that nobody reads', false, (folder) => shell(`2>${pipeIn(folder).path}`)],
];

describe.each([
  ['one process', {}],
  ['two workers', { LATCHKEY_WORKERS: '2' }],
])('%s with a standard error that is', (_, env) => {
  test.each(OUTPUTS)('%s serves, answers probes and stops', async (_name, losesLines, prefix) => {
    const folder = await newFolder();
    const serving = await serveDatabase(join(folder, 'latchkey.db'), env, { prefix: prefix(folder) });
    // It is a socket where nothing redirects it.
    serving.child.stderr?.pause();
    for (let login = 0; login < 4; login++) await logInTo(serving.url);
    // More than a pipe takes.
    for (let round = 0; round < 10; round++) {
      await Promise.all(Array.from({ length: 60 }, () => send(serving, 'GET /healthz')));
    }
    expect((await send(serving, 'GET /healthz')).status).toBe(200);
    if (losesLines) await expect.poll(() => lostLinesOf(serving)).toBeGreaterThan(0);
    else expect(await lostLinesOf(serving)).toBe(0);
    await stopsAtOnce(serving);
  });
});

test('lines that nobody could read are counted, and told once when somebody reads again', async () => {
  const folder = await newFolder();
  const pipe = pipeIn(folder);
  const serving = await serveDatabase(join(folder, 'latchkey.db'), {}, { prefix: shell(`2>${pipe.path}`) });
  pipe.close();
  for (let request = 0; request < 5; request++) await send(serving, 'GET /healthz');
  await expect.poll(() => lostLinesOf(serving)).toBeGreaterThan(4);

  const again = reader(pipe.path);
  const before = await lostLinesOf(serving);
  await send(serving, 'GET /nowhere');
  await expect.poll(() => again.read()).toContain('log lines were lost');
  const told = again.lines().filter(({ msg }) => String(msg).includes('lost'));
  expect(told).toEqual([expect.objectContaining({ level: 50, reason: 'EPIPE' })]);
  expect(Number(told[0]?.['lines'])).toBeGreaterThanOrEqual(before);
  await send(serving, 'GET /nowhere-else');
  await expect.poll(() => again.lines().length).toBeGreaterThan(3);
  expect(again.read().match(/were lost/g)).toHaveLength(1);
  await stopsAtOnce(serving);
});

test('lines beyond what waits for a reader that stalls are lost, the lines before it arrive whole', async () => {
  const folder = await newFolder();
  const pipe = pipeIn(folder);
  const serving = await serveDatabase(join(folder, 'latchkey.db'), {}, { prefix: shell(`2>${pipe.path}`) });
  const request = `GET /healthz HTTP/1.1\r\nHost: here\r\nX-Request-Id: ${'x'.repeat(128)}\r\n\r\n`;
  await flood(serving, request, 16_000);
  await expect.poll(() => lostLinesOf(serving)).toBeGreaterThan(0);
  await expect
    .poll(() => pipe.read(), { timeout: 10_000, interval: 20 })
    .toContain('log lines were lost because standard error did not accept them');
  const lines = pipe.lines();
  const told = lines.find(({ msg }) => String(msg).includes('lost'));
  expect(told).toMatchObject({ reason: 'EAGAIN' });
  await stopsAtOnce(serving);
});

test.skipIf(!canMount)('a disk that is full loses whole lines until it has room again', async () => {
  const folder = await newFolder();
  // The log is on a file system of its own, next to a file that fills it.
  const script = `${SMALL} && exec 2>>"$0/log"`;
  const database = join(await newFolder(), 'latchkey.db');
  const serving = await serveDatabase(database, {}, { prefix: mounting(script, folder) });
  const root = `/proc/${String(serving.child.pid)}/root${folder}`;
  await send(serving, 'GET /healthz');
  await expect.poll(() => readFile(join(root, 'log'), 'utf8')).toContain('/healthz');
  await writeFile(join(root, 'ballast'), Buffer.alloc(30 * 2 ** 20)).catch(() => undefined);
  await flood(serving, 'GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n', 200);
  await expect.poll(() => lostLinesOf(serving)).toBeGreaterThan(0);
  await writeFile(join(root, 'ballast'), '');
  await send(serving, 'GET /nowhere');
  await expect.poll(() => readFile(join(root, 'log'), 'utf8')).toContain('log lines were lost');
  const lines = (await readFile(join(root, 'log'), 'utf8')).split('\n').slice(0, -1);
  const told = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(told.find(({ msg }) => String(msg).includes('lost'))).toMatchObject({ reason: 'ENOSPC' });
  await stopsAtOnce(serving);
});

async function lostLinesOf(serving: Serving): Promise<number> {
  const { status, body } = await send(serving, 'GET /readyz');
  expect(status).toBe(200);
  return (body as { lostLogLines: number }).lostLogLines;
}

/** Pipelined on a few connections, 200 at a time, and all answered. */
async function flood({ url }: Serving, request: string, count: number): Promise<void> {
  const connection = await openConnection(url);
  for (let sent = 0; sent < count; sent += 200) {
    const before = connection.received().length;
    connection.write(request.repeat(199));
    connection.write(`${request.slice(0, -2)}X-Last: yes\r\n\r\n`);
    await expect
      .poll(
        () =>
          connection
            .received()
            .slice(before)
            .match(/"status":"ok"/g)?.length,
        { interval: 5 },
      )
      .toBe(200);
  }
  connection.socket.destroy();
}

async function stopsAtOnce({ child }: Serving): Promise<void> {
  const start = performance.now();
  child.kill('SIGTERM');
  // Its streams close only when somebody reads them.
  const [code] = (await once(child, 'exit')) as [number | null];
  expect(code).toBe(0);
  expect(performance.now() - start).toBeLessThan(6_000);
}

/** A named pipe that this test holds open for reading, so that opening it for writing does not wait. */
function pipeIn(folder: string) {
  const path = join(folder, 'log.pipe');
  execFileSync('mkfifo', [path]);
  return { path, ...reader(path) };
}

function reader(path: string) {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  let isOpen = true;
  let text = '';
  const close = () => {
    if (isOpen) closeSync(fd);
    isOpen = false;
  };
  onTestFinished(close);
  const read = () => {
    const chunk = Buffer.alloc(65_536);
    for (;;) {
      try {
        const length = readSync(fd, chunk);
        if (length === 0) return text;
        text += chunk.subarray(0, length).toString();
      } catch {
        return text;
      }
    }
  };
  /** The whole lines so far, each of which must be JSON. */
  const lines = () =>
    read()
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { close, read, lines };
}
