import type { IncomingMessage, ServerResponse } from 'node:http';
import { InvalidArgument } from '../config/invalid-argument.js';
import type { Before } from '../contract/contract.js';
import { ServiceError } from '../errors.js';
import { clearTimeout, setTimeout } from '../timers.js';
import type { BeforeDelivery, DeliveryFault } from './deliveries.js';
import type { ActiveFault, Fault, Faults } from './options.js';

export interface FaultsOfServer extends Faults {
  /** Applies the fault that matches a request, if any, and reports it to `record`. */
  before(record: FaultRecord): Before;
  /** Applies the fault that matches a delivery to `url`; resolves with undefined if there is none. Rejects if `signal` aborts. */
  beforeDelivery: BeforeDelivery;
  /** Removes all faults and restarts ids and random numbers. */
  reset(): void;
}

export interface FaultRecord {
  /** Records that a fault has hit the request. */
  hit(request: IncomingMessage, id: string): void;
  /** Discards this response: when it ends, the connection is closed instead. */
  lose(response: ServerResponse): void;
}

const CODES = { 429: 'too_many_requests', 500: 'internal_error', 503: 'service_unavailable' } as const;
/** Milliseconds after which a delivery without an answer fails. */
const DELIVERY_TIMEOUT = 15_000;
const STATUSES = [429, 500, 502, 503, 504];
const KNOWN = [
  'operationId',
  'webhook',
  'times',
  'probability',
  'status',
  'retryAfterSeconds',
  'delayMs',
  'drop',
] satisfies (keyof Fault)[];

export function createFaults(randomSeed: number, operationIds: readonly string[]): FaultsOfServer {
  let planned: ActiveFault[] = [];
  let nextId = 1;
  let random = createRandom(randomSeed);
  let delays = new AbortController();

  function take(isMeant: (fault: Fault) => boolean): ActiveFault | undefined {
    const fault = planned.find(
      (each) => isMeant(each) && (each.probability === undefined || random() < each.probability),
    );
    if (fault === undefined) return undefined;
    fault.hits++;
    if (fault.left !== null) fault.left--;
    if (fault.left === 0) planned = planned.filter((other) => other !== fault);
    return fault;
  }

  const faults: FaultsOfServer = {
    add(fault) {
      assertFault(fault, operationIds);
      const id = String(nextId++);
      planned.push({ ...fault, id, hits: 0, left: fault.times ?? (fault.probability === undefined ? 1 : null) });
      return id;
    },
    all: () => planned.map((fault) => ({ ...fault })),
    remove(id) {
      const count = planned.length;
      planned = planned.filter((fault) => fault.id !== id);
      return planned.length < count;
    },
    clear() {
      planned = [];
      delays.abort();
      delays = new AbortController();
    },
    before: (record) => async (operation, request, response) => {
      const fault = take(
        ({ operationId, webhook }) =>
          webhook === undefined && (operationId === undefined || operationId === operation.id),
      );
      if (fault === undefined) return false;
      record.hit(request, fault.id);
      if (fault.delayMs !== undefined) await delay(fault.delayMs, delays.signal);
      return happen(fault, record, request, response);
    },
    async beforeDelivery(url, signal) {
      const fault = take(({ webhook }) => webhook === '*' || (webhook !== undefined && new URL(webhook).href === url));
      if (fault === undefined) return undefined;
      const { delayMs = 0 } = fault;
      await delay(Math.min(delayMs, DELIVERY_TIMEOUT), AbortSignal.any([delays.signal, signal]));
      signal.throwIfAborted();
      return deliveryFaultOf(fault);
    },
    reset() {
      faults.clear();
      random = createRandom(randomSeed);
      nextId = 1;
    },
  };
  return faults;
}

/** Applies a fault. Returns true if the request is finished, false if its handler is to run. */
function happen(
  { status, drop, retryAfterSeconds = 1 }: Fault,
  record: FaultRecord,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  if (drop === 'before-handler') {
    request.socket.destroy();
    return true;
  }
  if (drop === 'after-commit') {
    // The handler answers after its commit, so only the answer is lost.
    record.lose(response);
    return false;
  }
  if (status === undefined) return false;
  if (status === 502 || status === 504) {
    response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' });
    response.end(status === 502 ? 'Bad Gateway\n' : 'Gateway Timeout\n');
    return true;
  }
  throw new ServiceError(CODES[status], {
    detail: 'A test planned this fault.',
    headers: status === 500 ? {} : { 'Retry-After': String(retryAfterSeconds) },
    cause: 'fault',
  });
}

function deliveryFaultOf({ id, status, drop, retryAfterSeconds = 1, delayMs = 0 }: ActiveFault): DeliveryFault {
  const isAnswerLost = drop === 'after-commit';
  if (delayMs >= DELIVERY_TIMEOUT) {
    return { id, isAnswerLost: false, outcome: { error: 'timeout', status: null, retryAfter: null } };
  }
  if (drop === 'before-handler') {
    return { id, isAnswerLost, outcome: { error: 'connection', status: null, retryAfter: null } };
  }
  if (status === undefined) return { id, isAnswerLost };
  const retryAfter = status === 429 || status === 503 ? retryAfterSeconds * 1_000 : null;
  return { id, isAnswerLost, outcome: { error: 'status', status, retryAfter } };
}

/** Waits, but only until `signal` is aborted. */
function delay(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener('abort', end);
  });
}

/** Validates a fault: types do not check what comes from JavaScript or over HTTP. */
function assertFault(fault: Fault, operationIds: readonly string[]): void {
  const { operationId, webhook, times, probability, status, retryAfterSeconds, delayMs, drop, ...others } = fault;
  for (const name of Object.keys(others))
    throw new InvalidArgument(`fault.${name} is not known; known are ${KNOWN.join(', ')}`);
  if (operationId !== undefined && !operationIds.includes(operationId)) {
    throw new InvalidArgument(`fault.operationId must be one of ${operationIds.join(', ')}`);
  }
  if (webhook !== undefined && webhook !== '*' && !URL.canParse(webhook)) {
    throw new InvalidArgument('fault.webhook must be the URL of a webhook, or *');
  }
  if (webhook !== undefined && operationId !== undefined) {
    throw new InvalidArgument('fault must have operationId or webhook, not both');
  }
  assertInteger('times', times, 1, 1_000_000);
  assertInteger('retryAfterSeconds', retryAfterSeconds, 0, 86_400);
  assertInteger('delayMs', delayMs, 0, 600_000);
  if (probability !== undefined && !(probability >= 0 && probability <= 1)) {
    throw new InvalidArgument('fault.probability must be a number from 0 to 1');
  }
  if (status !== undefined && !STATUSES.includes(status)) {
    throw new InvalidArgument(`fault.status must be one of ${STATUSES.join(', ')}`);
  }
  if (drop !== undefined && !['before-handler', 'after-commit'].includes(drop)) {
    throw new InvalidArgument('fault.drop must be before-handler or after-commit');
  }
  if (status !== undefined && drop !== undefined) {
    throw new InvalidArgument('fault must have status or drop, not both');
  }
  if (status === undefined && drop === undefined && delayMs === undefined) {
    throw new InvalidArgument('fault must have at least one of status, drop and delayMs');
  }
}

function assertInteger(name: string, value: number | undefined, least: number, most: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) return;
  throw new InvalidArgument(`fault.${name} must be an integer from ${String(least)} to ${String(most)}`);
}

/** Mulberry32, a generator of pseudorandom numbers from 0 to below 1: the same seed gives the same numbers. */
function createRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
