import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { requestIdOf } from '../app.js';
import { InvalidArgument } from '../config/invalid-argument.js';
import { clearTimeout, setTimeout } from '../timers.js';
import { maskHeaders, maskJson, maskParameters, maskTokens } from './masking.js';

/** A request as it was received. Of passwords, tokens and cookies there is no more than what may be displayed. */
export interface RecordedRequest {
  /** Counts from 1 on. */
  number: number;
  /** By the server's clock: RFC 3339 in UTC with milliseconds. */
  receivedAt: string;
  method: string;
  /** Without the query. */
  path: string;
  /** By name; a parameter that is sent twice is there with its last value. */
  query: Record<string, string>;
  /** The operation that was asked for; null where there is none at this path for this method. */
  operationId: string | null;
  /** By name in lower case. */
  headers: Record<string, string>;
  /**
   * The JSON that was sent, or a form's parameters by name; a text such as `[12 bytes]` for anything else; null where
   * there is no body.
   */
  body: unknown;
  /** The answer's `X-Request-Id`; null before there is one. */
  requestId: string | null;
  /** What the service answered; null where it did not. */
  status: number | null;
  /** `dropped` where the client got no answer, though the service may have made one. */
  outcome: 'pending' | 'answered' | 'dropped';
  /** The id of the fault that hit the request; null where none did. */
  fault: string | null;
}

export interface WaitOptions {
  /** Milliseconds, 1 to 600000; 1000 by default. */
  timeoutMs?: number;
}

export interface Requests {
  /** The last 1000 requests, oldest first, those included that are not answered yet. */
  all(): RecordedRequest[];
  clear(): void;
  /**
   * Resolves with the oldest request on record that is answered, or dropped, and fits: at once where there is one, else
   * when it comes. Rejects after `timeoutMs` with what came instead, and when the server is closed.
   */
  waitFor(predicate: (request: RecordedRequest) => boolean, options?: WaitOptions): Promise<RecordedRequest>;
}

export interface RequestsOfServer extends Requests {
  /** Puts each request that passes on record. */
  recording(answer: RequestListener): RequestListener;
  nameOperation(request: IncomingMessage, operationId: string): void;
  hit(request: IncomingMessage, fault: string): void;
  lose(response: ServerResponse): void;
  /** Resolves with true once `done` says so of what is answered or dropped, and with false when the time is over. */
  until(done: (settled: RecordedRequest[]) => boolean, timeoutMs: number): Promise<boolean>;
  /** Resolves when all requests so far are answered or dropped. */
  settled(): Promise<void>;
  /** Rejects all who wait. */
  end(): void;
}

const MOST_KEPT = 1_000;
/** Bytes of a body that are kept: all that the service reads. */
const BODY_LIMIT = 65_536;

interface Waiter {
  look(): void;
  fail(error: Error): void;
}

