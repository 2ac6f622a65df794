import type { Socket } from 'node:net';

/** How many callers stop each socket. */
const callersOf = new WeakMap<Socket, number>();

/**
 * Stops reading from `socket` until the returned function is called, which must happen once. Node resumes a socket
 * whenever a request's body is read or an answer ends, so each resume is undone. Several callers may stop one socket; the
 * last to end it resumes.
 */
export function stopReading(socket: Socket): () => void {
  const callers = callersOf.get(socket) ?? 0;
  callersOf.set(socket, callers + 1);
  // One listener for all callers: a pipelining client's requests may be rejected in dozens of turns.
  if (callers === 0) socket.on('resume', stay);
  socket.pause();
  return () => {
    const left = (callersOf.get(socket) ?? 1) - 1;
    callersOf.set(socket, left);
    if (left > 0) return;
    socket.off('resume', stay);
    socket.resume();
  };
}

function stay(this: Socket): void {
  this.pause();
}
