import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { createRest } from '../../server/http/rest.js';

/** A server's side of a connection, and what it has read; `send` writes on the client's side. */
async function connection() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const client = connect(port, '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [Socket];
  onTestFinished(() => {
    client.destroy();
    socket.destroy();
    server.close();
  });
  let read = '';
  socket.on('data', (bytes: Buffer) => {
    read += bytes.toString();
  });
  return { socket, send: (text: string) => client.write(text), read: () => read };
}

test('nothing is read from a connection whose request was rejected, until it has rested', async () => {
  const rest = createRest({ forEach: 1, longest: 500 });
  const rejected = await connection();
  const other = await connection();
  rest.add(rejected.socket);
  rest.begin();
  const begun = performance.now();
  rejected.send('again');
  other.send('first');
  await expect.poll(other.read).toBe('first');
  await sleep(20);
  if (performance.now() - begun < 90) expect(rejected.read()).toBe('');
  await expect.poll(rejected.read, { timeout: 5_000 }).toBe('again');
  // A fifth of the longest rest.
  expect(performance.now() - begun).toBeGreaterThanOrEqual(99);
});

test('a connection rests once for all rejections of a turn, at most the longest rest', async () => {
  const rest = createRest({ forEach: 10, longest: 150 });
  const { socket, send, read } = await connection();
  for (let rejection = 0; rejection < 1_000; rejection++) rest.add(socket);
  rest.begin();
  expect(socket.listenerCount('resume')).toBe(1);
  const begun = performance.now();
  send('again');
  await expect.poll(read, { timeout: 5_000 }).toBe('again');
  expect(performance.now() - begun).toBeGreaterThanOrEqual(149);
  // The next turn rejects nothing.
  rest.begin();
  expect(socket.listenerCount('resume')).toBe(0);
});

test('a connection whose requests are rejected in many turns has one listener, and is read after the last rest', async () => {
  const rest = createRest({ forEach: 1, longest: 500 });
  const { socket, send, read } = await connection();
  const begun = performance.now();
  for (let turn = 0; turn < 30; turn++) {
    rest.add(socket);
    rest.begin();
    await sleep(1);
  }
  const last = performance.now() - begun;
  expect(socket.listenerCount('resume')).toBe(1);
  send('again');
  await expect.poll(read, { timeout: 5_000 }).toBe('again');
  // A fifth of the longest rest.
  expect(performance.now() - begun).toBeGreaterThanOrEqual(last + 98);
  expect(socket.listenerCount('resume')).toBe(0);
});
