import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { clearInterval, nextTurn, performanceNow, setInterval, sleep } from '../timers.js';
import type { Pipeline } from './pipelining.js';

/** The open connections, each with its requests that wait for their answers. */
export type Sockets = ReadonlyMap<Socket, Pipeline>;

/** Milliseconds in which requests that were sent before the process was told to stop still arrive. */
export const LAST_CALL = 100;
/** Milliseconds that a stop takes at most: service managers kill a process 10 seconds after SIGTERM. */
const LONGEST = 9_000;
/** Milliseconds in which a client must take something of an answer that is ready. */
const LONGEST_STALL = LONGEST / 3;
/** Milliseconds between two looks at the connections. */
const LOOK = LAST_CALL / 2;

/**
 * Accepts the connections that the system has made already, reads what they have sent, and closes each as soon as it is
 * answered. A connection whose client takes nothing of its answers for 3 seconds is cut off. Resolves when all are closed,
 * after 9 seconds at most, which is what an unfinished request gets.
 */
export async function drain(http: Server, sockets: Sockets, lastCall: number): Promise<void> {
  const deadline = performanceNow() + LONGEST;
  for (const pipeline of sockets.values()) pipeline.drain();
  if (sockets.size > 0 && lastCall > 0) await sleep(lastCall);
  await acceptWaiting(http);
  // Node's own function closes a connection whose answer is made but not sent, even if other requests wait behind it.
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
 * Node accepts one connection in each turn of the event loop. Under load the system keeps many whose requests were sent long
 * ago, and it would cut them off with the listening socket.
 */
async function acceptWaiting(http: Server): Promise<void> {
  const deadline = performanceNow() + LONGEST_STALL;
  let quietTurns = 0;
  http.on('connection', () => {
    quietTurns = 0;
  });
  // A connection's first request is read one turn after the connection is accepted, and others may wait behind it.
  while (quietTurns < 3 && performanceNow() < deadline) {
    await nextTurn();
    quietTurns += 1;
  }
}

/** Whether a connection's client has taken nothing of its answers for too long. */
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
