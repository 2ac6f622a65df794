import type { LoginThrottle } from '../deps.js';
import { ServiceError } from '../errors.js';
import type { Now } from '../timers.js';
import { networkOf } from './network.js';

/** Milliseconds after the first failure until the count starts anew. */
const WINDOW = 15 * 60_000;
/** Failures from one address for one user until further attempts are rejected. */
const MOST_PER_PAIR = 10;
/** Failures from one address for any users until further attempts are rejected. */
const MOST_PER_ADDRESS = 100;
/** Entries kept. The oldest are dropped, so that an attacker with many addresses cannot fill the memory. */
const MOST_ENTRIES = 50_000;

interface Failures {
  count: number;
  until: number;
}

export function createLoginThrottle(now: Now): LoginThrottle {
  const entries = new Map<string, Failures>();
  const familiar = new Set<string>();
  const underWay = new Map<string, number>();
  let waiting: (() => void)[] = [];

  function current(key: string): Failures | undefined {
    const failures = entries.get(key);
    if (failures !== undefined && failures.until <= now()) {
      entries.delete(key);
      return undefined;
    }
    return failures;
  }

  function add(key: string): void {
    const failures = current(key) ?? { count: 0, until: now() + WINDOW };
    failures.count++;
    // Deleted first, so that the map is ordered from the oldest to the newest.
    entries.delete(key);
    entries.set(key, failures);
    dropOldest(entries);
  }

  function throwAfter(key: string, most: number): void {
    const failures = current(key);
    if (failures === undefined || failures.count < most) return;
    throw tooManyFailures(Math.ceil((failures.until - now()) / 1_000));
  }

  function count(key: string, change: 1 | -1): void {
    const attempts = (underWay.get(key) ?? 0) + change;
    if (attempts === 0) underWay.delete(key);
    else underWay.set(key, attempts);
  }

  function isLastAllowed(key: string, most: number): boolean {
    const attempts = underWay.get(key) ?? 0;
    return attempts > 0 && (current(key)?.count ?? 0) + attempts >= most;
  }

  return {
    // eslint-disable-next-line @typescript-eslint/require-await -- errors must reject, as they do from another process
    async attempt(user, address) {
      const network = address === null ? 'unknown' : networkOf(address);
      const pair = `${network} ${user}`;
      const limits: [string, number][] = [
        [pair, MOST_PER_PAIR],
        [network, MOST_PER_ADDRESS],
      ];
      const counting = () => (familiar.has(pair) ? limits.slice(0, 1) : limits);
      const check = () => {
        for (const [key, most] of counting()) throwAfter(key, most);
      };
      const end = () => {
        for (const [key] of limits) count(key, -1);
        const woken = waiting;
        waiting = [];
        for (const wake of woken) wake();
      };

      check();
      return {
        async begin() {
          check();
          while (counting().some(([key, most]) => isLastAllowed(key, most))) {
            await new Promise<void>((resolve) => waiting.push(resolve));
            check();
          }
          for (const [key] of limits) count(key, 1);
        },
        fail() {
          for (const [key] of limits) add(key);
          end();
        },
        succeed() {
          entries.delete(pair);
          familiar.delete(pair);
          familiar.add(pair);
          dropOldest(familiar);
          end();
        },
      };
    },
  };
}

export function tooManyFailures(retryAfterSeconds: number): ServiceError {
  return new ServiceError('too_many_requests', { headers: { 'Retry-After': String(retryAfterSeconds) } });
}

function dropOldest(collection: Map<string, unknown> | Set<string>): void {
  if (collection.size <= MOST_ENTRIES) return;
  const [oldest] = collection.keys();
  if (oldest !== undefined) collection.delete(oldest);
}