export function createRequests(now: () => number): RequestsOfServer {
  let kept: RecordedRequest[] = [];
  let count = 0;
  let open = 0;
  const records = new WeakMap<IncomingMessage, RecordedRequest>();
  const lost = new WeakSet<ServerResponse>();
  const waiters = new Set<Waiter>();
  const idle = new Set<() => void>();

  function add(request: IncomingMessage): RecordedRequest {
    const record = toRecord(request, ++count, now());
    records.set(request, record);
    kept.push(record);
    if (kept.length > MOST_KEPT) kept.shift();
    return record;
  }

  function settle(record: RecordedRequest, outcome: 'answered' | 'dropped'): void {
    if (record.outcome !== 'pending') return;
    record.outcome = outcome;
    for (const waiter of [...waiters]) waiter.look();
  }

  function until(done: (settled: RecordedRequest[]) => boolean, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const stop = () => {
        clearTimeout(timer);
        waiters.delete(waiter);
      };
      const waiter: Waiter = {
        look() {
          try {
            if (!done(structuredClone(kept.filter(({ outcome }) => outcome !== 'pending')))) return;
            stop();
            resolve(true);
          } catch (error) {
            // The caller's own function threw.
            waiter.fail(error instanceof Error ? error : new Error(String(error)));
          }
        },
        fail(error) {
          stop();
          reject(error);
        },
      };
      const timer = setTimeout(() => {
        stop();
        resolve(false);
      }, timeoutMs);
      waiters.add(waiter);
      waiter.look();
    });
  }

  return {
    all: () => structuredClone(kept),
    clear() {
      kept = [];
    },

    recording: (answer) => (request, response) => {
      const record = add(request);
      // Known before the answer, whose headers nobody can ask for once they are written.
      const requestId = requestIdOf(request);
      request.headers['x-request-id'] = requestId;
      const bodyOf = tapBody(request);
      open++;
      response.once('close', () => {
        record.body = bodyOf();
        settle(record, 'dropped');
        if (--open === 0) for (const resolve of [...idle]) resolve();
      });
      // Before the answer leaves, so that whoever has got it finds its request on record.
      const end = response.end.bind(response) as (...parts: unknown[]) => ServerResponse;
      response.end = ((...parts: unknown[]) => {
        record.body = bodyOf();
        record.status = response.statusCode;
        record.requestId = requestId;
        settle(record, lost.has(response) ? 'dropped' : 'answered');
        return lost.has(response) ? response.destroy() : end(...parts);
      }) as typeof response.end;
      answer(request, response);
    },

    nameOperation(request, operationId) {
      const record = records.get(request);
      if (record !== undefined) record.operationId = operationId;
    },
    hit(request, fault) {
      const record = records.get(request);
      if (record !== undefined) record.fault = fault;
    },
    lose: (response) => void lost.add(response),

    async waitFor(predicate, { timeoutMs = 1_000 } = {}) {
      if (!Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > 600_000) {
        throw new InvalidArgument('waitFor: timeoutMs must be an integer from 1 to 600000');
      }
      let found: RecordedRequest | undefined;
      const look = (settled: RecordedRequest[]) => (found = settled.find(predicate)) !== undefined;
      await until(look, timeoutMs);
      if (found === undefined) throw new Error(`no such request in ${String(timeoutMs)} ms; ${summaryOf(kept)}`);
      return found;
    },
    until,

    async settled() {
      if (open === 0) return;
      await new Promise<void>((resolve) => {
        const done = () => {
          idle.delete(done);
          resolve();
        };
        idle.add(done);
      });
    },
    end() {
      for (const waiter of [...waiters]) waiter.fail(new Error('the server was closed before such a request came'));
    },
  };
}

function toRecord(request: IncomingMessage, number: number, at: number): RecordedRequest {
  const [path = '', search = ''] = (request.url ?? '').split(/\?(.*)/s, 2);
  return {
    number,
    receivedAt: new Date(at).toISOString(),
    method: request.method ?? '',
    path: maskTokens(path),
    query: maskParameters(search),
    operationId: null,
    headers: maskHeaders(request.headers),
    body: null,
    requestId: null,
    status: null,
    outcome: 'pending',
    fault: null,
  };
}

/** Copies the body on its way from the parser into the stream, whether or not anybody reads it. */
function tapBody(request: IncomingMessage): () => unknown {
  const chunks: Buffer[] = [];
  let size = 0;
  const push = request.push.bind(request);
  request.push = (chunk: Buffer | null, encoding) => {
    if (chunk !== null) {
      size += chunk.length;
      if (size <= BODY_LIMIT) chunks.push(chunk);
      else chunks.length = 0;
    }
    return push(chunk, encoding);
  };
  return () => {
    if (size === 0) return null;
    const length = `[${String(size)} bytes]`;
    if (size > BODY_LIMIT) return length;
    const text = Buffer.concat(chunks).toString('utf8');
    try {
      return maskJson(JSON.parse(text));
    } catch {
      const type = request.headers['content-type'] ?? '';
      return FORM_TYPE.test(type) && FORM.test(text) ? maskParameters(text) : length;
    }
  };
}

const FORM_TYPE = /^\s*application\/x-www-form-urlencoded\s*(;|$)/i;
/** Whatever else is sent as a form, as some programs do by default, may hold a secret where a name would be. */
const FORM = /^[\w.-]+=[^&=]*(&[\w.-]+=[^&=]*)*$/;

function summaryOf(requests: RecordedRequest[]): string {
  if (requests.length === 0) return 'none was received';
  const lines = requests
    .slice(-10)
    .map(
      ({ method, path, status, outcome }) => `${method} ${path} ${outcome === 'answered' ? String(status) : outcome}`,
    );
  return `received: ${lines.join(', ')}`;
}
