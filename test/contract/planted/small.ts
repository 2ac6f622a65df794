import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

export interface SmallRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  /** As it stands behind the `?`. */
  rawQuery: string;
  body: string;
  type: string;
  headers: IncomingHttpHeaders;
}

export interface SmallReply {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

/** A server of one function, until the test ends. */
export async function startSmall(answer: (request: SmallRequest) => SmallReply | Promise<SmallReply>): Promise<string> {
  const server = createServer((request, response) => {
    void text(request).then(async (body) => {
      const [path = '', query = ''] = (request.url ?? '').split(/\?(.*)/s);
      const reply = await answer({
        method: request.method ?? '',
        path,
        query: new URLSearchParams(query),
        rawQuery: query,
        body,
        type: request.headers['content-type'] ?? '',
        headers: request.headers,
      });
      const type = reply.body === undefined ? {} : { 'Content-Type': 'application/json' };
      response.writeHead(reply.status, { ...type, ...reply.headers });
      response.end(reply.body === undefined ? undefined : JSON.stringify(reply.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  );
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}
