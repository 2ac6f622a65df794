import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Database } from '../database/index.js';
import { createPace } from '../pace.js';
import { performanceNow, setImmediate } from '../timers.js';
import { createRest } from './rest.js';
import { createWelcome } from './welcome.js';

/** Milliseconds. A request is rejected on arrival if the requests before it are expected to take longer than this. */
const MOST_AHEAD = 200;
/** Milliseconds. A request that waited longer, because requests took longer than expected, is rejected at its turn. */
const TOO_LATE = 2 * MOST_AHEAD;
/** Milliseconds of work in a slice: the requests that begin before the process reads its sockets again. */
const SLICE = MOST_AHEAD / 10;
/**
 * The most milliseconds of work in a slice. A slice grows with the time that the process needs to read its sockets, so
 * that serving requests gets half of the time.
 */
const LONGEST_SLICE = MOST_AHEAD / 2;
/**
 * This number of requests may always wait, because the time that so few requests will take is uncertain. Each turn also
 * serves this number of probes before the waiting requests.
 */
const FEW = 32;
/**
 * Milliseconds that a request is expected to take before the first measurement; most requests are a few times faster.
 */
const PACE_AT_FIRST = 0.2;
/**
 * Milliseconds for which the process does not read the connections of rejected requests: `forEach` for each rejection,
 * and `longest`, the 1 second of `Retry-After`, at most. A rejection takes a tenth of the time of a request; `forEach`
 * is five times the time of a rejection.
 */
const REST = { forEach: PACE_AT_FIRST / 2, longest: 1_000 };

type Serve = (request: IncomingMessage, response: ServerResponse) => Promise<unknown>;

interface Arrival {
  request: IncomingMessage;
  response: ServerResponse;
  /** When the request arrived, in milliseconds of the monotonic clock. */
  at: number;
}

/** The requests that have arrived and wait to begin. */
export interface RequestQueue {
  accept: RequestListener;
  /** Tells the queue that a connection was accepted. */
  connection(): void;
}

/**
 * Creates a queue that begins the requests of one turn of the event loop together: the steps of these requests
 * interleave, their reads find warm caches, and their answers leave one after the other. Requests that arrive one by
 * one begin at once. A request that would wait too long goes to `reject`; without `reject`, every request waits for its
 * turn. The requests of one turn begin within `readTogether`.
 */
export function createRequestQueue(
  serve: Serve,
  readTogether: Database['readTogether'],
  reject?: RequestListener,
): RequestQueue {
  const pace = createPace(PACE_AT_FIRST);
  let waiting: Arrival[] = [];
  /** The index in `waiting` of the oldest request that has not begun. */
  let first = 0;
  let begun = 0;
  let begunAt = 0;
  let doneAt = 0;
  let probesAhead = 0;
  let isDue = false;
  /** How many requests arrived since the latest `turn`, and between that `turn` and the one before. */
  let arrived = 0;
  let arrivedBefore = 0;
  const welcome = createWelcome({ longest: SLICE, least: SLICE / 20, now: performanceNow });
  const rest = createRest(REST);

  function takeTurn(): void {
    if (isDue) return;
    isDue = true;
    setImmediate(turn);
  }

  function turn(): void {
    isDue = false;
    arrivedBefore = arrived;
    arrived = 0;
    probesAhead = 0;
    begun = 0;
    begunAt = performanceNow();
    rest.begin();
    if (!welcome.goesFirst(pace.timeFor(waiting.length - first))) {
      const slice = Math.min(Math.max(begunAt - doneAt, SLICE), LONGEST_SLICE);
      const most = pace.countWithin(slice);
      if (waiting.length - first > 1) {
        readTogether(() => {
          beginAtMost(most);
        });
      } else beginAtMost(most);
      forgetBegun();
    }
    if (waiting.length === 0) return;
    takeTurn();
    setImmediate(measure);
  }

  /**
   * Measures how long the begun requests took. `measure` runs in the event loop directly after `turn`, so that the time
   * does not include parsing and rejecting other requests.
   */
  function measure(): void {
    if (begun === 0) return;
    doneAt = performanceNow();
    pace.observe(doneAt - begunAt, begun);
  }

  function beginAtMost(most: number): void {
    for (let taken = 0; taken < most; taken++) {
      const arrival = waiting[first];
      if (arrival === undefined) break;
      first++;
      begin(arrival);
    }
  }

  function begin({ request, response, at }: Arrival): void {
    // The client has closed the connection, so that nobody would get the answer.
    if (request.socket.destroyed) return;
    if (reject !== undefined && begunAt - at > TOO_LATE && !isProbe(request)) {
      turnAway(reject, request, response);
    } else {
      // Rejections do not count: a rejection takes so little time that the average time of a request would seem short,
      // and the queue would let too many requests wait.
      begun++;
      void serve(request, response);
    }
  }

  function turnAway(reject: RequestListener, request: IncomingMessage, response: ServerResponse): void {
    reject(request, response);
    rest.add(request.socket);
  }

  function forgetBegun(): void {
    if (first < waiting.length && first < 1_000) return;
    waiting = waiting.slice(first);
    first = 0;
  }

  return {
    accept(request, response) {
      takeTurn();
      arrived++;
      const ahead = waiting.length - first;
      if (isProbe(request)) {
        if (probesAhead++ < FEW) {
          void serve(request, response);
          return;
        }
      } else if (reject !== undefined && ahead > FEW && pace.timeFor(ahead) > MOST_AHEAD) {
        turnAway(reject, request, response);
        return;
      } else if (ahead === 0 && arrived === 1 && arrivedBefore === 1) {
        void serve(request, response);
        return;
      }
      waiting.push({ request, response, at: performanceNow() });
      if (ahead === FEW) setImmediate(measure);
    },
    connection() {
      welcome.accepted();
    },
  };
}

function isProbe({ url }: IncomingMessage): boolean {
  return url === '/healthz' || url === '/readyz';
}
