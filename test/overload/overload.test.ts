import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createAccessToken } from '../../generated/index.js';
import { send } from '../support/http.js';
import { logInTo, logOf, newFolder, type Serving, serveDatabase } from '../support/process.js';
import { answered } from '../support/service.js';
import { answersIn, openConnection, type RawAnswer } from '../support/socket.js';

// On a real process, and with bounds that a busy machine keeps as well; `npm run overload` measures.

const DOCUMENT = 'HEAD /openapi.json HTTP/1.1\r\nHost: here\r\n\r\n';

test('what would wait too long is refused at once in the shape of its API, and the log counts it', async () => {
  const serving = await startService([], { LATCHKEY_CORS_ORIGINS: 'https://app.example.org' });
  const flood = keepBusy(serving);
  const cases = [
    [
      '/api/v1/access-tokens',
      '{"detail":"Too many requests are waiting. Try again after the time in Retry-After.","code":"overloaded"}',
    ],
    [
      '/api/v1/auth/private_tokens/',
      '{"detail":"Too many requests are waiting. Try again after the time in Retry-After."}',
    ],
    [
      '/oauth/introspect',
      '{"error":"temporarily_unavailable","error_description":"Too many requests are waiting. Try again after the time in Retry-After."}',
    ],
  ] as const;
  for (const [path, body] of cases) {
    const answer = await refusalOf(serving, path);
    expect(answer.body).toBe(body);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'retry-after': '1',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'x-request-id': 'refused-1',
      'access-control-allow-origin': 'https://app.example.org',
      vary: 'Origin',
    });
  }
  await flood.stop();
  await expect.poll(() => logOf(serving).filter(({ msg }) => msg === 'rejected').length).toBeGreaterThan(0);
  expect(logOf(serving).find(({ msg }) => msg === 'rejected')).toMatchObject({
    level: 40,
    requests: expect.any(Number) as number,
    eventLoopDelayMs: expect.any(Number) as number,
  });
});

test('amid an overload the probes answer, readiness says so, and a second later all is as before', async () => {
  const serving = await startService();
  const flood = keepBusy(serving);
  await refusalOf(serving, '/api/v1/access-tokens');
  const health = await send(serving, 'GET /healthz');
  expect(health).toMatchObject({ status: 200, body: { status: 'ok' } });
  const busy = await send(serving, 'GET /readyz');
  expect(busy).toMatchObject({ status: 503, body: { code: 'overloaded' }, headers: { 'retry-after': '1' } });
  await flood.stop();
  await expect.poll(async () => (await send(serving, 'GET /readyz')).status, { timeout: 5_000 }).toBe(200);
  const { body } = await send(serving, 'GET /readyz');
  expect(body).toEqual({
    status: 'ready',
    eventLoopDelayMs: expect.any(Number) as number,
    lostLogLines: 0,
    eventStreams: 0,
  });
});

test('every answer to 400 connections that ask without a pause is a success or a refusal', async () => {
  const serving = await startService();
  const { token } = await logInTo(serving.url);
  const request = `GET /api/v1/access-tokens?limit=100 HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer ${token}\r\n\r\n`;
  const connections = await Promise.all(Array.from({ length: 400 }, () => openConnection(serving.url)));
  const end = Date.now() + 3_000;
  for (const connection of connections) {
    connection.socket.on('data', () => {
      if (Date.now() < end) connection.write(request);
      else connection.socket.end();
    });
    connection.write(request);
  }
  const answers = (await Promise.all(connections.map(({ closed }) => closed))).flatMap(answersIn);
  expect(new Set(answers.map(({ status }) => status))).toContain(200);
  for (const { status } of answers) expect([200, 503]).toContain(status);
  for (const connection of connections) expect(connection.received()).not.toBe('');
});

test('writes that would wait too long are refused, and those that were answered are there', async () => {
  const serving = await startService();
  const { token } = await logInTo(serving.url);
  const body = JSON.stringify({ name: 'one of many' });
  const request = `POST /api/v1/access-tokens HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${String(body.length)}\r\n\r\n${body}`;
  const connections = await Promise.all(Array.from({ length: 40 }, () => openConnection(serving.url)));
  for (const connection of connections) {
    connection.write(request.repeat(250));
    connection.write('GET /healthz HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n');
  }
  const answers = (await Promise.all(connections.map(({ closed }) => closed))).flatMap(answersIn);
  const made = answers.filter(({ status }) => status === 201).length;
  expect(answers.filter(({ status }) => status === 503).length).toBe(10_000 - made);
  expect(made).toBeLessThan(10_000);
  let listed = 0;
  for (let cursor = ''; ; ) {
    const { body: page } = await send(serving, `GET /api/v1/access-tokens?tokenType=pat&limit=100${cursor}`, { token });
    const { items, nextCursor } = page as { items: unknown[]; nextCursor: string | null };
    listed += items.length;
    if (nextCursor === null) break;
    cursor = `&cursor=${encodeURIComponent(nextCursor)}`;
  }
  expect(listed).toBe(made);
});

test('a client that pipelines more than 256 requests and reads no answer is cut off', async () => {
  const serving = await startService();
  const connection = await openConnection(serving.url);
  connection.socket.pause();
  connection.write('GET /openapi.yaml HTTP/1.1\r\nHost: here\r\n\r\n'.repeat(1_000));
  await new Promise((resolve) => setTimeout(resolve, 500));
  connection.socket.resume();
  await connection.closed;
  expect((await send(serving, 'GET /healthz')).status).toBe(200);
});

