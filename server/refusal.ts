import { randomUUID } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { overloaded, type Surface, toWire } from './errors.js';
import type { Load } from './load.js';

/** What an answer of this surface is, made once. */
type Bodies = Record<Surface, { status: number; body: string }>;

/**
 * Answers that too many requests wait, in the shape of the request's surface and without a step of what other requests
 * pass: a tenth of the cost of an ordinary answer is what lets the process serve the others.
 */
export function createRefusal(
  surfaceOf: (path: string) => Surface | undefined,
  load: Pick<Load, 'refusedRequest'>,
): RequestListener {
  const error = overloaded();
  const retryAfter = error.headers['Retry-After'] ?? '';
  const bodies = Object.fromEntries(
    (['private tokens', 'access tokens', 'oauth'] satisfies Surface[]).map((surface) => {
      const { status, body } = toWire(error, surface);
      return [surface, { status, body: JSON.stringify(body) }];
    }),
  ) as Bodies;

  return ({ url = '', headers }, response) => {
    load.refusedRequest();
    const [path = ''] = url.split('?', 1);
    const { status, body } = bodies[surfaceOf(path) ?? 'access tokens'];
    const sent = headers['x-request-id'];
    response.writeHead(status, {
      'X-Request-Id': typeof sent === 'string' && /^[A-Za-z0-9._-]{1,128}$/.test(sent) ? sent : randomUUID(),
      'X-Content-Type-Options': 'nosniff',
      'Cache-Control': 'no-store',
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': body.length,
      'Retry-After': retryAfter,
    });
    response.end(body);
  };
}
