import type { IncomingMessage, ServerResponse } from 'node:http';
import Koa, { type Context } from 'koa';
import type { Routes } from './contract/routes.js';
import type { Deps } from './deps.js';
import { ServiceError, toServiceError } from './errors.js';
import { sendAnswer, sendError } from './http/answer.js';
import type { Cors } from './http/cors.js';
import { createForwardedWatch } from './http/forwarded.js';
import { commonHeaders, requestIdOf } from './http/headers.js';
import { RequestAborted } from './http/request.js';
import type { Trace } from './http/trace.js';
import type { Log } from './log/log.js';
import type { Pages } from './pages/pages.js';
import { performanceNow } from './timers.js';

/** Creates the Koa app. Each request gets an id, the common headers and a log line; then its operation runs. */
export function createApp(routes: Routes, pages: Pages, { config, log }: Deps, cors: Cors): Koa {
  const app = new App();
  const watchForwarded = createForwardedWatch(config, log);
  app.use(async (ctx) => {
    const { req } = ctx;
    watchForwarded(req);
    const requestId = requestIdOf(req);
    toOriginForm(req);
    const ofApi = isOfApi(req);
    const trace: Trace = { requestId, head: commonHeaders(requestId, { cacheable: !ofApi }) };
    trace.head.push(...cors.headersFor(req));
    logWhenDone(ctx, trace, log);
    try {
      if (!hasOneHost(req)) throw new ServiceError('bad_request');
      const { url = '', method = '' } = req;
      const end = url.indexOf('?');
      const path = end === -1 ? url : url.slice(0, end);
      const known = isPath(path, url) ? path : '';
      const preflight = cors.preflightHeaders(req);
      if (preflight !== undefined) {
        // Preflights are answered for every path, otherwise a page could not read the 404 of an unknown path.
        trace.head.push(...preflight);
        sendAnswer(ctx, trace, { status: 204 });
        return;
      }
      const page = ofApi ? undefined : pages.answer(req, known);
      if (page !== undefined) {
        sendAnswer(ctx, trace, page);
        return;
      }
      const found = routes.find(method, known);
      if (found === undefined) answerOutside(ctx, trace, routes, known);
      else await found.serve(ctx, trace, found.params, end === -1 ? '' : url.slice(end + 1));
    } catch (error) {
      if (!(error instanceof RequestAborted)) sendLastError(ctx, trace, error, log);
    }
  });
  return app;
}

/**
 * Answers `error`. This function must not throw: nothing catches an error after it, and an unhandled rejection ends the
 * process.
 */
function sendLastError(ctx: Context, trace: Trace, error: unknown, log: Log): void {
  try {
    sendError(ctx, trace, toServiceError(error, trace.requestId));
  } catch (failure) {
    log.error({ err: failure, requestId: trace.requestId }, 'could not answer an error');
    ctx.res.destroy();
  }
}

/**
 * Koa without its own answers and error log, which take as much time as the rest of Koa. The middleware of `createApp`
 * answers and logs instead.
 */
class App extends Koa {
  /** Koa has this method, but Koa's types do not declare it. */
  declare compose: (middleware: Koa.Middleware[]) => (context: Koa.ParameterizedContext) => Promise<void>;

  override callback(): ReturnType<Koa['callback']> {
    const handle = this.compose(this.middleware);
    return (request, response) => handle(this.createContext(request as IncomingMessage, response as ServerResponse));
  }
}

function isOfApi({ url = '' }: IncomingMessage): boolean {
  return url.startsWith('/api') || url.startsWith('/oauth');
}

/** Removes scheme and host from a request target in absolute form (RFC 9112, section 3.2.2). */
function toOriginForm(request: IncomingMessage): void {
  if (request.url?.startsWith('/') !== true) request.url = (request.url ?? '').replace(/^https?:\/\/[^/?#]*/i, '');
}

/**
 * Whether `path` can be a path of the contract. Rejects what URL parsers would change or throw at: they turn `\` into
 * `/`, cut the URL at `#`, and throw at broken percent-encoding.
 */
function isPath(path: string, url: string): boolean {
  if (!/^\/[\x21-\x5b\x5d-\x7e]*$/.test(path) || url.includes('#')) return false;
  if (!path.includes('%')) return true;
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether a request has exactly one Host, or none in HTTP/1.0 (RFC 9112, section 3.2). Node joins several by commas.
 */
function hasOneHost({ headers: { host }, httpVersion }: IncomingMessage): boolean {
  return host === undefined ? httpVersion === '1.0' : !host.includes(',');
}

/**
 * Answers a request that matches no operation: with 404 for an unknown path, with 204 and `Allow` for OPTIONS, and with
 * 405 and `Allow` for any other method.
 */
function answerOutside(ctx: Context, trace: Trace, routes: Routes, path: string): void {
  const known = routes.at(path);
  if (known === undefined) {
    sendError(ctx, trace, new ServiceError('not_found', { detail: notFoundDetail(routes, path) }));
    return;
  }
  const allow = [...known.methods, 'OPTIONS'].join(', ');
  if (ctx.req.method === 'OPTIONS') {
    sendAnswer(ctx, trace, { status: 204, headers: { Allow: allow } });
  } else {
    sendError(ctx, trace, new ServiceError('method_not_allowed', { headers: { Allow: allow } }), known.surface);
  }
}

function notFoundDetail(routes: Routes, path: string): string {
  const slash = path.endsWith('/');
  if (routes.at(slash ? path.slice(0, -1) : `${path}/`) === undefined) return 'There is nothing at this path.';
  return `There is nothing at this path; the one ${slash ? 'without' : 'with'} a trailing slash exists.`;
}

function logWhenDone({ req, res }: Context, trace: Trace, log: Log): void {
  const start = performanceNow();
  res.once('close', () => {
    const { requestId, operation, callerId, error, isStream = false } = trace;
    const line = {
      method: req.method,
      route: operation?.path ?? null,
      status: res.writableFinished || isStream ? res.statusCode : 499,
      ms: Math.round((performanceNow() - start) * 1_000) / 1_000,
      requestId,
      callerId: callerId ?? null,
      ...(error !== undefined && { code: error.code }),
      ...(typeof error?.cause === 'string' && { reason: error.cause }),
      ...(error?.cause instanceof Error && { err: error.cause }),
    };
    if (res.statusCode >= 500) log.error(line, 'request');
    else log.info(line, 'request');
  });
}
