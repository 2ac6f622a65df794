import type { Context } from 'koa';
import { JSON_TYPE } from '../contract/operations.js';
import { type ServiceError, type Surface, toWire } from '../errors.js';
import { type AnswerHeaders, addHeaders } from './headers.js';
import type { Trace } from './trace.js';

// These functions write the answer directly and do not use Koa's way of answering. Koa sets and looks up one header after
// the other and listens for the end of each answer; an authenticated read would take a fifth more processor time.

export interface WireAnswer {
  status: number;
  headers?: AnswerHeaders | undefined;
  /** Undefined for an answer without a body. */
  contentType?: string | undefined;
  /** Undefined for an answer without a body. */
  body?: string | Buffer | undefined;
}

export function sendAnswer(
  { res }: Context,
  { head }: Trace,
  { status, headers, contentType, body }: WireAnswer,
): void {
  addHeaders(head, headers);
  if (contentType !== undefined && body !== undefined) head.push('Content-Type', contentType);
  if (status !== 204 && status !== 304)
    head.push('Content-Length', String(body === undefined ? 0 : Buffer.byteLength(body)));
  res.writeHead(status, head).end(body);
}

/** Answers with `error` in the shape of `surface`. A path outside of all APIs gets the shape of the access tokens. */
export function sendError(ctx: Context, trace: Trace, error: ServiceError, surface: Surface = 'access tokens'): void {
  trace.error = error;
  const { status, body } = toWire(error, surface);
  sendAnswer(ctx, trace, { status, headers: error.headers, contentType: JSON_TYPE, body: JSON.stringify(body) });
}
