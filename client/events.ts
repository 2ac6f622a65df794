import type { AuditEvent } from '../generated/types.gen.js';
import { onAbort } from './abort.js';
import { LatchkeyError } from './errors.js';
import { eventsOf } from './event-stream.js';
import type { Answer, CallOptions, EventBytes } from './operations.js';
import { mayPass, pauseBefore, sleep } from './patience.js';
import { clearTimeout, setTimeout } from './timers.js';

/** Milliseconds without a sign of life after which the connection counts as lost. The service sends one every 15 seconds. */
const LONGEST_SILENCE = 45_000;

/** Which events to follow. */
export interface FollowOptions extends Omit<CallOptions, 'maxRetries'> {
  /**
   * The `seq` of the last event that is known already; 0 for all events that are kept. By default the iteration begins with what
   * happens from now on.
   */
  after?: number | undefined;
}

/** Opens a stream behind the event `after`. */
export type OpenStream = (after: number | undefined, signal: AbortSignal) => Promise<Answer<EventBytes>>;

/** Yields events as they happen. Opens the stream anew, behind the last event, whenever it ends or is silent for too long. */
export async function* followEvents(
  open: OpenStream,
  { after, signal }: Pick<FollowOptions, 'after' | 'signal'>,
): AsyncGenerator<AuditEvent, void, undefined> {
  let place = after;
  for (let failures = 0; ; failures++) {
    signal?.throwIfAborted();
    const connection = new AbortController();
    const forget = onAbort(signal, () => {
      connection.abort(signal?.reason);
    });
    const watch = watchOf(connection);
    let retryAfter: number | undefined;
    let isOpen = false;
    try {
      const { data } = await open(place, connection.signal);
      isOpen = true;
      for await (const event of eventsOf(data, watch.seen)) {
        failures = 0;
        if (event.id !== undefined) place = Number(event.id);
        if (event.data === undefined) continue;
        // Whoever iterates may take as long as they want.
        watch.pause();
        yield JSON.parse(event.data) as AuditEvent;
        watch.seen();
      }
    } catch (error) {
      signal?.throwIfAborted();
      // Once the stream is open, only its connection can fail.
      if (!isOpen && !(error instanceof LatchkeyError && mayPass(error))) throw error;
      retryAfter = error instanceof LatchkeyError ? error.retryAfterSeconds : undefined;
    } finally {
      watch.pause();
      forget();
      connection.abort();
    }
    await sleep(pauseBefore(failures, retryAfter), signal);
  }
}

/** Cuts a connection that is silent for too long. */
function watchOf(connection: AbortController): { seen: () => void; pause: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const pause = () => {
    clearTimeout(timer);
  };
  return {
    pause,
    seen() {
      pause();
      timer = setTimeout(() => {
        connection.abort();
      }, LONGEST_SILENCE);
    },
  };
}
