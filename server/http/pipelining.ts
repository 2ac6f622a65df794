import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Requests of one connection that may wait for their answers at a time; who pipelines more is cut off. */
const MOST_WAITING = 256;
/** Bytes of answers that one connection may have made and not sent: two pages, or 256 small answers. */
const MOST_UNSENT = 262_144;
/** Bytes for GET: a page of 200 tokens, and the rows it is made of. */
const PAGE = 131_072;
/** Bytes of a small answer, such as to a create; and for each byte of its request's body, as verify-batch answers. */
const SMALL = 512;
const FOR_EACH_BYTE = 8;

/** The requests of one connection that wait for their answers. */
export interface Pipeline {
  readonly waiting: ReadonlySet<IncomingMessage>;
  take(request: IncomingMessage, response: ServerResponse): void;
}

/**
 * Gives the requests of `socket` to `begin` in their order, but each only once there is room for its answer. Where a client
 * reads nothing, all answers would otherwise be made before anything could tell that none leaves. While
 * `isDraining`, the connection closes behind the last of them.
 */
export function createPipeline(socket: Socket, begin: RequestListener, isDraining: () => boolean): Pipeline {
  const waiting = new Set<IncomingMessage>();
  let heldBack: [IncomingMessage, ServerResponse][] = [];
  let unsent = 0;

  /** The first of all always has room, however large its answer is. */
  const hasRoom = (size: number) => unsent === 0 || unsent + size <= MOST_UNSENT;

  function start(request: IncomingMessage, response: ServerResponse, size: number): void {
    unsent += size;
    // Once the system has all of the answer.
    response.once('close', () => {
      waiting.delete(request);
      unsent -= size;
      if (heldBack.length > 0) goOn();
    });
    if (isDraining() && heldBack.length === 0) response.shouldKeepAlive = false;
    begin(request, response);
  }

  function goOn(): void {
    while (!socket.destroyed) {
      const [next] = heldBack;
      if (next === undefined) return;
      const size = expectedSize(next[0]);
      if (!hasRoom(size)) return;
      heldBack.shift();
      start(...next, size);
    }
    heldBack = [];
  }

  return {
    waiting,
    take(request, response) {
      waiting.add(request);
      if (waiting.size > MOST_WAITING) {
        socket.destroy();
        return;
      }
      const size = expectedSize(request);
      if (heldBack.length === 0 && hasRoom(size)) start(request, response, size);
      else heldBack.push([request, response]);
    },
  };
}

/** Bytes, by what is known before the request begins. */
function expectedSize({ method, url = '', headers }: IncomingMessage): number {
  if (method === 'GET') return url.startsWith('/openapi.') ? MOST_UNSENT : PAGE;
  if (headers['transfer-encoding'] !== undefined) return PAGE;
  return SMALL + FOR_EACH_BYTE * Number(headers['content-length'] ?? 0);
}
