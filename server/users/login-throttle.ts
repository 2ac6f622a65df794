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
 * Slows down guessing. What counts is the address together with the user, and the address alone, for users who have not
 * logged in from there before. What others fail from other addresses keeps no user out.
 */
export interface LoginThrottle {
  /** Throws `too_many_requests` with `Retry-After` while this address has failed too often. */
  attempt(user: string, address: string): LoginAttempt;
}

export interface LoginAttempt {
  /** Once more, when the attempt's turn has come: of attempts that arrive together the early ones may have failed. */
  check(): void;
  fail(): void;
  succeed(): void;
}

interface Failures {
  count: number;
  until: number;
}

export function createLoginThrottle(now: Now): LoginThrottle {
  const entries = new Map<string, Failures>();
  const familiar = new Set<string>();

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
    attempt(user, address) {
      const pair = `${address} ${user}`;
      const attempt: LoginAttempt = {
        check() {
          refuse(pair, MOST_PER_PAIR);
          if (!familiar.has(pair)) refuse(address, MOST_PER_ADDRESS);
        },
        fail() {
          add(pair);
          add(address);
        },
        succeed() {
          entries.delete(pair);
          familiar.delete(pair);
          familiar.add(pair);
          dropOldest(familiar);
        },
      };
      attempt.check();
      return attempt;
    },
  };
}

function dropOldest(collection: Map<string, unknown> | Set<string>): void {
  if (collection.size <= MOST_ENTRIES) return;
  const [oldest] = collection.keys();
  if (oldest !== undefined) collection.delete(oldest);
}
