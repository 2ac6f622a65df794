import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ErrorCode } from '../../generated/types.gen.js';
import type { Config } from '../config/config.js';
import type { Log } from '../log/log.js';
import { clearInterval, clearTimeout, nextTurn, performanceNow, setInterval, setTimeout, sleep } from '../timers.js';
import type { Admission } from './admission.js';
import { commonHeaders } from './headers.js';
import type { Load } from './load.js';
import { createPipeline, type Pipeline } from './pipelining.js';

/** Milliseconds. A request's headers, and the whole of it, must arrive in this time; what is late is cut off. */
const HEADERS_TIMEOUT = 15_000;
const REQUEST_TIMEOUT = 25_000;
const TIMEOUT_CHECK_INTERVAL = 5_000;
/** Milliseconds an idle connection is kept: longer than the minute that load balancers keep theirs. */
const KEEP_ALIVE_TIMEOUT = 65_000;
/** Milliseconds without any byte in either direction, such as with a client that never reads its answer. */
const SILENCE_TIMEOUT = 70_000;
/** Milliseconds that a refused client gets to read why and to close its side. */
const FAREWELL = 1_000;
/** Milliseconds in which requests that were already sent when the process was told to stop still arrive. */
const LAST_CALL = 100;
/** Milliseconds in which connections are still accepted that the system has made already. */
const BACKLOG_PATIENCE = 2_000;
/** Milliseconds that what is in flight gets. */
const DRAIN_PATIENCE = 9_000;

/**
 * Connections that may wait to be accepted; the system may allow less. Node's own 511 are too few for a thousand clients
 * that come at once: the system drops what is too much, and clients repeat themselves only after seconds.
 */
const BACKLOG = 4_096;
/** Files that the process opens beside connections: the database, the log, and what Node itself needs. */
const OTHER_FILES = 64;
/** Milliseconds between looks whether the requests before one with `Upgrade` are answered. */
const UPGRADE_PAUSE = 5;

/** The HTTP side of the process. */
export interface Connections {
  /** Rejects with the system's error (`EADDRINUSE`, `EACCES`, ...). Resolves to the address to reach the server at. */
  listen(address: Pick<Config, 'host' | 'port'>): Promise<string>;
  /**
   * Stops accepting and resolves when everything in flight is answered, after 9 seconds at most. What was already sent
   * has `lastCall` milliseconds to arrive, by default 100.
   */
  drain(options?: { lastCall?: number }): Promise<void>;
  /** Cuts everything off. */
  destroy(): void;
}

export function createConnections(
  { request: accept, connection }: Admission,
  log: Log,
  load: Pick<Load, 'refusedConnection'>,
): Connections {
  const http = createServer({
    headersTimeout: HEADERS_TIMEOUT,
    requestTimeout: REQUEST_TIMEOUT,
    connectionsCheckingInterval: TIMEOUT_CHECK_INTERVAL,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
    // A second Authorization or Host would be dropped without a word; joined by a comma, it is seen and refused.
    joinDuplicateHeaders: true,
    // Node's own refusal has neither body nor headers; the application checks Host itself.
    requireHostHeader: false,
  });
  http.timeout = SILENCE_TIMEOUT;
  let isDraining = false;
  const begin: RequestListener = (request, response) => {
    if (!isPastEnd(request, response)) accept(request, response);
  };
  const sockets = trackSockets(http, load, (socket) => createPipeline(socket, begin, () => isDraining));
  http.on('connection', connection);
  const answer: RequestListener = (request, response) => {
    sockets.get(request.socket)?.take(request, response);
  };
  http.on('request', answer);
  // An expectation that nobody knows may be ignored (RFC 9110, section 10.1.1).
  http.on('checkExpectation', answer);
  const waitingOn = (socket: Duplex): Waiting => sockets.get(socket)?.waiting ?? new Set();
  http.on('upgrade', (request, socket, rest) => {
    ignoreUpgrade(http, request, socket, rest, waitingOn(socket));
  });
  http.on('connect', (_request, socket) => {
    refuse(log, socket, 405, ['Allow: GET, HEAD, POST, PATCH, DELETE, OPTIONS']);
  });
  http.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const inFlight = waitingOn(socket);
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
    // Whole requests that came before the garbage on this connection get their answers, and the garbage none.
    else if (inFlight.size > 0 && [...inFlight].every(({ complete }) => complete)) endWhenAnswered(socket, inFlight);
    else refuse(log, socket, { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }[error.code ?? ''] ?? 400);
  });

  return {
    async listen({ host, port }) {
      await new Promise<void>((resolve, reject) => {
        http.once('error', reject);
        http.listen({ host, port, backlog: BACKLOG }, () => {
          http.off('error', reject);
          // A connection that cannot be accepted, such as for want of a file descriptor, is no reason to end.
          http.on('error', (error) => {
            log.warn({ err: error }, 'a connection could not be accepted');
          });
          resolve();
        });
      });
      const { port: actual } = http.address() as AddressInfo;
      return `http://${host.includes(':') ? `[${host}]` : host}:${String(actual)}`;
    },
    drain({ lastCall = LAST_CALL } = {}) {
      isDraining = true;
      return drain(http, sockets, lastCall);
    },
    destroy() {
      http.close();
      http.closeAllConnections();
    },
  };
}

type Waiting = Pipeline['waiting'];

