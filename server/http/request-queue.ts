import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createPace } from '../pace.js';
import { performanceNow, setImmediate } from '../timers.js';
import { createRest } from './rest.js';
import { createWelcome } from './welcome.js';

/** Milliseconds of work that may be ahead of a request; a request with more ahead of it is rejected on arrival. */
const MOST_AHEAD = 200;
/** Milliseconds. A request that waited longer, because the pace fell, is rejected when its turn comes. */
const TOO_LATE = 2 * MOST_AHEAD;
/** Milliseconds of work that begins before the process reads its sockets again. */
const SLICE = MOST_AHEAD / 10;
/** Milliseconds that a slice may grow to if reading the sockets takes long, so that serving keeps half of the time. */
const LONGEST_SLICE = MOST_AHEAD / 2;
/** Requests that may wait whatever the pace, since the pace of so few is uncertain; also the probes of a turn that may pass all. */
const FEW = 32;
/** Milliseconds that a request is expected to take before any is measured: a few times what most take. */
const PACE_AT_FIRST = 0.2;
/** Milliseconds: what `Retry-After` says. A rejection takes a tenth of a request, and its client rests five times that. */
const REST = { forEach: PACE_AT_FIRST / 2, longest: 1_000 };

type Serve = (request: IncomingMessage, response: ServerResponse) => Promise<unknown>;

interface Arrival {
  request: IncomingMessage;
  response: ServerResponse;
  /** Milliseconds of the monotonic clock. */
  at: number;
}

/** The requests of the process that have not begun. */
export interface RequestQueue {
  accept: RequestListener;
  /** Tells the queue that a connection was accepted. */
  connection(): void;
}

/**
 * Begins the requests of one turn of the event loop together: their steps interleave, their reads find warm caches, and
 * their answers leave one after the other. Requests that arrive one by one begin at once. A request that would wait too long
 * goes to `reject`; without `reject`, all requests wait.
 */
export function createRequestQueue(serve: Serve, reject?: RequestListener): RequestQueue {
  const pace = createPace(PACE_AT_FIRST);
  let waiting: Arrival[] = [];
  /** Index of the request that has waited longest. */
  let first = 0;
  let begun = 0;
  let begunAt = 0;
  let doneAt = 0;
  let probesAhead = 0;
  let isDue = false;
  /** Requests that arrived in this turn, and in the latest turn that had any. */
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
      for (let taken = 0; taken < most; taken++) {
        const arrival = waiting[first];
        if (arrival === undefined) break;
        first++;
        begin(arrival);
      }
      forgetBegun();
    }
    if (waiting.length === 0) return;
    takeTurn();
    setImmediate(measure);
  }

  /** Runs in the same turn as the requests that were begun, so that parsing and rejecting others does not count. */
  function measure(): void {
    if (begun === 0) return;
    doneAt = performanceNow();
    pace.observe(doneAt - begunAt, begun);
  }

  function begin({ request, response, at }: Arrival): void {
    // The client has gone.
    if (request.socket.destroyed) return;
    if (reject !== undefined && begunAt - at > TOO_LATE && !isProbe(request)) {
      turnAway(reject, request, response);
    } else {
      // Rejections are not counted: they cost so little that the pace would look high enough for every request.
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
