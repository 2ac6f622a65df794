import { hash } from 'node:crypto';
import type { Database } from '../database/index.js';
import type { LoginThrottle } from '../deps.js';
import { ServiceError } from '../errors.js';
import { type Now, performanceNow, sleep } from '../timers.js';
import {
  type Count,
  countFailure,
  failAbandoned,
  giveBack,
  isRemembered,
  type Limit,
  NoPlace,
  remember,
  takePlaces,
} from './login-attempts.js';
import { networkOf } from './network.js';

/** Failures from one network for one user until further attempts are rejected. */
const MOST_PER_PAIR = 10;
/** Failures from one network for any users until further attempts are rejected. */
const MOST_PER_NETWORK = 100;
/** Milliseconds for which a user's login exempts the user from the limit of that network: 30 days. */
const FAMILIAR = 30 * 24 * 60 * 60_000;
/** Milliseconds after which the exemption is written anew. */
const FAMILIAR_LAG = 24 * 60 * 60_000;
/** Entries kept in memory. The oldest are dropped, so that an attacker with many addresses cannot fill the memory. */
const MOST_ENTRIES = 50_000;
/** Milliseconds between two checks whether attempts under way have ended. An attempt takes about 20 ms. */
const PAUSE = 20;
/** Milliseconds after which attempts under way count as failures, because their process must have ended. */
const ABANDONED = 2_000;

/**
 * Creates the throttle of a process. The counts are in the database, where all processes share them. The process also
 * remembers which pairs and networks are over their limit, so that further attempts need no query.
 */
export function createLoginThrottle(db: Pick<Database, 'read' | 'write'>, now: Now): LoginThrottle {
  /** The instants until which pairs and networks are over their limit. */
  const closed = new Map<string, number>();
  /** When the exemption of a pair was written. */
  const familiar = new Map<string, number>();

  function throwIfClosed({ key }: Limit): void {
    const until = closedUntil(key);
    if (until > now()) throw tooManyFailures(until - now());
  }

  function closedUntil(key: Uint8Array): number {
    return closed.get(nameOf(key)) ?? Number.NEGATIVE_INFINITY;
  }

  function close(key: Uint8Array, until: number): ServiceError {
    keepNewest(closed, nameOf(key), until);
    return tooManyFailures(until - now());
  }

  /** Whether the user has logged in from this network before. Queries the database unless this process knows. */
  async function isFamiliar(key: Uint8Array): Promise<boolean> {
    if (familiar.has(nameOf(key))) return true;
    if (!(await isRemembered(db.read, key, now()))) return false;
    keepNewest(familiar, nameOf(key), now());
    return true;
  }

  return {
    async attempt(user, address) {
      const place = address === null ? 'unknown' : networkOf(address);
      const pair: Limit = { key: keyOf('pair', place, user), most: MOST_PER_PAIR };
      const network: Limit = { key: keyOf('network', place), most: MOST_PER_NETWORK };
      const exemption = keyOf('familiar', place, user);

      /** Throws if the network is closed and the user not exempt. Then the pair is closed as well, and not asked for again. */
      async function checkNetwork(): Promise<void> {
        const until = closedUntil(network.key);
        if (until > now() && !(await isFamiliar(exemption))) throw close(pair.key, until);
      }

      /** Takes the places, or resolves with the count that leaves no place. */
      async function take(): Promise<NoPlace | undefined> {
        const most = familiar.has(nameOf(exemption)) ? Number.MAX_SAFE_INTEGER : network.most;
        try {
          await db.write((trx) => takePlaces(trx, [pair, { ...network, most }], now()));
          return undefined;
        } catch (error) {
          if (error instanceof NoPlace) return error;
          throw error;
        }
      }

      throwIfClosed(pair);
      await checkNetwork();
      return {
        async begin() {
          let seen: { count: Count; at: number } | undefined;
          for (;;) {
            throwIfClosed(pair);
            await checkNetwork();
            const full = await take();
            if (full === undefined) return;
            const { limit, count } = full;
            if (count.failed >= limit.most) {
              const rejection = close(limit.key, count.expires_at);
              if (limit.key === pair.key) throw rejection;
              continue;
            }
            // Attempts under way may still succeed.
            if (seen === undefined || !isSame(seen.count, count)) seen = { count, at: performanceNow() };
            else if (performanceNow() - seen.at > ABANDONED) await db.write((trx) => failAbandoned(trx, limit, count));
            await sleep(PAUSE * (0.5 + Math.random()));
          }
        },
        async fail() {
          await db.write((trx) => countFailure(trx, [pair, network], now()));
        },
        async succeed() {
          const at = now();
          const isFresh = at - (familiar.get(nameOf(exemption)) ?? Number.NEGATIVE_INFINITY) < FAMILIAR_LAG;
          await db.write(async (trx) => {
            await giveBack(trx, pair, network);
            if (!isFresh) await remember(trx, exemption, at + FAMILIAR);
          });
          if (!isFresh) keepNewest(familiar, nameOf(exemption), at);
        },
      };
    },
  };
}

/** The key of a row. It is a digest, so that it is short, and a backup does not show who logged in from where. */
function keyOf(...parts: string[]): Uint8Array {
  return hash('sha256', JSON.stringify(parts), 'buffer').subarray(0, 16);
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key).toString('latin1');
}

function isSame(one: Count, other: Count): boolean {
  return one.failed === other.failed && one.under_way === other.under_way && one.expires_at === other.expires_at;
}

function tooManyFailures(milliseconds: number): ServiceError {
  const seconds = Math.max(1, Math.ceil(milliseconds / 1_000));
  return new ServiceError('too_many_requests', { headers: { 'Retry-After': String(seconds) } });
}

/** Sets an entry, as the newest of the map, and drops the oldest of too many. */
function keepNewest(entries: Map<string, number>, name: string, value: number): void {
  entries.delete(name);
  entries.set(name, value);
  if (entries.size <= MOST_ENTRIES) return;
  const [oldest] = entries.keys();
  if (oldest !== undefined) entries.delete(oldest);
}
