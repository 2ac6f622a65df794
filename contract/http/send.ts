import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { WireRequest } from './encode.js';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

/** Sends requests exactly as they stand, over connections that are kept. */
export interface Transport {
  /** Rejects where no answer comes: the connection breaks twice in a row, or `timeoutMs` pass. */
  send(request: WireRequest, timeoutMs: number): Promise<Answer>;
  close(): void;
}

export function createTransport(base: URL): Transport {
  const secure = base.protocol === 'https:';
  const agent = secure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
  const start = secure ? httpsRequest : httpRequest;

  function once({ method, target, headers, body }: WireRequest, timeoutMs: number): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const length =
        body ?? (method === 'POST' || method === 'PUT' || method === 'PATCH' ? new Uint8Array() : undefined);
      const outgoing = start(
        {
          hostname: base.hostname.replace(/^\[|\]$/g, ''),
          port: base.port,
          method,
          path: target,
          headers: { ...headers, ...(length !== undefined && { 'Content-Length': String(length.byteLength) }) },
          agent,
          signal: AbortSignal.timeout(Math.max(1, Math.ceil(timeoutMs))),
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          // Once an answer has begun the server has got the request: sending it again would hide the fault.
          incoming.once('error', () => {
            reject(new Error('the connection breaks in the middle of the answer'));
          });
          incoming.once('end', () => {
            const text = Buffer.concat(chunks).toString('utf8');
            resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text });
          });
        },
      );
      outgoing.once('error', reject);
      outgoing.end(body);
    });
  }

  return {
    async send(request, timeoutMs) {
      try {
        return await once(request, timeoutMs);
      } catch (error) {
        // A kept connection that the server closes at this very moment is no fault; a second break is.
        if (error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE')) {
          return await once({ ...request, headers: { ...request.headers, Connection: 'close' } }, timeoutMs);
        }
        throw error;
      }
    },
    close: () => {
      agent.destroy();
    },
  };
}
