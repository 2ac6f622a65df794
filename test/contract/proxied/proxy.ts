import { Agent, createServer, type IncomingHttpHeaders, type IncomingMessage, request as start } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';

/** What any body of our own service may have in it. */
export interface Body {
  id?: string | number;
  name?: string;
  description?: string;
  metadata?: Record<string, string>;
  scopes?: string[];
  tokenPrefix?: string;
  tokenType?: string;
  createdAt?: string;
  expiresAt?: string | null;
  expiration_time?: string | null;
  lastUsedAt?: string | null;
  revokedAt?: string | null;
  disabled?: boolean;
  previousSecret?: Body | null;
  validUntil?: string;
  items?: Body[];
  nextCursor?: string | null;
  results?: Body[];
  count?: number;
  next?: string | null;
  previous?: string | null;
  token?: Body | null | string;
  tokens?: Body[];
  plaintext?: string;
  data?: string;
  user?: Body;
  owner?: Body | null;
  session?: Body;
  email?: string;
  username?: string;
  fullName?: string;
  isAdmin?: boolean;
  password?: string | null;
  emailVerified?: boolean;
  authMethod?: string;
  sessionId?: string | null;
  organizationId?: string;
  organization?: Body;
  slug?: string;
  valid?: boolean;
  code?: string;
  active?: boolean;
  exp?: number;
  iat?: number;
  sub?: string;
  scope?: string;
  jti?: string;
  token_type?: string;
  revokedCount?: number;
  notFoundCount?: number;
  dryRun?: boolean;
  excludeCurrent?: boolean;
  ids?: string[];
  filter?: Body & Record<string, unknown>;
  expiresInDays?: number | null;
  gracePeriodSeconds?: number;
  revokeTokens?: boolean;
  refresh_token?: string;
  access_token?: string;
  token_access?: string;
  company_id?: string;
  is_verified?: boolean;
  profile?: { full_name: string; kyc_enabled: boolean; terms_and_policy_accepted_at: string | null };
  detail?: string | Problem[];
  error?: string;
  error_description?: string;
  status?: string;
  eventLoopDelayMs?: number;
  openapi?: string;
  info?: object;
}

interface Problem {
  loc: string[];
  msg: string;
  type: string;
}

/** A request on its way to the service. */
export interface Asked {
  method: string;
  /** Without the query. */
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  text: string;
  /** The operationId, HEAD being that of GET; empty where the document has no such operation. */
  operation: string;
  /** How many requests came before. */
  count: number;
}

/** An answer on its way back. */
export interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** Bytes after which the connection is cut. */
  cut?: number;
  /** An answer that does not end by itself; its text is empty. */
  stream?: IncomingMessage;
}

/** Asks the service behind the proxy. */
export type Ask = (
  method: string,
  target: string,
  options?: { as?: string | undefined; body?: object | string | undefined; headers?: Record<string, string> },
) => Promise<Reply>;

/** What stands between: the first may change a request or answer in the service's place, the second change an answer. */
export interface Fault {
  ask?(asked: Asked, service: Ask): unknown;
  tell?(reply: Reply, asked: Asked, service: Ask): unknown;
}

export interface Template {
  id: string;
  method: string;
  pattern: RegExp;
}

