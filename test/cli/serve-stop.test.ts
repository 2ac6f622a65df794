import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { getAccessToken, getReadiness } from '../../generated/index.js';
import { ADMIN, clientOf, logInTo, newFolder, serve, serveDatabase } from '../support/process.js';
import { answered, startService } from '../support/service.js';
import { answersIn, openConnection } from '../support/socket.js';

// How a service stops by a signal.

const MEMORY = { LATCHKEY_DATABASE: ':memory:' };

describe.each(['SIGTERM', 'SIGINT'] as const)('%s', (signal) => {
  test('what is in flight is answered, idle and half-open connections hold nothing up, and the WAL is gone', async () => {
    const folder = await newFolder();
    const database = join(folder, 'latchkey.db');
    const serving = await serveDatabase(database);
    const { token } = await logInTo(serving.url);

    const silent = await Promise.all(Array.from({ length: 20 }, () => openConnection(serving.url)));
    const halfHeaders = await Promise.all(Array.from({ length: 10 }, () => openConnection(serving.url)));
    for (const connection of halfHeaders) connection.write('GET /healthz HTTP/1.1\r\nHost: here\r\nX-Un');
    const keptAlive = await Promise.all(Array.from({ length: 10 }, () => openConnection(serving.url)));
    for (const connection of keptAlive) connection.write('GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n');
    await Promise.all(keptAlive.map((connection) => connection.until('{"status":"ok"}')));

    const body = JSON.stringify({ name: 'made while stopping' });
    const create = post('/api/v1/access-tokens', body, `Authorization: Bearer ${token}`);
    const creates = await Promise.all(Array.from({ length: 5 }, () => openConnection(serving.url)));
    for (const connection of creates) connection.write(create.slice(0, -10));
    const logIn = post('/api/v1/auth/login/', JSON.stringify({ username: ADMIN.email, password: ADMIN.password }));
    const logins = await Promise.all(Array.from({ length: 20 }, () => openConnection(serving.url)));
    for (const connection of logins) connection.write(logIn);
    await sleep(100);

    const start = performance.now();
    serving.child.kill(signal);
    await Promise.all([...silent, ...halfHeaders, ...keptAlive].map((connection) => connection.closed));
    for (const connection of creates) connection.write(create.slice(-10));
    const answers = (await Promise.all(creates.map((connection) => connection.closed))).flatMap(answersIn);
    expect(answers.map(({ status }) => status)).toEqual(Array<number>(5).fill(201));
    const opened = (await Promise.all(logins.map((connection) => connection.closed))).flatMap(answersIn);
    expect(opened.map(({ status }) => status)).toEqual(Array<number>(20).fill(200));
    const { code, stdout } = await serving.finished;
    expect(performance.now() - start).toBeLessThan(5_000);
    expect(code).toBe(0);
    const said = 'latchkey is stopping; press Ctrl-C again to stop at once\n';
    expect(stdout.endsWith(said)).toBe(signal === 'SIGINT');
    expect(sizeOf(`${database}-wal`)).toBe(0);

    const again = await serveDatabase(database);
    const made = answers.map((answer) => JSON.parse(answer.body) as { plaintext: string; token: { id: string } });
    for (const { plaintext, token } of made) {
      const found = await answered(
        getAccessToken({ client: clientOf(again.url, plaintext), path: { token_id: token.id } }),
      );
      expect(found.name).toBe('made while stopping');
    }
  });

  test('a second signal ends the process at once', async () => {
    const serving = await serve(MEMORY);
    await startEndlessRequest(serving.url);
    serving.child.kill(signal);
    await sleep(500);
    expect(serving.child.exitCode).toBeNull();
    const start = performance.now();
    serving.child.kill(signal);
    const { code } = await serving.finished;
    // Without the second one, the stop takes nine seconds.
    expect(performance.now() - start).toBeLessThan(5_000);
    expect(code).toBe(1);
  });
});

test('a stopping service accepts nothing new and waits 10 seconds at most for a request that never ends', async () => {
  const folder = await newFolder();
  const database = join(folder, 'latchkey.db');
  const serving = await serveDatabase(database);
  await startEndlessRequest(serving.url);
  const start = performance.now();
  serving.child.kill('SIGTERM');
  await sleep(500);
  await expect(openConnection(serving.url)).rejects.toThrow('ECONNREFUSED');
  expect(serving.child.exitCode).toBeNull();
  const { code } = await serving.finished;
  const took = performance.now() - start;
  expect(code).toBe(0);
  expect(took).toBeGreaterThan(5_000);
  // With room for a busy machine.
  expect(took).toBeLessThan(13_000);
  expect(sizeOf(`${database}-wal`)).toBe(0);
});

test('readiness is 503 with Retry-After while the service stops', async () => {
  const service = await startService();
  const connection = await openConnection(service.url);
  connection.write('GET /readyz HTTP/1.1\r\nHost: here\r\n\r\n');
  expect(answersIn(await connection.until('"status":"ready"'))[0]?.status).toBe(200);
  const stopped = service.stop();
  const { error, response } = await getReadiness({ client: service.anonymous });
  expect(response.status).toBe(503);
  expect(response.headers.get('Retry-After')).toBe('1');
  expect(error).toMatchObject({ code: 'service_unavailable' });
  await stopped;
});

function post(path: string, body: string, header = 'Accept: application/json'): string {
  return (
    `POST ${path} HTTP/1.1\r\nHost: here\r\n${header}\r\nContent-Type: application/json\r\n` +
    `Content-Length: ${String(body.length)}\r\n\r\n${body}`
  );
}

/** A request whose headers have arrived and whose body never will. */
async function startEndlessRequest(url: string): Promise<void> {
  const connection = await openConnection(url);
  connection.write(
    'POST /api/v1/auth/login/ HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{',
  );
  await sleep(100);
}

/** Bytes; 0 where there is no such file. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
