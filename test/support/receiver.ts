import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { WebhookEvent } from '../../generated/index.js';

/** A request that a webhook got. */
export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  event: WebhookEvent;
}

export interface Receiver {
  url: string;
  /** In the order of arrival. */
  received: Received[];
  /** The most requests that were there at the same time. */
  most: number;
  close(): Promise<void>;
}

/** A server on this machine that records what it gets, and answers by `answer`; with 204 by default. */
export async function startReceiver(
  answer: (response: ServerResponse, received: Received, number: number) => void = (response) => {
    response.writeHead(204).end();
  },
): Promise<Receiver> {
  const received: Received[] = [];
  let present = 0;
  const receiver: Receiver = { url: '', received, most: 0, close };
  const server = createServer((request, response) => {
    receiver.most = Math.max(receiver.most, ++present);
    response.once('close', () => {
      present -= 1;
    });
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const got = { path: request.url ?? '', headers: request.headers, body, event: JSON.parse(body) as WebhookEvent };
      received.push(got);
      answer(response, got, received.length);
    });
  });
  async function close() {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  receiver.url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  onTestFinished(close);
  return receiver;
}

/** Whether one of the signatures is by `secret`. */
export function isSigned({ headers, body }: Received, secret: string): boolean {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const text = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
  const signature = `v1,${createHmac('sha256', key).update(text).digest('base64')}`;
  return String(headers['webhook-signature']).split(' ').includes(signature);
}
