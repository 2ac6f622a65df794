import { randomUUID } from 'node:crypto';
import type { IncomingMessage, OutgoingHttpHeader } from 'node:http';

// The headers that every answer has, whichever part of the service sends it.

/** The request's own `X-Request-Id`, if it is 1 to 128 characters of `A-Z a-z 0-9 . _ -`; otherwise a new id. */
export function requestIdOf({ headers }: IncomingMessage): string {
  const sent = headers['x-request-id'];
  return typeof sent === 'string' && /^[A-Za-z0-9._-]{1,128}$/.test(sent) ? sent : randomUUID();
}

/**
 * The headers that every answer begins with, as a list of names and values in turn. Only documents outside the APIs are
 * `cacheable`.
 */
export function commonHeaders(requestId: string, { cacheable }: { cacheable: boolean }): string[] {
  const head = ['X-Request-Id', requestId, 'X-Content-Type-Options', 'nosniff'];
  if (!cacheable) head.push('Cache-Control', 'no-store');
  return head;
}

/** The headers of an answer by name. A list is sent as several headers of one name, such as cookies. */
export type AnswerHeaders = Readonly<Record<string, string | string[]>>;

/** Adds `headers` to `head`, a list of names and values in turn. */
export function addHeaders(head: OutgoingHttpHeader[], headers: AnswerHeaders | undefined): void {
  // A list stays one value: where a header was set before, Node keeps only the last of several with one name.
  for (const name in headers) head.push(name, headers[name] ?? '');
}
