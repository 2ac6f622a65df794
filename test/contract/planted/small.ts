import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
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
  /** Writes the body instead, which need have no end. */
  write?: (response: ServerResponse) => void;
}

type Answering = (request: SmallRequest) => SmallReply | Promise<SmallReply>;

/** A server of one function, until the test ends. Not for concurrent tests: the first of them to end would close it. */
export async function startSmall(answer: Answering): Promise<string> {
  const { url, close } = await openSmall(answer);
  onTestFinished(close);
  return url;
}

/** A server of one function, until it is closed. */
export async function openSmall(answer: Answering): Promise<{ url: string; close: () => Promise<void> }> {
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
      if (reply.write !== undefined) {
        reply.write(response);
        return;
      }
      response.end(reply.body === undefined ? undefined : JSON.stringify(reply.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => {
        resolve();
      });
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, close };
}
