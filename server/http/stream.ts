import type { IncomingMessage, ServerResponse } from 'node:http';
import { toServiceError } from '../errors.js';
import { type AnswerHeaders, addHeaders } from './headers.js';
import type { Trace } from './trace.js';

/** Writes an answer that has no known end. Resolves when the answer is complete; `client.signal` tells when nobody reads any more. */
export type Stream = (client: StreamClient) => Promise<void>;

export interface StreamClient {
  /** Writes `text`, and resolves when the client has taken so much of it that there is room for more. */
  write(text: string): Promise<void>;
  /** Aborted when the connection is closed. */
  signal: AbortSignal;
}

/** The start of an answer that `stream` writes. */
interface StreamHead {
  status: number;
  contentType: string;
  headers?: AnswerHeaders | undefined;
}

/**
 * Sends the head of an answer at once, and then what `stream` writes. A HEAD request gets the head alone. If `stream` rejects,
 * the answer ends there: its status is sent already, so only the log has the error.
 */
export async function sendStream(
  { req, res }: { req: IncomingMessage; res: ServerResponse },
  trace: Trace,
  { status, contentType, headers }: StreamHead,
  stream: Stream,
): Promise<void> {
  trace.isStream = true;
  addHeaders(trace.head, headers);
  res.writeHead(status, [...trace.head, 'Content-Type', contentType]);
  const closing = new AbortController();
  // A connection that was closed before emits no `close` any more.
  if (req.method === 'HEAD' || res.destroyed) closing.abort();
  else res.flushHeaders();
  res.once('close', () => {
    closing.abort();
  });
  try {
    await stream({ write: (text) => written(res, text, closing.signal), signal: closing.signal });
  } catch (error) {
    trace.error = toServiceError(error, trace.requestId);
  }
  res.end();
}

function written(res: ServerResponse, text: string, signal: AbortSignal): Promise<void> {
  if (signal.aborted || res.write(text)) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      res.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    res.on('drain', done);
    signal.addEventListener('abort', done);
  });
}
