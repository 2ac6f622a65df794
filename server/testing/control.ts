import type { IncomingMessage, ServerResponse } from 'node:http';
import { InvalidArgument } from '../config/invalid-argument.js';
import { ServiceError } from '../errors.js';
import { RequestAborted, readJson, readQuery } from '../http/request.js';
import type { Log } from '../log/log.js';
import { type ControlHandlers, type Controlled, createControlHandlers, NoSuch } from './control-handlers.js';
import { type ControlOperation, controlSpec } from './control-spec.js';
import { problemOf } from './schema.js';

const PREFIX = '/__testing/';
/** Most bytes of a body. */
const BODY_LIMIT = 65_536;
const SEED_LIMIT = 8 * 2 ** 20;

/** Whether a request is a control request, which only a local server answers. */
export function isControl({ url = '' }: IncomingMessage): boolean {
  return url.startsWith(PREFIX);
}

/** Creates the listener that answers control requests as `testing/openapi.yaml` defines. */
export function createControl(
  server: Controlled,
  log: Log,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const handlers = createControlHandlers(server);
  return async (request, response) => {
    try {
      assertNoWebPage(request);
      const [path = '', search = ''] = (request.url ?? '').split(/\?(.*)/s, 2);
      const operation = await operationOf(request.method ?? '', path);
      const id = operation.path.exec(path)?.groups?.['id'] ?? '';
      const body = await (handlers as AnyHandlers)[operation.id as keyof ControlHandlers]({
        id,
        query: queryOf(operation, search),
        body: await bodyOf(operation, request),
      });
      answer(response, operation.status, body, operation.mediaType);
    } catch (error) {
      if (error instanceof RequestAborted) return;
      const { status, detail, headers } = toRefusal(error, log);
      answer(response, status, { detail }, 'application/json', headers);
    }
  };
}

type AnyHandlers = Record<
  keyof ControlHandlers,
  (parts: { id: string; query: Record<string, unknown>; body: unknown }) => unknown
>;

/**
 * Rejects requests that a web page makes a browser send to this machine. `Origin` and `Sec-Fetch-Site` show them. If the
 * page's own host name resolves to a loopback address (DNS rebinding), `Host` shows it.
 */
function assertNoWebPage({ headers }: IncomingMessage): void {
  const { host = '', origin } = headers;
  const site = headers['sec-fetch-site'];
  if (!/^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i.test(host)) {
    throw new ControlError(403, 'Host must be a loopback address, such as 127.0.0.1.');
  }
  if (origin !== undefined && origin !== `http://${host}`) {
    throw new ControlError(403, 'Origin must be the origin of this server.');
  }
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    throw new ControlError(403, 'Sec-Fetch-Site must be same-origin or none.');
  }
}

async function operationOf(method: string, path: string): Promise<ControlOperation> {
  const { operations } = await controlSpec();
  const atPath = operations.filter((operation) => operation.path.test(path));
  const found = atPath.find((operation) => operation.method === method);
  if (found !== undefined) return found;
  if (atPath.length === 0) throw new ControlError(404, 'There is nothing at this path; see /__testing/openapi.yaml.');
  const allow = atPath.map((operation) => operation.method).join(', ');
  throw new ControlError(405, `This path allows ${allow}.`, { Allow: allow });
}

function queryOf({ validateQuery, integers }: ControlOperation, search: string): Record<string, unknown> {
  const query: Record<string, unknown> = { ...readQuery(search) };
  for (const name of integers) if (/^\d{1,9}$/.test(String(query[name]))) query[name] = Number(query[name]);
  const problem = problemOf(validateQuery, query, 'the query');
  if (problem !== undefined) throw new InvalidArgument(problem);
  return query;
}

async function bodyOf({ id, validateBody }: ControlOperation, request: IncomingMessage): Promise<unknown> {
  if (id === 'putSeed') return (await readJson(request, SEED_LIMIT)) ?? {};
  // Many clients send `{}` with a POST that needs no body; it is ignored.
  if (validateBody === undefined) return undefined;
  const body = await readJson(request, BODY_LIMIT);
  const problem = problemOf(validateBody, body, 'the body');
  if (problem !== undefined) throw new InvalidArgument(problem);
  return body;
}

class ControlError extends Error {
  override name = 'ControlError';

  constructor(
    readonly status: number,
    detail: string,
    readonly headers: Record<string, string> = {},
  ) {
    super(detail);
  }
}

function toRefusal(error: unknown, log: Log): { status: number; detail: string; headers?: Record<string, string> } {
  if (error instanceof ControlError) return { status: error.status, detail: error.message, headers: error.headers };
  if (error instanceof NoSuch) return { status: 404, detail: error.message };
  if (error instanceof InvalidArgument) return { status: 400, detail: error.message };
  if (error instanceof ServiceError) {
    const { code, problems, status, message } = error;
    if (code === 'invalid_input') return { status: 400, detail: problems[0]?.msg ?? message };
    return {
      status,
      detail:
        code === 'payload_too_large' ? 'The body is too large: at most 64 KiB are allowed, for a seed 8 MiB.' : message,
    };
  }
  log.error({ err: error }, 'control request failed');
  return { status: 500, detail: 'Internal error; see the log of the server.' };
}

function answer(
  response: ServerResponse,
  status: number,
  body: unknown,
  mediaType: string | undefined,
  headers: Record<string, string> = {},
): void {
  if (mediaType === undefined) {
    response.writeHead(status, headers).end();
    return;
  }
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response
    .writeHead(status, {
      ...headers,
      'Content-Type': `${mediaType}; charset=utf-8`,
      'Content-Length': Buffer.byteLength(text),
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
    })
    .end(text);
}
