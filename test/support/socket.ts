import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A TCP connection that sends exactly what a test writes. */
export interface RawConnection {
  socket: Socket;
  /** What has arrived so far. */
  received(): string;
  write(text: string): void;
  /** Resolves with everything received so far, as soon as it contains `text`. */
  until(text: string): Promise<string>;
  /** Resolves with everything received, when the server has closed the connection. */
  closed: Promise<string>;
}

export async function openConnection(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: false });
  let received = '';
  socket.on('data', (chunk) => (received += chunk.toString('latin1')));
  const closed = new Promise<string>((resolve) => {
    socket.once('close', () => {
      resolve(received);
    });
  });
  onTestFinished(() => {
    socket.destroy();
  });
  await once(socket, 'connect');
  // A reset closes the connection too, and what arrived before it counts.
  socket.on('error', () => undefined);
  return {
    socket,
    received: () => received,
    write: (text) => void socket.write(text, 'latin1'),
    until: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (received.includes(text)) resolve(received);
        };
        socket.on('data', look);
        void closed.then(() => {
          reject(new Error(`closed before ${JSON.stringify(text)} arrived: ${JSON.stringify(received)}`));
        });
        look();
      }),
    closed,
  };
}

/** Sends a request without the end of its body: only the first 3 characters of the body are sent. */
export async function holdBack(
  { url }: { url: string },
  line: string,
  token: string,
  body: string,
  headers = '',
): Promise<RawConnection> {
  const connection = await openConnection(url);
  connection.write(
    `${line} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n${headers}` +
      `Content-Type: application/json\r\nContent-Length: ${String(body.length)}\r\nConnection: close\r\n\r\n${body.slice(0, 3)}`,
  );
  return connection;
}

/** Sends `text` on a new connection, and resolves with everything received until the server closes the connection. */
export async function exchange(url: string, text: string): Promise<string> {
  const connection = await openConnection(url);
  connection.write(text);
  return await connection.closed;
}

export interface RawAnswer {
  status: number;
  headers: Map<string, string>;
  body: string;
}

/** Splits a stream into answers by their `Content-Length`. Throws if the stream contains anything else. */
export function answersIn(stream: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  for (let rest = stream; rest !== ''; ) {
    const end = rest.indexOf('\r\n\r\n');
    const [statusLine = '', ...lines] = rest.slice(0, end).split('\r\n');
    const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(statusLine) ?? [];
    if (end < 0 || status === undefined) throw new Error(`no HTTP answer: ${JSON.stringify(rest)}`);
    const headers = new Map(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    const bodyEnd = end + 4 + Number(headers.get('content-length') ?? 0);
    answers.push({ status: Number(status), headers, body: rest.slice(end + 4, bodyEnd) });
    rest = rest.slice(bodyEnd);
  }
  return answers;
}
