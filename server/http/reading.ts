import type { Socket } from 'node:net';

/**
 * Stops reading from `socket` until the returned function is called. Node resumes a socket whenever a request's body is
 * read or an answer ends, so each resume is undone. Several callers may stop one socket; the last to end it resumes.
 */
export function stopReading(socket: Socket): () => void {
  const stay = () => void socket.pause();
  socket.on('resume', stay);
  socket.pause();
  return () => {
    socket.off('resume', stay);
    // If another caller still stops the socket, its listener pauses it again before a byte is read.
    socket.resume();
  };
}