/** The open sockets, each with its requests that wait for an answer. */
type Sockets = Map<Duplex, Pipeline>;

function trackSockets(
  http: Server,
  load: Pick<Load, 'refusedConnection'>,
  pipelineOf: (socket: Socket) => Pipeline,
): Sockets {
  const sockets: Sockets = new Map();
  const most = openFilesLimit() - OTHER_FILES;
  http.on('connection', (socket) => {
    // Rather than by Node's own `maxConnections`: workers would hand a connection that all refuse round for ever.
    if (sockets.has(socket)) return;
    if (sockets.size >= most) {
      load.refusedConnection();
      socket.destroy();
      return;
    }
    sockets.set(socket, pipelineOf(socket));
    socket.once('close', () => sockets.delete(socket));
  });
  return sockets;
}

/** Linux says it; elsewhere the system refuses the connections, when the limit is reached. */
function openFilesLimit(): number {
  try {
    const [, limit] = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** Connections whose last request has come. */
const ended = new WeakSet<Duplex>();

/**
 * Whether a request comes behind one of HTTP/1.0 with `Transfer-Encoding`, whose end nobody can be sure of (RFC 9112, section
 * 6.1): that one is answered, the connection closes, and nothing behind it is looked at.
 */
function isPastEnd({ httpVersion, headers, socket }: IncomingMessage, response: ServerResponse): boolean {
  if (ended.has(socket)) return true;
  if (httpVersion === '1.0' && headers['transfer-encoding'] !== undefined) {
    ended.add(socket);
    response.shouldKeepAlive = false;
  }
  return false;
}

/**
 * Serves a request as if it asked for no other protocol. Node has taken its parser off the connection: what was read is put
 * back without the header, once all requests before it are answered, since a new parser knows nothing of them.
 */
function ignoreUpgrade(
  http: Server,
  { method = '', url = '', httpVersion, rawHeaders }: IncomingMessage,
  socket: Duplex,
  rest: Buffer,
  inFlight: Waiting,
): void {
  const head = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    if (name.toLowerCase() !== 'upgrade') head.push(`${name}: ${value}`);
  }
  const text = Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1');
  socket.on('error', () => socket.destroy());
  const goOn = () => {
    if (socket.destroyed) return;
    if (inFlight.size > 0) {
      setTimeout(goOn, UPGRADE_PAUSE).unref();
      return;
    }
    socket.unshift(Buffer.concat([text, rest]));
    http.emit('connection', socket);
  };
  goOn();
}

function endWhenAnswered(socket: Duplex, inFlight: Waiting): void {
  const deadline = performanceNow() + DRAIN_PATIENCE;
  const timer = setInterval(() => {
    if (inFlight.size > 0 && performanceNow() < deadline) return;
    clearInterval(timer);
    end(socket);
  }, 20).unref();
}

/** A client that never closes its side would keep the connection for ever. */
function end(socket: Duplex, lastWords = ''): void {
  socket.end(lastWords);
  setTimeout(() => socket.destroy(), FAREWELL).unref();
}

/** What never reaches the application is answered in the contract's shape all the same. */
function refuse(log: Log, socket: Duplex, status: number, headers: string[] = []): void {
  const reason = STATUS_CODES[status] ?? '';
  const code: ErrorCode = status === 405 ? 'method_not_allowed' : 'bad_request';
  const body = JSON.stringify({ detail: `${reason}.`, code });
  const requestId = randomUUID();
  log.info({ method: null, route: null, status, requestId, callerId: null, code }, 'request');
  const head = [
    `HTTP/1.1 ${String(status)} ${reason}`,
    'Connection: close',
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${String(Buffer.byteLength(body))}`,
    ...toLines(commonHeaders(requestId, { cacheable: false })),
    ...headers,
  ];
  end(socket, `${head.join('\r\n')}\r\n\r\n${body}`);
}

function toLines(head: string[]): string[] {
  return head.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${head[index + 1] ?? ''}`] : []));
}

/**
 * Node accepts one connection in each turn of the event loop. Under load the system keeps many that have sent a request
 * long ago, and would cut them off with the listening socket.
 */
async function acceptWaiting(http: Server): Promise<void> {
  const deadline = performanceNow() + BACKLOG_PATIENCE;
  let quietTurns = 0;
  http.on('connection', () => {
    quietTurns = 0;
  });
  // What a connection has brought along is read in the turn after; and what waits in the others, however late this began.
  while (quietTurns < 3 && performanceNow() < deadline) {
    await nextTurn();
    quietTurns += 1;
  }
}

async function drain(http: Server, sockets: Sockets, lastCall: number): Promise<void> {
  const start = performanceNow();
  if (sockets.size > 0 && lastCall > 0) await sleep(lastCall);
  await acceptWaiting(http);
  // Node's own way takes a connection for idle whose answer is made and not sent yet, even where others wait behind it.
  http.closeIdleConnections = () => {
    for (const [socket, { waiting }] of sockets) if (waiting.size === 0) socket.destroy();
  };
  const closed = new Promise((resolve) => http.close(resolve));
  const sweep = setInterval(() => {
    http.closeIdleConnections();
  }, 50);
  const deadline = setTimeout(
    () => {
      http.closeAllConnections();
    },
    DRAIN_PATIENCE - (performanceNow() - start),
  );
  await closed;
  clearInterval(sweep);
  clearTimeout(deadline);
}
