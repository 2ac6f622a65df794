import type { Deps, Feed } from '../deps.js';
import { ServiceError, unauthorized, unavailable } from '../errors.js';
import type { Stream, StreamClient } from '../http/stream.js';
import { clearTimeout, nextTurn, performanceNow, setTimeout } from '../timers.js';
import { readCallerState } from '../tokens/caller-state.js';
import { AUDIT, holds, READ } from '../tokens/scopes.js';
import type { Event } from './event.js';
import { createFeedReader, type Follower } from './feed-reader.js';
import { extentOf, placeIn } from './places.js';
import { toWireEvent } from './wire-event.js';

/** Milliseconds between two signs of life in a stream, so that no proxy takes its connection for idle. */
const HEARTBEAT = 15_000;
/** Milliseconds after which a client should connect again. */
const RECONNECT = 1_000;
/** The most streams of a user. */
const MOST_OF_USER = 10;
/** The most streams of a process. */
const MOST = 500;
/** Seconds after which a client may try again that has as many streams as allowed. */
const TRY_AGAIN = '30';

export interface FeedOptions {
  /** Milliseconds between two signs of life in a stream; by default 15 seconds. */
  heartbeat?: number;
  /** The most streams of the process; by default 500. */
  most?: number;
}

/** Creates the feed of a process. */
export function createFeed(
  deps: Pick<Deps, 'db' | 'now' | 'events'>,
  { heartbeat = HEARTBEAT, most = MOST }: FeedOptions = {},
): Feed {
  const { db, now, events } = deps;
  const reader = createFeedReader(db);
  const streamsOf = new Map<number, number>();
  let streams = 0;
  let isClosed = false;
  /** Wakes the streams that wait for events. */
  const waiting = new Set<() => void>();
  let ignore: (() => void) | undefined;

  function wakeAll(): void {
    reader.forget();
    for (const wake of [...waiting]) wake();
  }

  function begin(user: number): void {
    ignore ??= events.onLinked(wakeAll, { watch: true });
    streams++;
    streamsOf.set(user, (streamsOf.get(user) ?? 0) + 1);
  }

  function end(user: number): void {
    streams--;
    const left = (streamsOf.get(user) ?? 1) - 1;
    if (left === 0) streamsOf.delete(user);
    else streamsOf.set(user, left);
    if (streams > 0) return;
    ignore?.();
    ignore = undefined;
  }

  /** Rejects with `unauthorized` if the caller's token ended, or has lost its scope. */
  async function requireFollower({ caller, isAuditor }: Follower): Promise<void> {
    const state = await readCallerState(db.read, caller, now);
    const mayFollow = isAuditor ? state.ownerIsAdmin && holds(state, AUDIT) : holds(state, READ);
    if (state.secret === 'ended' || !mayFollow) throw unauthorized('ended', { credentialSent: true });
  }

  /** Waits until there may be events behind those of `version`, at most `milliseconds`, and not past the end of the stream. */
  function woken(version: number, milliseconds: number, signal: AbortSignal): Promise<void> {
    if (reader.version() !== version || isClosed || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, milliseconds).unref();
      waiting.add(wake);
      signal.addEventListener('abort', wake);
    });
  }

  async function run(follower: Follower, from: number, { write, signal }: StreamClient): Promise<void> {
    const { caller, isAuditor } = follower;
    const isOver = () => isClosed || signal.aborted;
    let place = from;
    /** The place that the client knows. */
    let told = from;
    let beat = performanceNow() + heartbeat;
    await write(`retry: ${String(RECONNECT)}\nid: ${String(place)}\n\n`);
    while (!isOver()) {
      const version = reader.version();
      const part = await reader.read(follower, place);
      if (part === undefined) return;
      const isDue = performanceNow() >= beat;
      const hasExpired = caller.expiresAt !== null && caller.expiresAt <= now();
      // Asked after the events were read, so that no event is sent that followed the end of the token.
      if (part.events.length > 0 || isDue || hasExpired) await requireFollower(follower);
      const shown = isAuditor ? part.events : part.events.filter(isOfTokens);
      place = part.reached;
      const text =
        shown.length > 0 ? shown.map(toFrame).join('') : isDue ? signOfLife(place === told ? null : place) : '';
      if (text !== '') {
        told = shown.at(-1)?.seq ?? place;
        await write(text);
        beat = performanceNow() + heartbeat;
      }
      if (part.isLast) {
        const left = caller.expiresAt === null ? heartbeat : Math.max(0, caller.expiresAt - now());
        await woken(version, Math.min(left, Math.max(0, beat - performanceNow())), signal);
      }
      // Others get their turn, because SQLite answers without waiting.
      else await nextTurn();
    }
  }

  return {
    async follow(caller, { after, isAuditor }): Promise<Stream> {
      const { organizationId, ownerId } = caller;
      const extent = await extentOf(db.read, organizationId);
      const from = after === undefined ? extent.seq : placeIn(extent, after);
      // From here on nothing is awaited, so that requests at the same time cannot exceed the limits.
      if (isClosed) throw unavailable('The service is stopping. Try again in a second.');
      if (streams >= most)
        throw tooMany('overloaded', `The service has ${String(most)} streams of events already. Try again later.`);
      if ((streamsOf.get(ownerId) ?? 0) >= MOST_OF_USER) {
        const detail = `You have ${String(MOST_OF_USER)} streams of events already. End one of them first.`;
        throw tooMany('too_many_requests', detail);
      }
      begin(ownerId);
      return async (client) => {
        try {
          await run({ caller, isAuditor }, from, client);
        } finally {
          end(ownerId);
        }
      };
    },
    count: () => streams,
    close() {
      isClosed = true;
      wakeAll();
    },
  };
}

/** Whether an event changed a token or a session, and not the user. */
function isOfTokens({ target }: Event): boolean {
  return target?.kind === 'token' || target?.kind === 'tokens';
}

function toFrame(event: Event): string {
  return `id: ${String(event.seq)}\nevent: ${event.action}\ndata: ${JSON.stringify(toWireEvent(event))}\n\n`;
}

/** A comment, after the place that the stream has reached if the client does not know it. */
function signOfLife(place: number | null): string {
  return `${place === null ? '' : `id: ${String(place)}\n`}: no events\n\n`;
}

function tooMany(code: 'overloaded' | 'too_many_requests', detail: string): ServiceError {
  return new ServiceError(code, { detail, headers: { 'Retry-After': TRY_AGAIN } });
}
