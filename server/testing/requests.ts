import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { InvalidArgument } from '../config/invalid-argument.js';
import { requestIdOf } from '../http/headers.js';
import { clearTimeout, setTimeout } from '../timers.js';
import { maskHeaders, maskJson, maskParameters, maskTokens } from './masking.js';

/** A recorded request. Passwords, tokens and cookies in it are masked; a token keeps its displayable prefix. */
export interface RecordedRequest {
  /** Counts from 1 on. */
  number: number;
  /** When it was received, by the server's clock: RFC 3339 in UTC with milliseconds. */
  receivedAt: string;
  method: string;
  /** Without the query. */
  path: string;
  /** Query parameters by name. If a parameter is sent twice, the last value counts. */
  query: Record<string, string>;
  /** The operation with this path and method; null if there is none. */
  operationId: string | null;
  /** Headers by name in lower case. */
  headers: Record<string, string>;
  /**
   * The JSON that was sent, or the parameters of a form by name. Any other body is a text such as `[12 bytes]`; null means
   * no body.
   */
  body: unknown;
  /** The answer's `X-Request-Id`; null until the answer is sent. */
  requestId: string | null;
  /** HTTP status of the answer; null if there was none. */
  status: number | null;
  /** `dropped` means that the client got no answer, even if the service produced one. */
  outcome: 'pending' | 'answered' | 'dropped';
  /** Id of the fault that hit the request; null if none did. */
  fault: string | null;
}

export interface WaitOptions {
  /** Milliseconds to wait at most, 1 to 600000; 1000 by default. */
  timeoutMs?: number;
}

export interface Requests {
  /** The last 1000 requests, oldest first, including those not answered yet. */
  all(): RecordedRequest[];
  clear(): void;
  /**
   * Resolves with the oldest recorded request that is answered or dropped and for which `predicate` returns true; waits for
   * one if there is none yet. Rejects after `timeoutMs`, naming the requests received, and when the server is closed.
   */
  waitFor(predicate: (request: RecordedRequest) => boolean, options?: WaitOptions): Promise<RecordedRequest>;
}

export interface RequestsOfServer extends Requests {
  /** Wraps a listener so that each request is recorded. */
  recording(answer: RequestListener): RequestListener;
  nameOperation(request: IncomingMessage, operationId: string): void;
  hit(request: IncomingMessage, fault: string): void;
  lose(response: ServerResponse): void;
  /** Resolves with true when `done` returns true for the answered and dropped requests; with false after `timeoutMs`. */
  until(done: (settled: RecordedRequest[]) => boolean, timeoutMs: number): Promise<boolean>;
  /** Resolves when all requests so far are answered or dropped. */
  settled(): Promise<void>;
  /** Rejects all calls of `waitFor` that still wait. */
  end(): void;
}

const MOST_KEPT = 1_000;
/** Most bytes of a body that are recorded, which is the most that the service reads. */
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
            // `done` is the caller's function, and it threw.
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
      // Chosen here, because headers cannot be read from a response once they are sent.
      const requestId = requestIdOf(request);
      request.headers['x-request-id'] = requestId;
      const bodyOf = tapBody(request);
      open++;
      response.once('close', () => {
        record.body = bodyOf();
        settle(record, 'dropped');
        if (--open === 0) for (const resolve of [...idle]) resolve();
      });
      // Recorded before the answer is sent, so that a client that has the answer finds its request.
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
      if (found === undefined)
        throw new Error(`no matching request within ${String(timeoutMs)} ms; ${summaryOf(kept)}`);
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
      for (const waiter of [...waiters])
        waiter.fail(new Error('the server was closed before a matching request was received'));
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

/** Copies the body when the parser pushes it into the stream, so that it is recorded even if the handler does not read it. */
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
/** Matches real forms only. curl sends any body as a form by default, and a secret could then look like a name. */
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