/** The operations of a document, those without a parameter first. */
export function templatesOf(document: { paths: Record<string, Record<string, { operationId?: string }>> }): Template[] {
  return Object.entries(document.paths)
    .flatMap(([path, item]) =>
      Object.entries(item).map(([method, { operationId = '' }]) => ({
        id: operationId,
        method: method.toUpperCase(),
        pattern: new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{[^}]+\}/g, '([^/]+)')}$`),
      })),
    )
    .sort((a, b) => Number(a.pattern.source.includes('([')) - Number(b.pattern.source.includes('([')));
}

export interface Proxy {
  url: string;
  close(): Promise<void>;
}

/** Stands in front of a service with one fault, or none. */
export async function startProxy(service: string, templates: Template[], fault: Fault = {}): Promise<Proxy> {
  const target = new URL(service);
  const agent = new Agent({ keepAlive: true });
  let count = 0;

  function forward(method: string, path: string, headers: IncomingHttpHeaders, body: string): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const rest = without(headers);
      const bytes = Buffer.from(body, 'latin1');
      const length = bytes.length > 0 || /^(POST|PUT|PATCH)$/.test(method) ? { 'content-length': bytes.length } : {};
      const outgoing = start(
        { hostname: target.hostname, port: target.port, method, path, headers: { ...rest, ...length }, agent },
        (incoming: IncomingMessage) => {
          const reply = { status: incoming.statusCode ?? 0, headers: incoming.headers, text: '' };
          if (incoming.headers['content-type']?.startsWith('text/event-stream'))
            resolve({ ...reply, stream: incoming });
          else
            buffer(incoming).then((text) => {
              resolve({ ...reply, text: text.toString('utf8') });
            }, reject);
        },
      );
      outgoing.once('error', reject);
      outgoing.end(bytes);
    });
  }

  const ask: Ask = (method, path, { as, body, headers = {} } = {}) =>
    forward(
      method,
      path,
      {
        ...headers,
        ...(as !== undefined && { authorization: as }),
        ...(body !== undefined && {
          'content-type': typeof body === 'string' ? 'application/x-www-form-urlencoded' : 'application/json',
        }),
      },
      body === undefined ? '' : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)).toString('latin1'),
    );

  async function serve(request: IncomingMessage): Promise<Reply> {
    const [path = '', query = ''] = (request.url ?? '').split(/\?(.*)/s);
    const method = request.method ?? '';
    const sent = await buffer(request);
    const asked: Asked = {
      method,
      path,
      query: new URLSearchParams(query),
      headers: request.headers,
      text: sent.toString('utf8'),
      operation:
        templates.find((each) => each.method === (method === 'HEAD' ? 'GET' : method) && each.pattern.test(path))?.id ??
        '',
      count: count++,
    };
    const before = { query: asked.query.toString(), text: asked.text };
    const instead = await fault.ask?.(asked, ask);
    let reply = isReply(instead) ? instead : undefined;
    if (reply === undefined) {
      // What was not touched is passed on as it stood, malformed or not.
      const rawQuery = asked.query.toString() === before.query ? query : asked.query.toString();
      const bytes = asked.text === before.text ? sent : Buffer.from(asked.text);
      const full = `${asked.path}${rawQuery === '' ? '' : `?${rawQuery}`}`;
      reply = await forward(asked.method, full, asked.headers, bytes.toString('latin1'));
    }
    await fault.tell?.(reply, asked, ask);
    return reply;
  }

  const server = createServer((request, response) => {
    serve(request).then(
      ({ status, headers, text, cut, stream }) => {
        const rest = without(headers);
        if (stream !== undefined) {
          response.writeHead(status, rest);
          pipeline(stream, response).catch(() => undefined);
          return;
        }
        const length = headers['content-length'];
        const bytes = Buffer.from(text);
        const size = request.method === 'HEAD' ? length : status === 204 || status === 304 ? undefined : bytes.length;
        response.writeHead(status, { ...rest, ...(size !== undefined && { 'content-length': size }) });
        if (cut === undefined) response.end(bytes);
        else
          response.write(bytes.subarray(0, cut), () => {
            request.socket.destroy();
          });
      },
      () => {
        request.socket.destroy();
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    close: () =>
      new Promise((resolve) => {
        agent.destroy();
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

function isReply(value: unknown): value is Reply {
  return typeof value === 'object' && value !== null && 'status' in value;
}

/** Headers that are about the connection and the form of a body. */
function without(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const own = ['connection', 'transfer-encoding', 'content-length'];
  const isKept = ([name, value]: [string, unknown]) => value !== undefined && !own.includes(name);
  return Object.fromEntries(Object.entries(headers).filter(isKept));
}