test('what a client pipelines and does not read waits, and is answered in order once it reads, after SIGTERM too', async () => {
  const serving = await startService();
  const token = await fillPage(serving);
  const connection = await openConnection(serving.url);
  connection.socket.pause();
  for (let index = 0; index < 255; index++) connection.write(listOf(token, `X-Request-Id: nr-${String(index)}\r\n`));
  const body = JSON.stringify({ name: 'behind' });
  connection.write(
    `POST /api/v1/access-tokens HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer ${token}\r\nX-Request-Id: nr-255\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${String(body.length)}\r\n\r\n${body}`,
  );
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  // The system takes some of the lists, but not all 9 MB of them.
  const before = await send(serving, 'GET /api/v1/access-tokens?q=behind', { token });
  expect(before.body).toMatchObject({ items: [] });
  serving.child.kill('SIGTERM');
  await new Promise((resolve) => setTimeout(resolve, 500));
  connection.socket.resume();
  const answers = answersIn(await connection.closed);
  expect(answers.map(({ headers, status }) => [headers.get('x-request-id'), status])).toEqual(
    Array.from({ length: 256 }, (_, index) => [`nr-${String(index)}`, index === 255 ? 201 : 200]),
  );
  expect((await serving.finished).code).toBe(0);
});

test('a stop waits for a client that reads slowly, and cuts off one that reads nothing after three seconds', async () => {
  const serving = await startService();
  const documents = 'GET /openapi.json HTTP/1.1\r\nHost: here\r\n\r\n'.repeat(60);
  const silent = await openConnection(serving.url);
  silent.socket.pause();
  silent.write(documents);
  const slow = await openConnection(serving.url);
  slow.socket.pause();
  slow.write(documents);
  await new Promise((resolve) => setTimeout(resolve, 500));
  const start = performance.now();
  serving.child.kill('SIGTERM');
  const reading = setInterval(() => {
    slow.socket.resume();
    setTimeout(() => slow.socket.pause(), 30);
  }, 100);
  expect((await serving.finished).code).toBe(0);
  expect(performance.now() - start).toBeLessThan(8_000);
  clearInterval(reading);
  slow.socket.resume();
  silent.socket.resume();
  expect(answersIn(await slow.closed).length).toBe(60);
  await silent.closed;
});

test('clients that read nothing do not fill the memory', async () => {
  const serving = await startService();
  const request = listOf(await fillPage(serving));
  const connections = await Promise.all(Array.from({ length: 20 }, () => openConnection(serving.url)));
  const before = memoryOf(serving);
  for (const connection of connections) connection.socket.pause();
  for (let round = 0; round < 20; round++) {
    for (const { socket, write } of connections) if (socket.writableLength < 1e6) write(request.repeat(50));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  // 20 times the 256 answers of 30 KiB after which a connection is cut off would be 150 MiB.
  expect(memoryOf(serving) - before).toBeLessThan(100);
  expect((await send(serving, 'GET /healthz')).status).toBe(200);
});

test('connections beyond the limit of open files are closed, and those within it served', async () => {
  const serving = await startService(['bash', '-c', 'ulimit -n 200; exec "$@"', 'limited']);
  const first = await openConnection(serving.url);
  const many = await Promise.all(Array.from({ length: 250 }, () => openConnection(serving.url).catch(() => undefined)));
  await expect
    .poll(() => many.filter((connection) => connection?.socket.destroyed !== false).length)
    .toBeGreaterThan(50);
  first.write('GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n');
  await first.until('{"status":"ok"}');
  for (const connection of many) connection?.socket.destroy();
  await expect
    .poll(
      () =>
        send(serving, 'GET /readyz').then(
          ({ status }) => status,
          () => 0,
        ),
      { timeout: 5_000 },
    )
    .toBe(200);
});

async function startService(prefix: string[] = [], env: Record<string, string> = {}): Promise<Serving> {
  return await serveDatabase(join(await newFolder(), 'latchkey.db'), env, { prefix });
}

/** Makes a hundred tokens, and gives a session to list them with. */
async function fillPage(serving: Serving): Promise<string> {
  const { client, token } = await logInTo(serving.url);
  for (let count = 0; count < 100; count++) {
    await answered(createAccessToken({ client, body: { name: `token ${String(count)}` } }));
  }
  return token;
}

function listOf(token: string, headers = ''): string {
  return `GET /api/v1/access-tokens?limit=100 HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer ${token}\r\n${headers}\r\n`;
}

/** Far more work than the process has time for, until it is stopped; then it resolves when all is answered. */
function keepBusy({ url }: Serving): { stop(): Promise<void> } {
  let isBusy = true;
  const done = Promise.all(
    Array.from({ length: 8 }, async () => {
      while (isBusy) {
        const connection = await openConnection(url);
        connection.write(DOCUMENT.repeat(199) + DOCUMENT.replace('Host', 'Connection: close\r\nHost'));
        await connection.closed;
      }
    }),
  );
  return {
    async stop() {
      isBusy = false;
      await done;
    },
  };
}

/** The first answer from `path` that is a refusal. */
async function refusalOf({ url }: Serving, path: string): Promise<RawAnswer> {
  for (;;) {
    const connection = await openConnection(url);
    connection.write(
      `GET ${path} HTTP/1.1\r\nHost: here\r\nX-Request-Id: refused-1\r\nOrigin: https://app.example.org\r\nConnection: close\r\n\r\n`,
    );
    const [answer] = answersIn(await connection.closed);
    if (answer?.status === 503) return answer;
  }
}

/** Resident, in MiB. */
function memoryOf({ child }: Serving): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${String(child.pid)}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1_024;
}
