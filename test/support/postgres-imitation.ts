import { createServer } from 'node:net';
import { onTestFinished } from 'vitest';

/** Starts a server that accepts every user, and answers each statement with the one row that `rows` returns for its query. */
export async function imitatePostgres(rows: (query: string) => Record<string, string>): Promise<string> {
  const server = createServer((socket) => {
    let isStarted = false;
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      if (!isStarted) {
        isStarted = true;
        socket.write(Buffer.concat([message('R', int32(0)), message('Z', Buffer.from('I'))]));
        return;
      }
      if (String.fromCharCode(bytes[0] ?? 0) !== 'Q') {
        socket.end();
        return;
      }
      const query = bytes.subarray(5, -1).toString();
      const results = query.split(';').flatMap(() => rowMessages(rows(query)));
      socket.write(Buffer.concat([...results, message('Z', Buffer.from('I'))]));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `postgres://someone@127.0.0.1:${String((server.address() as { port: number }).port)}/a`;
}

function rowMessages(values: Record<string, string>): Buffer[] {
  const TEXT = 25;
  const names = Object.keys(values);
  const fields = names.map((name) =>
    Buffer.concat([text(name), int32(0), int16(0), int32(TEXT), int16(-1), int32(-1), int16(0)]),
  );
  const cells = Object.values(values).map((value) =>
    Buffer.concat([int32(Buffer.byteLength(value)), Buffer.from(value)]),
  );
  return [
    message('T', Buffer.concat([int16(names.length), ...fields])),
    message('D', Buffer.concat([int16(names.length), ...cells])),
    message('C', text('SELECT 1')),
  ];
}

function message(kind: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(kind), int32(body.length + 4), body]);
}

function text(value: string): Buffer {
  return Buffer.from(`${value}\0`);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}
