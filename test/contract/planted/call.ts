import type { IncomingMessage } from 'node:http';

export interface Call {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: string;
  /** The credential that was sent. */
  token: string;
}

export interface Reply {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}
