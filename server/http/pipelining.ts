import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** The most requests of one connection that may wait for their answers. A connection that sends more is closed. */
const MOST_WAITING = 256;
/** The most bytes of unsent answers of one connection: two pages, or 256 small answers. */
const MOST_UNSENT = 262_144;
/** Bytes that a GET is expected to need: a page of 200 tokens, and its rows. */
const PAGE = MOST_UNSENT / 2;
/** Bytes that any other answer is expected to need, plus 8 for each byte of the request's body, for verify-batch. */
const SMALL = 512;
const FOR_EACH_BYTE = 8;

/** The requests of one connection that wait for their answers. */
export interface Pipeline {
  readonly waiting: ReadonlySet<IncomingMessage>;
  take(request: IncomingMessage, response: ServerResponse): void;
  /** Closes the connection after the answer to the last request that the client has sent. */
  drain(): void;
  /** Calls `then` once when no request waits, at once if none waits now. A later call replaces an earlier one. */
  whenAnswered(then: () => void): void;
}

/**
 * Calls `begin` for the requests of `socket` in their order, each when there is room for its answer. Without this limit, a
 * client that reads nothing could make the process hold the answers to all its requests in memory.
 */
export function createPipeline(socket: Socket, begin: RequestListener): Pipeline {
  const waiting = new Set<IncomingMessage>();
  let delayed: [IncomingMessage, ServerResponse][] = [];
  let unsent = 0;
  let isDraining = false;
  let answered: (() => void) | undefined;

  /** A connection without unsent answers always has room, however large the answer is. */
  const hasRoom = (size: number) => unsent === 0 || unsent + size <= MOST_UNSENT;

  function start(request: IncomingMessage, response: ServerResponse, size: number): void {
    unsent += size;
    // `close` means that the operating system has taken the whole answer.
    response.once('close', () => {
      waiting.delete(request);
      unsent -= size;
      if (delayed.length > 0) startDelayed();
      if (waiting.size === 0) tellAnswered();
    });
    if (isDraining && delayed.length === 0) response.shouldKeepAlive = false;
    begin(request, response);
  }

  function tellAnswered(): void {
    const then = answered;
    answered = undefined;
    then?.();
  }

  function startDelayed(): void {
    while (!socket.destroyed) {
      const [next] = delayed;
      if (next === undefined) break;
      const size = expectedSize(next[0]);
      if (!hasRoom(size)) return;
      delayed.shift();
      start(...next, size);
    }
    delayed = [];
  }

  return {
    waiting,
    take(request, response) {
      if (waiting.size === MOST_WAITING) {
        socket.destroy();
        return;
      }
      waiting.add(request);
      const size = expectedSize(request);
      if (delayed.length === 0 && hasRoom(size)) {
        start(request, response, size);
        return;
      }
      delayed.push([request, response]);
    },
    drain() {
      isDraining = true;
    },
    whenAnswered(then) {
      if (waiting.size === 0) then();
      else answered = then;
    },
  };
}

/** The bytes that the answer is expected to need, from what is known before the request begins. */
function expectedSize({ method, url = '', headers }: IncomingMessage): number {
  if (method === 'GET') return url.startsWith('/openapi.') ? MOST_UNSENT : PAGE;
  if (headers['transfer-encoding'] !== undefined) return PAGE;
  return SMALL + FOR_EACH_BYTE * Number(headers['content-length'] ?? 0);
}
