import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { VerifierOptions } from '../../client/middleware/options.js';
import { latchkeyPerFile } from '../../testing/vitest.js';
import { withChecksum } from '../support/plaintext.js';
import { rejectionOf } from '../support/rejection.js';
import { createSetting, SERVICE } from './setting.js';

const service = latchkeyPerFile(SERVICE);

/** What stands between a verifier and the service, and counts the connections. */
async function startGateway() {
  const sockets: Socket[] = [];
  const doomed = new WeakSet<Socket>();
  let cutting = 0;
  const server = createServer((socket) => {
    const { port } = new URL(service.url);
    const onward = connect(Number(port), '127.0.0.1');
    sockets.push(socket);
    socket.on('data', (chunk) => {
      // As where the other side has closed a connection at the moment that it is used again.
      if (cutting > 0 || doomed.has(socket)) {
        cutting = Math.max(0, cutting - 1);
        socket.resetAndDestroy();
      } else onward.write(chunk);
    });
    onward.pipe(socket);
    for (const end of [socket, onward]) end.on('error', () => undefined);
    socket.once('close', () => onward.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    baseUrl: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    sockets,
    /** Cuts the connections of the next requests, one after the other. */
    cut(requests: number) {
      cutting = requests;
    },
    /** Cuts each connection that is open when it is used again. */
    cutAllOpen() {
      for (const socket of sockets) doomed.add(socket);
    },
  };
}

describe.each<[string, Partial<VerifierOptions>]>([
  ['node:http', {}],
  ['fetch', { fetch: (url, init) => fetch(url, init) }],
])('by %s', (_, how) => {
  // A connection may be busy still whose answer has just been read: then there is one more.
  test('a connection or two serve one question after the other', async () => {
    const { baseUrl, sockets } = await startGateway();
    const { verifier, plaintext, asked } = createSetting(service, { baseUrl, ...how });
    for (let count = 0; count < 50; count++) {
      expect((await verifier.verify(plaintext(count % 2 === 0 ? 'good' : 'other'))).valid).toBe(true);
    }
    expect(asked()).toHaveLength(50);
    expect(sockets.length).toBeLessThanOrEqual(2);
  });

  test('maxConcurrency bounds the connections, however many ask', async () => {
    const { baseUrl, sockets } = await startGateway();
    const { verifier } = createSetting(service, { baseUrl, maxConcurrency: 3, ...how });
    const verdicts = [];
    for (let count = 0; count < 200; count++) {
      verdicts.push(verifier.verify(withChecksum(`lk_pat_${String(count).padStart(30, '0')}`)));
      if (count % 10 === 0) await sleep(1);
    }
    await Promise.all(verdicts);
    expect(sockets.length).toBeLessThanOrEqual(4);
  });

  test('a connection that died is replaced, and the question asked again', async () => {
    const { baseUrl, sockets, cut } = await startGateway();
    const { verifier, plaintext } = createSetting(service, { baseUrl, ...how });
    await verifier.verify(plaintext('good'));
    cut(1);
    expect((await verifier.verify(plaintext('good'))).valid).toBe(true);
    expect(sockets).toHaveLength(2);
  });

  test('a connection that dies twice is enough', async () => {
    const { baseUrl, sockets, cut } = await startGateway();
    const { verifier, plaintext } = createSetting(service, { baseUrl, ...how });
    cut(2);
    const error = await rejectionOf(verifier.verify(plaintext('good')));
    expect(error).toMatchObject({ code: 'service_unavailable', status: 503, cause: { code: 'network_error' } });
    expect(sockets).toHaveLength(2);
    expect((await verifier.verify(plaintext('good'))).valid).toBe(true);
  });
});

test('when all connections have died, none of them fails a question', async () => {
  const { baseUrl, sockets, cutAllOpen } = await startGateway();
  const { verifier, plaintext } = createSetting(service, { baseUrl });
  await Promise.all(['good', 'other'].map((name) => nextTurn().then(() => verifier.verify(plaintext(name)))));
  cutAllOpen();
  for (let count = 0; count < 4; count++) expect((await verifier.verify(plaintext('good'))).valid).toBe(true);
  expect(sockets.length).toBeGreaterThan(1);
});

test('https is spoken where the address says so', async () => {
  let firstByte: number | undefined;
  const server = createServer((socket) => {
    socket.once('data', (chunk) => {
      firstByte = chunk[0];
      socket.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const { verifier, plaintext } = createSetting(service, { baseUrl: `https://127.0.0.1:${String(port)}` });
  expect((await rejectionOf(verifier.verify(plaintext('good')))).code).toBe('service_unavailable');
  // A handshake of TLS.
  expect(firstByte).toBe(0x16);
});

test('where this is not Node, the global fetch is used', async () => {
  const { getBuiltinModule } = process;
  Object.assign(process, { getBuiltinModule: undefined });
  onTestFinished(() => void Object.assign(process, { getBuiltinModule }));
  const { verifier, plaintext } = createSetting(service);
  const used = vi.spyOn(globalThis, 'fetch');
  onTestFinished(() => {
    used.mockRestore();
  });
  expect((await verifier.verify(plaintext('good'))).valid).toBe(true);
  expect(used).toHaveBeenCalledOnce();
});

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
