import { until } from './patience.js';
import type { Sessions } from './session.js';
import { isUnauthorized } from './session.js';

/** Keeps two tabs from refreshing at once: each needs the refresh token that the other one's refresh replaces. */
const LOCK = 'latchkey refresh';

/**
 * The credential of a page: cookies that script cannot read. After a 401 the page refreshes them, and repeats the call.
 * Tabs refresh one after the other, where the browser has locks (https and this machine).
 */
export function createCookieSession(refresh: () => Promise<unknown>): Pick<Sessions, 'credential' | 'revive'> {
  let refreshes = 0;
  let renewal: Promise<unknown> | undefined;

  return {
    async credential(_used, signal) {
      // A failed refresh is reported by the calls that got 401.
      if (renewal !== undefined) await until(renewal.then(noop, noop), signal);
      return { token: undefined, refreshes };
    },

    async revive(used, signal) {
      if (used.refreshes === refreshes) {
        renewal ??= exclusively(refresh)
          .then(() => refreshes++)
          .finally(() => {
            renewal = undefined;
          });
        try {
          await until(renewal, signal);
        } catch (error) {
          if (isUnauthorized(error)) return undefined;
          throw error;
        }
      }
      return { token: undefined, refreshes };
    },
  };
}

function exclusively(refresh: () => Promise<unknown>): Promise<unknown> {
  const { locks } = (globalThis as { navigator?: { locks?: LockManager } }).navigator ?? {};
  return locks === undefined ? refresh() : locks.request(LOCK, refresh);
}

function noop(): void {
  // Ignores the outcome of the refresh.
}
