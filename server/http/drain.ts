import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { clearInterval, nextTurn, performanceNow, setInterval, sleep } from '../timers.js';
import type { Pipeline } from './pipelining.js';

/** The open connections, each with its requests that wait for their answers. */
export type Sockets = ReadonlyMap<Socket, Pipeline>;

/** Milliseconds in which requests can still arrive that were sent before the process was told to stop. */
export const LAST_CALL = 100;
/** The most milliseconds that a stop takes. Service managers kill a process 10 seconds after SIGTERM. */
const LONGEST = 9_000;
/** Milliseconds in which a client must read a part of an answer that is ready. */
const LONGEST_STALL = LONGEST / 3;
/** Milliseconds between two looks at the connections. */
const LOOK = LAST_CALL / 2;

/**
 * Accepts the connections that already wait in the system, reads the requests that they have sent, and closes each
 * connection as soon as its requests are answered. Cuts off a connection whose client reads nothing for 3 seconds. Resolves
 * when all connections are closed; after 9 seconds it closes those that are left.
 */
export async function drain(http: Server, sockets: Sockets, lastCall: number): Promise<void> {
  const deadline = performanceNow() + LONGEST;
  for (const pipeline of sockets.values()) pipeline.drain();
  if (sockets.size > 0 && lastCall > 0) await sleep(lastCall);
  await acceptWaiting(http);
  // Node's own function would close a connection whose answer is not sent yet, or whose next requests wait.
  http.closeIdleConnections = () => {
    for (const [socket, { waiting }] of sockets) if (waiting.size === 0) socket.destroy();
  };
  const closed = new Promise((resolve) => http.close(resolve));
  const isStalled = createStallWatch();
  const look = setInterval(() => {
    http.closeIdleConnections();
    for (const socket of sockets.keys()) if (isStalled(socket)) socket.destroy();
    if (performanceNow() > deadline) http.closeAllConnections();
  }, LOOK);
  await closed;
  clearInterval(look);
}

/**
 * Accepts the connections that wait in the system. Node accepts one connection in each turn of the event loop, so under
 * load many wait whose requests were sent long ago. Closing the listening socket would cut them off.
 */
async function acceptWaiting(http: Server): Promise<void> {
  const deadline = performanceNow() + LONGEST_STALL;
  let quietTurns = 0;
  http.on('connection', () => {
    quietTurns = 0;
  });
  // Node reads the first request of a connection one turn after accepting it, and more connections may wait behind it.
  while (quietTurns < 3 && performanceNow() < deadline) {
    await nextTurn();
    quietTurns += 1;
  }
}

/** Returns a function that tells whether a connection's client has read nothing of its answers for too long. */
function createStallWatch(): (socket: Socket) => boolean {
  const seen = new WeakMap<Socket, { unsent: string; at: number }>();
  return (socket) => {
    if (socket.writableLength === 0) return false;
    const unsent = `${String(socket.bytesWritten)} ${String(socket.writableLength)}`;
    const last = seen.get(socket);
    if (last?.unsent === unsent) return performanceNow() - last.at > LONGEST_STALL;
    seen.set(socket, { unsent, at: performanceNow() });
    return false;
  };
}
