import { randomUUID } from 'node:crypto';
import Koa, { type Context, type Next } from 'koa';
import { type Contract, sendError } from './contract.js';
import { ServiceError, toServiceError } from './errors.js';
import type { ServiceState } from './handlers/service.js';
import type { Log } from './log.js';
import { RequestAborted } from './request.js';
import type { Trace } from './trace.js';

/** Koa and the order of what each request passes: id and headers, the log, the last error boundary, the contract. */
export function createApp(contract: Contract, log: Log, state: ServiceState): Koa {
  const app = new Koa();
  // Everything is answered and logged below; Koa's own way prints to the console.
  app.silent = true;

  app.use(async (ctx, next) => {
    const trace: Trace = { requestId: requestIdOf(ctx) };
    ctx['trace'] = trace;
    toOriginForm(ctx);
    setHeaders(ctx, trace, state);
    logWhenDone(ctx, trace, log);
    try {
      if (!hasOneHost(ctx)) throw new ServiceError('bad_request');
      const path = pathOf(ctx);
      if (path !== undefined) await next();
      if (trace.operation === undefined) answerOutside(ctx, trace, contract, path);
    } catch (error) {
      if (error instanceof RequestAborted) ctx.respond = false;
      else sendError(ctx, trace, toServiceError(error, trace.requestId));
    }
  });
  app.use(contract.router.routes() as (ctx: Context, next: Next) => Promise<void>);
  return app;
}

function requestIdOf(ctx: Context): string {
  const sent = ctx.req.headers['x-request-id'];
  return typeof sent === 'string' && /^[A-Za-z0-9._-]{1,128}$/.test(sent) ? sent : randomUUID();
}

/** Past Koa's `set`, which costs several times as much. */
function setHeaders({ req, res }: Context, { requestId }: Trace, { phase }: ServiceState): void {
  res.setHeader('X-Request-Id', requestId);
  res.setHeader('X-Content-Type-Options', 'nosniff');
  if (/^\/(api|oauth)/.test(req.url ?? '')) res.setHeader('Cache-Control', 'no-store');
  if (phase === 'draining') res.setHeader('Connection', 'close');
}

/** A request target may name scheme and host too (RFC 9112, section 3.2.2); what follows them is the path. */
function toOriginForm({ req }: Context): void {
  if (req.url?.startsWith('/') !== true) req.url = (req.url ?? '').replace(/^https?:\/\/[^/?#]*/i, '');
}

/**
 * The path as it was sent; undefined where it cannot be one of the contract's, however it is read: parsers of URLs would
 * turn `\` into `/`, cut at `#`, and throw at broken percent-encoding.
 */
function pathOf({ req: { url = '' } }: Context): string | undefined {
  const [path = ''] = url.split('?', 1);
  if (!/^\/[\x21-\x5b\x5d-\x7e]*$/.test(path) || url.includes('#')) return undefined;
  if (!path.includes('%')) return path;
  try {
    decodeURIComponent(path);
    return path;
  } catch {
    return undefined;
  }
}

/** RFC 9112, section 3.2: one, except that HTTP/1.0 may have none. */
function hasOneHost({ req }: Context): boolean {
  const { host } = req.headers;
  return host === undefined ? req.httpVersion === '1.0' : !host.includes(',');
}

/** Paths and methods that are no operation: 404, 405 with `Allow`, and OPTIONS. */
function answerOutside(ctx: Context, trace: Trace, contract: Contract, path = ''): void {
  const known = contract.at(path);
  if (known === undefined) {
    sendError(ctx, trace, new ServiceError('not_found', { detail: notFoundDetail(contract, path) }));
    return;
  }
  const allow = [...known.methods, 'OPTIONS'].join(', ');
  if (ctx.method === 'OPTIONS') {
    ctx.status = 204;
    ctx.set('Allow', allow);
  } else {
    sendError(ctx, trace, new ServiceError('method_not_allowed', { headers: { Allow: allow } }), known.surface);
  }
}

function notFoundDetail(contract: Contract, path: string): string {
  const slash = path.endsWith('/');
  if (contract.at(slash ? path.slice(0, -1) : `${path}/`) === undefined) return 'There is nothing at this path.';
  return `There is nothing at this path; the one ${slash ? 'without' : 'with'} a trailing slash exists.`;
}

function logWhenDone(ctx: Context, trace: Trace, log: Log): void {
  const start = performance.now();
  ctx.res.once('close', () => {
    const { requestId, operation, callerId, error } = trace;
    const line = {
      method: ctx.method,
      route: operation?.path ?? null,
      status: ctx.res.writableFinished ? ctx.res.statusCode : 499,
      ms: Math.round((performance.now() - start) * 1_000) / 1_000,
      requestId,
      callerId: callerId ?? null,
      ...(error !== undefined && { code: error.code }),
      ...(typeof error?.cause === 'string' && { reason: error.cause }),
      ...(error?.cause instanceof Error && { err: error.cause }),
    };
    if (ctx.res.statusCode >= 500) log.error(line, 'request');
    else log.info(line, 'request');
  });
}
