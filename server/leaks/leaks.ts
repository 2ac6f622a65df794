import { createBackground } from '../background.js';
import type { Deps, Leaks } from '../deps.js';
import { actOnReport } from './act.js';

/**
 * Milliseconds from a report to the action. The action begins after the answer, so that the time of the answer does not tell
 * what the action does.
 */
const DELAY = 250;
/** Milliseconds after which reports that a killed process left are looked for. */
const NET = 1_000;

/** Acts on reported leaks as long as the service runs. */
export function createLeaks(deps: Pick<Deps, 'db' | 'now' | 'config' | 'log' | 'mails'>): Leaks {
  const { log } = deps;
  let isClosed = false;
  let isAwake = false;

  async function act(): Promise<undefined> {
    isAwake = false;
    while (!isClosed) {
      const leaked = await actOnReport(deps);
      if (leaked === undefined) return;
      deps.mails.wake();
      for (const token of leaked) log.warn(token, 'a token was reported as leaked');
    }
  }

  const background = createBackground(act, {
    every: NET,
    log,
    failure: 'reported leaks could not be acted on; trying again in a second',
  });
  return {
    wake() {
      isAwake = true;
      background.within(DELAY);
    },
    async settle() {
      if (isAwake) await background.run();
    },
    async close() {
      isClosed = true;
      await background.close();
    },
  };
}
