import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Pipeline } from './pipelining.js';
import { stopReading } from './reading.js';

/**
 * Serves a request as if it had no `Upgrade` header. Node has removed its parser from the connection. Once all earlier
 * requests are answered, the request is put back without the header, and the connection gets a new parser.
 */
export function ignoreUpgrade(
  http: Server,
  { method = '', url = '', httpVersion, rawHeaders }: IncomingMessage,
  socket: Socket,
  rest: Buffer,
  pipeline: Pipeline,
): void {
  // Without a parser, what is read would be lost.
  const resume = stopReading(socket);
  const head = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    if (name.toLowerCase() !== 'upgrade') head.push(`${name}: ${value}`);
  }
  const text = Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1');
  const destroy = () => socket.destroy();
  socket.on('error', destroy);
  pipeline.whenAnswered(() => {
    if (socket.destroyed) return;
    socket.unshift(Buffer.concat([text, rest]));
    // The new parser handles errors, and a connection may send many such requests.
    http.emit('connection', socket);
    socket.off('error', destroy);
    resume();
  });
}
