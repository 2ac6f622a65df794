import { randomUUID } from 'node:crypto';
import { createServer, type Server, STATUS_CODES } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import type Koa from 'koa';
import type { ErrorCode } from '../generated/types.gen.js';
import { createApp } from './app.js';
import type { Now } from './clock.js';
import { type Config, completeConfig } from './config.js';
import { createContract } from './contract.js';
import { type Database, openDatabase } from './database/index.js';
import type { Deps } from './deps.js';
import { createHandlers } from './handlers/index.js';
import type { ServiceState } from './handlers/service.js';
import { createLog, type Log } from './log.js';
import { createLastUsed } from './tokens/last-used.js';
import { createLoginThrottle } from './users/login-throttle.js';
import { createPasswords, generatePassword } from './users/passwords.js';
import { addFirstUser } from './users/users.js';

export { type Config, isEmail, readConfig } from './config.js';
export { DatabaseRefusal } from './database/index.js';
export { InvalidArgument } from './invalid-argument.js';
export { openUsers, type Users } from './users/admin.js';
export { generatePassword } from './users/passwords.js';

export interface ServerOptions extends Partial<Config> {
  /** The clock, in milliseconds since 1970; `Date.now` by default. */
  now?: Now;
  /** Where the log goes; standard error by default. */
  log?: Log;
  /** Another way to the store than the file at `database`. */
  openDatabase?: (path: string) => Promise<Database>;
}

export interface RunningServer {
  /** Where the server listens, such as `http://127.0.0.1:8080`. */
  url: string;
  /** The user that was created because the database had none; null where it had. */
  firstUser: { email: string; password: string; generated: boolean } | null;
  /**
   * Stops accepting, answers what is in flight (9 seconds at most), brings the database file up to date and closes it.
   */
  close(): Promise<void>;
}

/** Milliseconds. A request's headers, and the whole of it, must arrive in this time; what is late is cut off. */
const HEADERS_TIMEOUT = 15_000;
const REQUEST_TIMEOUT = 30_000;
const TIMEOUT_CHECK_INTERVAL = 5_000;
/** Milliseconds an idle connection is kept: longer than the minute that load balancers keep theirs. */
const KEEP_ALIVE_TIMEOUT = 65_000;
/** Milliseconds in which requests that were already sent when the process was told to stop still arrive. */
const LAST_CALL = 100;
/** Milliseconds that what is in flight gets. */
const DRAIN_PATIENCE = 9_000;

/**
 * Starts the service and resolves when it answers.
 *
 * Rejects with `InvalidArgument` for an option out of bounds, with `DatabaseRefusal` where the database cannot be served, and with the system's error (`EADDRINUSE`,
 * `EACCES`, ...) where it cannot listen.
 */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const { now = Date.now, log: givenLog, openDatabase: open = openDatabase, ...given } = options;
  const config = completeConfig(given);
  const log = givenLog ?? createLog(config.logLevel);

  const db = await open(config.database);
  try {
    const deps: Deps = {
      db,
      now,
      config,
      log,
      lastUsed: createLastUsed(db, log),
      passwords: createPasswords(),
      loginThrottle: createLoginThrottle(now),
    };
    const state: ServiceState = { draining: false };
    const router = await createContract(deps, createHandlers(state));
    const http = createHttpServer(createApp(router, log, state));
    const sockets = trackSockets(http);
    await listen(http, config);
    // Last: were it to fail to listen afterwards, nobody would ever see the password that was generated.
    const firstUser = await ensureFirstUser(deps);

    let closing: Promise<void> | undefined;
    async function close(): Promise<void> {
      state.draining = true;
      await drain(http, sockets);
      await deps.lastUsed.flush();
      await db.close();
    }
    return {
      url: urlOf(http, config),
      firstUser,
      close: () => (closing ??= close()),
    };
  } catch (error) {
    await db.close();
    throw error;
  }
}

async function ensureFirstUser(deps: Deps): Promise<RunningServer['firstUser']> {
  const { adminEmail: email, adminPassword } = deps.config;
  const password = adminPassword ?? generatePassword();
  const added = await addFirstUser(deps, { email, fullName: '', isAdmin: true, password });
  return added ? { email, password, generated: adminPassword === null } : null;
}

function createHttpServer(app: Koa): Server {
  const answer = app.callback();
  const http = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT,
      requestTimeout: REQUEST_TIMEOUT,
      connectionsCheckingInterval: TIMEOUT_CHECK_INTERVAL,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
      // A second Authorization header would be dropped without a word; joined, it is seen and refused.
      joinDuplicateHeaders: true,
    },
    (request, response) => void answer(request, response),
  );
  http.on('clientError', answerClientError);
  return http;
}

/** What Node's parser refuses never reaches the application; the answer has the contract's shape all the same. */
function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }[error.code ?? ''] ?? 400;
  const reason = STATUS_CODES[status] ?? '';
  const body = JSON.stringify({ detail: `${reason}.`, code: 'bad_request' satisfies ErrorCode });
  socket.end(
    [
      `HTTP/1.1 ${String(status)} ${reason}`,
      'Connection: close',
      'Content-Type: application/json; charset=utf-8',
      `Content-Length: ${String(Buffer.byteLength(body))}`,
      `X-Request-Id: ${randomUUID()}`,
      'X-Content-Type-Options: nosniff',
      'Cache-Control: no-store',
      '',
      body,
    ].join('\r\n'),
  );
}

/** The open sockets, and on how many requests each of them waits for an answer. */
function trackSockets(http: Server): Map<Socket, number> {
  const sockets = new Map<Socket, number>();
  http.on('connection', (socket) => {
    sockets.set(socket, 0);
    socket.once('close', () => sockets.delete(socket));
  });
  http.prependListener('request', ({ socket }, response) => {
    sockets.set(socket, (sockets.get(socket) ?? 0) + 1);
    response.once('close', () => {
      const open = sockets.get(socket);
      if (open !== undefined) sockets.set(socket, open - 1);
    });
  });
  return sockets;
}

async function listen(http: Server, { host, port }: Config): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen({ host, port }, () => {
      http.off('error', reject);
      resolve();
    });
  });
}

function urlOf(http: Server, { host }: Config): string {
  const { port } = http.address() as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
}

async function drain(http: Server, sockets: Map<Socket, number>): Promise<void> {
  if (sockets.size > 0) await sleep(LAST_CALL);
  // One more turn of the event loop, so that what waits in the sockets is read, however late the timer was.
  await setImmediate();
  const closed = new Promise((resolve) => http.close(resolve));
  // Node closes idle connections itself, but not those that have sent nothing yet, or half a header.
  for (const [socket, open] of sockets) if (open === 0) socket.destroy();
  const deadline = setTimeout(() => {
    http.closeAllConnections();
  }, DRAIN_PATIENCE);
  await closed;
  clearTimeout(deadline);
}
