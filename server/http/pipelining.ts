import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Requests of one connection that may wait for their answers; a connection that sends more is closed. */
const MOST_WAITING = 256;
/** Bytes of unsent answers for which one connection has room: two pages, or 256 small answers. */
const MOST_UNSENT = 262_144;
/** Bytes that a GET is expected to need: a page of 200 tokens and the rows that it is made of. */
const PAGE = MOST_UNSENT / 2;
/** Bytes that any other answer is expected to need, beside 8 for each byte of its request's body, as verify-batch needs. */
const SMALL = 512;
const FOR_EACH_BYTE = 8;

/** The requests of one connection that wait for their answers. */
export interface Pipeline {
  readonly waiting: ReadonlySet<IncomingMessage>;
  take(request: IncomingMessage, response: ServerResponse): void;
  /** Closes the connection behind the last request that the client has sent. */
  drain(): void;
  /** Calls `then` once no request waits, at once if none does. A later call replaces an earlier one. */
  whenAnswered(then: () => void): void;
}

/**
 * Gives the requests of `socket` to `begin` in their order, each once there is room for its answer. All answers for a
 * client that reads nothing would otherwise be made before the process could see that none is sent.
 */
export function createPipeline(socket: Socket, begin: RequestListener): Pipeline {
  const waiting = new Set<IncomingMessage>();
  let delayed: [IncomingMessage, ServerResponse][] = [];
  let unsent = 0;
  let isDraining = false;
  let answered: (() => void) | undefined;

  /** The first of all always has room, however large its answer is. */
  const hasRoom = (size: number) => unsent === 0 || unsent + size <= MOST_UNSENT;

  function start(request: IncomingMessage, response: ServerResponse, size: number): void {
    unsent += size;
    // Once the system has all of the answer.
    response.once('close', () => {
      waiting.delete(request);
      unsent -= size;
      if (delayed.length > 0) startDelayed();
      if (waiting.size === 0) answered?.();
    });
    if (isDraining && delayed.length === 0) response.shouldKeepAlive = false;
    begin(request, response);
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

/** Bytes, by what is known before the request begins. */
function expectedSize({ method, url = '', headers }: IncomingMessage): number {
  if (method === 'GET') return url.startsWith('/openapi.') ? MOST_UNSENT : PAGE;
  if (headers['transfer-encoding'] !== undefined) return PAGE;
  return SMALL + FOR_EACH_BYTE * Number(headers['content-length'] ?? 0);
}
