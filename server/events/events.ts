import type { Database } from '../database/index.js';
import type { Events } from '../deps.js';
import type { Log } from '../log/log.js';
import { clearTimeout, type Now, performanceNow, setTimeout } from '../timers.js';
import { createFailedLogins } from './failed-logins.js';
import { linkEvents } from './link.js';

/** Milliseconds from a change to the linking of its event, so that several events are linked together. */
const DELAY = 25;
/** Milliseconds after which events of other programs, such as the command line, are looked for. */
const NET = 5_000;
/** Milliseconds from the first failed login to the event that counts the failures. */
const MINUTE = 60_000;

/**
 * Does what events need besides the changes that write them, as long as the service runs. `key` is that of the chain. Calls
 * `whenSeen` after each look for events to link, soon after a write and every 5 seconds: by then others may have linked some.
 */
export function createEvents(
  db: Database,
  log: Log,
  now: Now,
  key: Uint8Array | null,
  whenSeen: () => void = () => undefined,
): Events {
  const failedLogins = createFailedLogins();
  /** Whether there was a write since the last linking. */
  let awake = false;
  let closed = false;

  const listeners = new Set<() => void>();
  const tell = () => {
    for (const listener of listeners) listener();
  };

  const linking = createTask(async () => {
    awake = false;
    const outcome = await linkEvents(db, key, tell);
    whenSeen();
    return outcome === 'all' ? NET : outcome === 'some' ? 0 : DELAY;
  }, 'events could not be linked');
  const counting = createTask(async () => {
    await failedLogins.write(db, now());
    wake();
    return undefined;
  }, 'failed logins could not be written to the audit log');

  /** Runs `work` after a while, one run at a time. `work` returns the milliseconds until its next run; undefined for none. */
  function createTask(work: () => Promise<number | undefined>, failure: string) {
    let timer: NodeJS.Timeout | undefined;
    let due = Number.POSITIVE_INFINITY;
    let running = Promise.resolve();

    async function run(): Promise<void> {
      due = Number.POSITIVE_INFINITY;
      let next: number | undefined = NET;
      try {
        next = await work();
      } catch (error) {
        log.warn({ err: error }, `${failure}; trying again in 5 seconds`);
      }
      if (next !== undefined) within(next);
    }

    function within(delay: number): void {
      const at = performanceNow() + delay;
      if (closed || at >= due) return;
      clearTimeout(timer);
      due = at;
      timer = setTimeout(() => {
        running = running.then(run);
      }, delay).unref();
    }

    return {
      within,
      isDue: () => due !== Number.POSITIVE_INFINITY,
      /** Lets a run end; with `again`, runs once more. */
      async finish(again: () => boolean): Promise<void> {
        clearTimeout(timer);
        await running;
        if (again()) await run();
      },
    };
  }

  function wake(): void {
    awake = true;
    linking.within(DELAY);
    if (db.linksAtOnce) tell();
  }

  function onLinked(listener: () => void, { watch = false } = {}): () => void {
    const own = () => {
      listener();
    };
    listeners.add(own);
    const unwatch = watch
      ? db.watch(() => {
          // Others, such as the command line, may have left events without a place.
          linking.within(DELAY);
          own();
        })
      : undefined;
    return () => {
      listeners.delete(own);
      unwatch?.();
    };
  }

  linking.within(NET);
  return {
    wake,
    onLinked,
    loginFailed(actor) {
      if (failedLogins.add(actor)) counting.within(MINUTE);
    },
    async close() {
      closed = true;
      await counting.finish(counting.isDue);
      await linking.finish(() => awake);
    },
  };
}

/** The database `db`, which wakes `events` after each write. */
export function waking(db: Database, events: Pick<Events, 'wake'>): Database {
  return {
    get read() {
      return db.read;
    },
    readTogether: (work) => {
      db.readTogether(work);
    },
    async write(work, turn) {
      const result = await db.write(work, turn);
      events.wake();
      return result;
    },
    linksAtOnce: db.linksAtOnce,
    watch: db.watch,
    ping: () => db.ping(),
    clock: () => db.clock(),
    close: () => db.close(),
  };
}
