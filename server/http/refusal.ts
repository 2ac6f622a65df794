import type { RequestListener } from 'node:http';
import { overloaded, type Surface, toWire } from '../errors.js';
import type { Cors } from './cors.js';
import { commonHeaders, requestIdOf } from './headers.js';
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
  cors: Cors,
): RequestListener {
  const error = overloaded();
  const retryAfter = error.headers['Retry-After'] ?? '';
  const bodies = Object.fromEntries(
    (['private tokens', 'access tokens', 'oauth'] satisfies Surface[]).map((surface) => {
      const { status, body } = toWire(error, surface);
      return [surface, { status, body: JSON.stringify(body) }];
    }),
  ) as Bodies;

  return (request, response) => {
    const { url = '' } = request;
    const head = [...commonHeaders(requestIdOf(request), { cacheable: false }), ...cors.headersFor(request)];
    // As cheap as a refusal, of which a browser would not let the page know.
    const preflight = cors.preflightHeaders(request);
    if (preflight !== undefined) {
      response.writeHead(204, [...head, ...preflight]).end();
      return;
    }
    load.refusedRequest();
    const [path = ''] = url.split('?', 1);
    const { status, body } = bodies[surfaceOf(path) ?? 'access tokens'];
    head.push('Content-Type', 'application/json; charset=utf-8', 'Content-Length', String(body.length));
    response.writeHead(status, [...head, 'Retry-After', retryAfter]).end(body);
  };
}
