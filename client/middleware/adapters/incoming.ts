import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GuardedRequest, RefusalAnswer } from '../index.js';

/** Converts a request of `node:http` to the form that a guard checks. */
export function toGuarded(
  incoming: IncomingMessage,
  source: unknown,
  origin: () => string | undefined,
): GuardedRequest {
  return {
    method: incoming.method ?? '',
    header: (name) => (name === 'authorization' ? authorizationOf(incoming) : single(incoming.headers[name])),
    origin,
    source,
  };
}

/** All `Authorization` values. Node drops a second one, which a proxy or the application might use instead. */
function authorizationOf({ headers, rawHeaders }: IncomingMessage): string | undefined {
  const sent = rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'authorization',
  );
  return sent.length > 1 ? sent.join(', ') : headers.authorization;
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}

export function sendAnswer(response: ServerResponse, { status, headers, body }: RefusalAnswer): void {
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.end(body);
}
