import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Config } from '../config/config.js';
import type { Log } from '../log/log.js';
import { METHODS } from './cors.js';
import { drain, LAST_CALL, type Sockets } from './drain.js';
import type { Load } from './load.js';
import { createPipeline, type Pipeline } from './pipelining.js';
import { endConnection, rejectRaw } from './raw-answer.js';
import { ignoreUpgrade } from './upgrade.js';

/** Milliseconds in which a whole request must arrive. A connection whose request is late is closed. */
export const REQUEST_TIMEOUT = 25_000;
/** Milliseconds until an idle connection is closed: more than the 60 seconds after which load balancers close theirs. */
const IDLE_TIMEOUT = 65_000;
/**
 * The most connections that may wait to be accepted; the system may allow fewer. Node's default of 511 is too small for a
 * thousand clients at once: the system would drop the others, and those clients would try again only after seconds.
 */
const BACKLOG = 4_096;
/** Open files that the process needs besides connections: for the database, the log and Node itself. */
const OTHER_FILES = 64;

/** The HTTP side of the process. */
export interface Connections {
  /** Resolves with the server's URL. Rejects with the system's error, such as `EADDRINUSE` or `EACCES`. */
  listen(address: Pick<Config, 'host' | 'port'>): Promise<string>;
  /**
   * Answers the requests in flight, stops accepting, and closes all connections, after 9 seconds at most. Requests that
   * clients have already sent have `lastCall` milliseconds to arrive, by default 100.
   */
  drain(options?: { lastCall?: number }): Promise<void>;
  /** Closes all connections at once. */
  destroy(): void;
}

/** Creates the HTTP server. It calls `accept` for each request when its connection has room for the answer. */
export function createConnections(
  { accept, connection }: { accept: RequestListener; connection: () => void },
  log: Log,
  load: Pick<Load, 'countRejectedConnection'>,
  requestTimeout = REQUEST_TIMEOUT,
): Connections {
  const http = createServer({
    requestTimeout,
    connectionsCheckingInterval: requestTimeout / 5,
    keepAliveTimeout: IDLE_TIMEOUT,
    // Without this, Node drops a second Authorization or Host silently. Joined by a comma, it is rejected.
    joinDuplicateHeaders: true,
    // Node's own answer to a missing Host has neither body nor headers. The application checks Host itself.
    requireHostHeader: false,
  });
  http.timeout = IDLE_TIMEOUT;
  const begin: RequestListener = (request, response) => {
    if (!isPastEnd(request, response)) accept(request, response);
  };
  let isDraining = false;
  const sockets = trackSockets(http, load, (socket) => {
    const pipeline = createPipeline(socket, begin);
    if (isDraining) pipeline.drain();
    return pipeline;
  });
  const pipelineOf = (socket: Duplex) => (socket instanceof Socket ? sockets.get(socket) : undefined);
  http.on('connection', connection);
  const take: RequestListener = (request, response) => {
    sockets.get(request.socket)?.take(request, response);
  };
  http.on('request', take);
  // A server may ignore an expectation that it does not know (RFC 9110, section 10.1.1).
  http.on('checkExpectation', take);
  http.on('upgrade', (request, socket, rest) => {
    const pipeline = pipelineOf(socket);
    if (pipeline !== undefined && socket instanceof Socket) ignoreUpgrade(http, request, socket, rest, pipeline);
  });
  http.on('connect', (_request, socket) => {
    rejectRaw(log, socket, 405, ['Allow', [...METHODS, 'OPTIONS'].join(', ')]);
  });
  http.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const pipeline = pipelineOf(socket);
    const waiting = [...(pipeline?.waiting ?? [])];
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
    // Complete requests before the malformed bytes get their answers. The malformed bytes get no answer.
    else if (waiting.length > 0 && waiting.every(({ complete }) => complete)) {
      pipeline?.whenAnswered(() => {
        endConnection(socket);
      });
    } else rejectRaw(log, socket, { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }[error.code ?? ''] ?? 400);
  });

  return {
    async listen({ host, port }) {
      await new Promise<void>((resolve, reject) => {
        http.once('error', reject);
        http.listen({ host, port, backlog: BACKLOG }, () => {
          http.off('error', reject);
          // A connection that cannot be accepted, for example without a free file descriptor, must not end the process.
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

function trackSockets(
  http: Server,
  load: Pick<Load, 'countRejectedConnection'>,
  pipelineOf: (socket: Socket) => Pipeline,
): Sockets {
  const sockets = new Map<Socket, Pipeline>();
  // With Node's `maxConnections`, workers would pass a connection that all of them reject from one to the next for ever.
  const most = openFilesLimit() - OTHER_FILES;
  http.on('connection', (socket) => {
    if (sockets.has(socket)) return;
    if (sockets.size >= most) {
      load.countRejectedConnection();
      socket.destroy();
      return;
    }
    sockets.set(socket, pipelineOf(socket));
    socket.once('close', () => sockets.delete(socket));
  });
  return sockets;
}

/** The process's limit of open files on Linux. Other systems reject connections themselves at their limit. */
function openFilesLimit(): number {
  try {
    const [, limit] = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** Connections whose last request has arrived. */
const ended = new WeakSet<Duplex>();

/**
 * Whether a request follows an HTTP/1.0 request with `Transfer-Encoding`, whose end is uncertain (RFC 9112, section 6.1).
 * The HTTP/1.0 request is answered, its connection is closed, and everything after it is ignored.
 */
function isPastEnd({ httpVersion, headers, socket }: IncomingMessage, response: ServerResponse): boolean {
  if (ended.has(socket)) return true;
  if (httpVersion === '1.0' && headers['transfer-encoding'] !== undefined) {
    ended.add(socket);
    response.shouldKeepAlive = false;
  }
  return false;
}
