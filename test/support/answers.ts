import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** An answer; or what happens instead: `drop` closes the connection, `cut` closes it within an answer, `hang` sends nothing. */
export type Answering = { status?: number; headers?: Record<string, string>; body?: string } | 'drop' | 'cut' | 'hang';

export interface Received {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: string;
  /** Milliseconds since 1970. */
  at: number;
}

export const JSON_TYPE = { 'Content-Type': 'application/json; charset=utf-8' };
export const EMPTY_PAGE: Answering = { headers: JSON_TYPE, body: '{"items":[],"nextCursor":null}' };

/** Starts a server for faults that the real one does not have. It sends `answers` in turn, and then repeats the last one. */
export async function serveAnswers(...answers: Answering[]): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (body += chunk));
    request.once('end', () => {
      const { method = '', url: path = '', headers } = request;
      received.push({ method, path, headers, body, at: Date.now() });
      answer(response, answers[Math.min(received.length, answers.length) - 1] ?? 'drop');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, received };
}

function answer(response: ServerResponse, answering: Answering): void {
  if (answering === 'hang') return;
  if (answering === 'drop') {
    response.socket?.destroy();
    return;
  }
  if (answering === 'cut') {
    response.writeHead(200, { ...JSON_TYPE, 'Content-Length': '1000' });
    response.write('{"items":[', () => response.socket?.destroy());
    return;
  }
  const { status = 200, headers = {}, body = '' } = answering;
  response.writeHead(status, headers).end(body);
}
