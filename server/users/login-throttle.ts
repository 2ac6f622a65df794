import type { Now } from '../clock.js';
import { ServiceError } from '../errors.js';

/** Milliseconds that failures count, from the first of a row on. */
const WINDOW = 15 * 60_000;
/** Failures of one address for one user. */
const MOST_PER_PAIR = 10;
/** Failures of one address for any users. */
const MOST_PER_ADDRESS = 100;
/** Entries kept; the oldest give way, so that an attacker with many addresses cannot fill the memory. */
const MOST_ENTRIES = 50_000;

/**
 * Slows down guessing. What counts is the address together with the user, and the address alone. Others' failures keep
 * no user out: not from another address, nor from the same one once the user has logged in from there.
 */
export interface LoginThrottle {
  /** Throws `too_many_requests` with `Retry-After` while this address has failed too often. */
  check(user: string, address: string): void;
  fail(user: string, address: string): void;
  succeed(user: string, address: string): void;
}

interface Failures {
  count: number;
  until: number;
}

export function createLoginThrottle(now: Now): LoginThrottle {
  const entries = new Map<string, Failures>();
  const familiar = new Set<string>();
  const pairKey = (user: string, address: string) => `${address} ${user}`;

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
    // Set anew, so that the map's order is from the least to the most recent.
    entries.delete(key);
    entries.set(key, failures);
    dropOldest(entries);
  }

  function refuse(key: string, most: number): void {
    const failures = current(key);
    if (failures === undefined || failures.count < most) return;
    const seconds = Math.ceil((failures.until - now()) / 1_000);
    throw new ServiceError('too_many_requests', { headers: { 'Retry-After': String(seconds) } });
  }

  return {
    check(user, address) {
      refuse(pairKey(user, address), MOST_PER_PAIR);
      if (!familiar.has(pairKey(user, address))) refuse(address, MOST_PER_ADDRESS);
    },
    fail(user, address) {
      add(pairKey(user, address));
      add(address);
    },
    succeed(user, address) {
      const key = pairKey(user, address);
      entries.delete(key);
      familiar.delete(key);
      familiar.add(key);
      dropOldest(familiar);
    },
  };
}

function dropOldest(collection: Map<string, unknown> | Set<string>): void {
  if (collection.size <= MOST_ENTRIES) return;
  const [oldest] = collection.keys();
  if (oldest !== undefined) collection.delete(oldest);
}
