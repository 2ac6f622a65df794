import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { clearTimeout, dateNow, setTimeout } from '../timers.js';
import type { WireRequest } from './encode.js';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** Why the body was not read to its end; undefined if it was. Only status and headers of a cut answer are checked. */
  cut?: string | undefined;
}

/** Sends requests unchanged over persistent connections. */
export interface Transport {
  /**
   * Sends a request. Rejects if the connection breaks twice in a row, or if status and headers take longer than
   * `timeoutMs` milliseconds. Cuts a body that takes longer than `bodyMs` milliseconds.
   */
  send(request: WireRequest, timeoutMs: number, bodyMs: number): Promise<Answer>;
  close(): void;
}

/** The status and headers of an answer did not arrive in time. */
export class TooLate extends Error {}

/** Bytes of a body that are read at most. */
const MOST_BYTES = 16 * 1_048_576;
/** Milliseconds and bytes of an endless stream that are read at most: its first answer, and later ones. */
const STREAM_MS = 250;
const STREAM_AGAIN_MS = 20;
const STREAM_BYTES = 65_536;
const ENDLESS_STREAM = 'a stream has no end';
const ENDLESS =
  /^\s*(text\/event-stream|multipart\/x-mixed-replace|application\/(x-ndjson|jsonl?-seq|json-seq|jsonl|stream\+json))/i;

export function createTransport(base: URL): Transport {
  const secure = base.protocol === 'https:';
  const agent = secure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
  const start = secure ? httpsRequest : httpRequest;
  /** Paths of answers that did not end in `STREAM_MS`. */
  const endless = new Set<string>();

  function once({ method, target, headers, body }: WireRequest, timeoutMs: number, bodyMs: number): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const length =
        body ?? (method === 'POST' || method === 'PUT' || method === 'PATCH' ? new Uint8Array() : undefined);
      const beginning = dateNow();
      const giveUp = new AbortController();
      const timer = setTimeout(
        () => {
          giveUp.abort();
        },
        Math.max(1, timeoutMs),
      );
      const fail = (error: Error) => {
        clearTimeout(timer);
        reject(giveUp.signal.aborted ? new TooLate('it takes too long') : error);
      };
      const outgoing = start(
        {
          hostname: base.hostname.replace(/^\[|\]$/g, ''),
          port: base.port,
          method,
          path: target,
          headers: { ...headers, ...(length !== undefined && { 'Content-Length': String(length.byteLength) }) },
          agent,
          signal: giveUp.signal,
        },
        (incoming) => {
          clearTimeout(timer);
          const [path = ''] = target.split('?');
          const limits = {
            bodyMs: Math.max(1, Math.min(bodyMs, timeoutMs - (dateNow() - beginning))),
            streamMs: endless.has(path) ? STREAM_AGAIN_MS : STREAM_MS,
          };
          readBody(incoming, limits).then((answer) => {
            if (answer.cut === ENDLESS_STREAM) endless.add(path);
            resolve(answer);
          }, reject);
        },
      );
      outgoing.once('error', fail);
      outgoing.end(body);
    });
  }

  return {
    async send(request, timeoutMs, bodyMs) {
      try {
        return await once(request, timeoutMs, bodyMs);
      } catch (error) {
        // The server may close an idle connection just before the request arrives. A second break is a fault.
        if (error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE')) {
          return await once({ ...request, headers: { ...request.headers, Connection: 'close' } }, timeoutMs, bodyMs);
        }
        throw error;
      }
    },
    close: () => {
      agent.destroy();
    },
  };
}

/** Reads a whole body, or the start of an endless one. */
function readBody(
  incoming: IncomingMessage,
  { bodyMs, streamMs }: { bodyMs: number; streamMs: number },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { headers, statusCode: status = 0 } = incoming;
    const isEndless = ENDLESS.test(headers['content-type'] ?? '');
    const most = isEndless ? STREAM_BYTES : MOST_BYTES;
    const chunks: Buffer[] = [];
    let size = 0;
    let cut: string | undefined;
    const finish = () => {
      clearTimeout(timer);
      const { text, why } = textOf(Buffer.concat(chunks), headers['content-encoding'], cut !== undefined);
      resolve({ status, headers, text, cut: cut ?? why });
    };
    const stop = (why: string) => {
      cut = why;
      incoming
        .removeAllListeners('end')
        .removeAllListeners('error')
        .on('error', () => {})
        .destroy();
      finish();
    };
    const patience = isEndless ? Math.min(streamMs, bodyMs) : bodyMs;
    const timer = setTimeout(() => {
      stop(isEndless ? ENDLESS_STREAM : 'the body does not end in time');
    }, patience);
    incoming.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size > most) stop(isEndless ? ENDLESS_STREAM : 'the body is larger than is read');
    });
    // The server has received the request, so sending it again would hide the fault.
    incoming.once('error', () => {
      clearTimeout(timer);
      reject(new Error('the connection breaks in the middle of the answer'));
    });
    incoming.once('end', finish);
  });
}

function textOf(
  bytes: Buffer,
  encoding: string | undefined,
  isCut: boolean,
): { text: string; why: string | undefined } {
  const decoders: Record<string, (body: Buffer, options: { maxOutputLength: number }) => Buffer> = {
    gzip: gunzipSync,
    'x-gzip': gunzipSync,
    deflate: inflateSync,
    br: brotliDecompressSync,
  };
  const decoder = decoders[encoding?.trim().toLowerCase() ?? ''];
  if (decoder === undefined || bytes.length === 0) return { text: bytes.toString('utf8'), why: undefined };
  if (isCut) return { text: '', why: undefined };
  try {
    return { text: decoder(bytes, { maxOutputLength: MOST_BYTES }).toString('utf8'), why: undefined };
  } catch {
    return { text: bytes.toString('utf8'), why: `the body is not ${encoding ?? ''}` };
  }
}
