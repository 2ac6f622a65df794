import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { createPace } from '../pace.js';
import { performanceNow, setImmediate, setTimeout } from '../timers.js';

/** Milliseconds of work that is begun before the process looks at what has arrived meanwhile. */
const SLICE = 20;
/** The same where looking takes long itself, so that serving always gets its half of the time. */
const LONGEST_SLICE = 100;
/** Milliseconds of work. Who would have to wait for more than this is refused on arrival. */
const MOST_AHEAD = 200;
/** Milliseconds. Who has waited longer than this all the same, since the pace fell, is refused when the turn comes. */
const TOO_LATE = 400;
/** So few may wait whatever the pace, and say little about it. */
const FEW = 32;
/** Probes of one turn that pass all others; a flood of them is a load like any other. */
const PROBES_AHEAD = 32;
/** Milliseconds before a slice that new connections may take, of which the system gives one for each look at it. */
const WELCOME = 20;
/** Milliseconds of work that are no reason to let connections go first. */
const SHORT = 1;
/**
 * Milliseconds that nothing is read from connections of which requests were refused, since the refused ask again at once:
 * for each refusal of a turn five times what it costs, so that refusing takes a sixth of the time at most.
 */
const REST_FOR_EACH = 0.1;
const LEAST_REST = 200;
/** What `Retry-After` says. */
const LONGEST_REST = 1_000;

/** Milliseconds for a request before any is measured; a few times what most take. */
const PACE_AT_FIRST = 0.2;

type Answer = (request: IncomingMessage, response: ServerResponse) => Promise<unknown>;

interface Arrival {
  request: IncomingMessage;
  response: ServerResponse;
  /** By the monotonic clock. */
  at: number;
}

export interface Admission {
  request: RequestListener;
  /** Says that a connection was accepted. */
  connection(): void;
}

/**
 * Begins the requests of one turn of the event loop together: their steps interleave, so that their reads find warm
 * caches and their answers leave one right behind the other. Where they come one by one, each is begun at once. What
 * would wait too long is given to `refuse`; without it, everybody waits.
 */
export function createAdmission(answer: Answer, refuse?: RequestListener): Admission {
  const pace = createPace(PACE_AT_FIRST);
  let waiting: Arrival[] = [];
  /** The index of the one that has waited longest. */
  let first = 0;
  let begun = 0;
  let begunAt = 0;
  let doneAt = 0;
  let probesAhead = 0;
  let isDue = false;
  /** In this turn, and in the last one that had any. */
  let arrived = 0;
  let arrivedBefore = 0;
  /** Whether a connection was accepted in this turn, so that there may be more. */
  let hasConnected = false;
  let welcomeEnds: number | undefined;
  let refused: Socket[] = [];

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
    if (refused.length > 0) rest();
    if (!mayBeMoreConnections()) {
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

  /** In the same turn as what was begun, right behind it: what is parsed or refused in between does not count. */
  function measure(): void {
    if (begun === 0) return;
    doneAt = performanceNow();
    pace.observe(doneAt - begunAt, begun);
  }

  function mayBeMoreConnections(): boolean {
    // A short line is soon done with.
    const isLikely = hasConnected && pace.timeFor(waiting.length - first) > SHORT;
    hasConnected = false;
    if (isLikely) {
      welcomeEnds ??= begunAt + WELCOME;
      if (begunAt < welcomeEnds) return true;
    }
    welcomeEnds = undefined;
    return false;
  }

  function begin({ request, response, at }: Arrival): void {
    // Nobody is there any more to be answered.
    if (request.socket.destroyed) return;
    if (refuse !== undefined && begunAt - at > TOO_LATE && !isProbe(request)) {
      turnAway(refuse, request, response);
    } else {
      // Refusing takes so little that counting it would make the pace look like one at which everybody can come.
      begun++;
      void answer(request, response);
    }
  }

  function turnAway(refuse: RequestListener, request: IncomingMessage, response: ServerResponse): void {
    refuse(request, response);
    refused.push(request.socket);
  }

  /** Only now that the refusals have left, since the end of an answer lets its connection go on. */
  function rest(): void {
    const sockets = refused;
    refused = [];
    for (const socket of sockets) socket.pause();
    setTimeout(
      () => {
        for (const socket of sockets) socket.resume();
      },
      Math.min(Math.max(sockets.length * REST_FOR_EACH, LEAST_REST), LONGEST_REST),
    );
  }

  function forgetBegun(): void {
    if (first < waiting.length && first < 1_000) return;
    waiting = waiting.slice(first);
    first = 0;
  }

  return {
    request(request, response) {
      takeTurn();
      arrived++;
      const ahead = waiting.length - first;
      if (isProbe(request)) {
        if (probesAhead++ < PROBES_AHEAD) {
          void answer(request, response);
          return;
        }
      } else if (refuse !== undefined && ahead > FEW && pace.timeFor(ahead) > MOST_AHEAD) {
        turnAway(refuse, request, response);
        return;
      } else if (ahead === 0 && arrived === 1 && arrivedBefore === 1) {
        void answer(request, response);
        return;
      }
      waiting.push({ request, response, at: performanceNow() });
      if (ahead === FEW) setImmediate(measure);
    },
    connection() {
      hasConnected = true;
    },
  };
}

function isProbe({ url }: IncomingMessage): boolean {
  return url === '/healthz' || url === '/readyz';
}
