import { immediate } from './timers.js';

/** Sends one request at a time, in the order of the calls. What waits can be prepared meanwhile. */
export interface Turns {
  /** Calls `work` once all earlier calls have ended. The next one begins before this promise resolves. */
  take<T>(work: () => Promise<T>): Promise<T>;
  /** Calls the functions in order, with `ahead` each before the one before has ended. What they take turns for is in order. */
  inOrder(works: Iterable<() => Promise<unknown>>, ahead: boolean): Promise<void>;
}

export function createTurns(): Turns {
  let last: Promise<void> = Promise.resolve();
  let waiting = 0;
  return {
    async take(work) {
      const before = last;
      let end = () => {};
      last = new Promise((resolve) => {
        end = resolve;
      });
      waiting++;
      await before;
      waiting--;
      try {
        return await work();
      } finally {
        const isFollowed = waiting > 0;
        end();
        // Node writes a request to its socket only after this turn of the event loop.
        if (isFollowed) await immediate();
      }
    },
    async inOrder(works, ahead) {
      let begun: Promise<unknown> = Promise.resolve();
      for (const work of works) {
        if (!ahead) await begun;
        const before = begun;
        begun = work();
        // If the one before rejects, nobody awaits this one.
        begun.catch(() => {});
        await before;
      }
      await begun;
    },
  };
}
