import type { RequestListener } from 'node:http';
import { JSON_TYPE } from '../contract/operations.js';
import { overloaded, type Surface, toWire } from '../errors.js';
import type { Cors } from './cors.js';
import { commonHeaders, requestIdOf } from './headers.js';
import type { Load } from './load.js';

/** The status and the body of the rejection in the shape of each surface, made once. */
type Bodies = Record<Surface, { status: number; body: string }>;

/**
 * Creates a listener that answers 503 `overloaded` in the shape of the request's surface. It skips routing, authentication
 * and validation, so that a rejection costs a tenth of an ordinary answer.
 */
export function createRejection(
  surfaceOf: (path: string) => Surface | undefined,
  load: Pick<Load, 'countRejectedRequest'>,
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
    // A preflight is answered: it costs no more than a rejection, and a browser would not show a rejection to the page.
    const preflight = cors.preflightHeaders(request);
    if (preflight !== undefined) {
      response.writeHead(204, [...head, ...preflight]).end();
      return;
    }
    load.countRejectedRequest();
    const [path = ''] = url.split('?', 1);
    const { status, body } = bodies[surfaceOf(path) ?? 'access tokens'];
    head.push('Content-Type', JSON_TYPE, 'Content-Length', String(body.length));
    response.writeHead(status, [...head, 'Retry-After', retryAfter]).end(body);
  };
}
