import { lookup } from 'node:dns/promises';
import { clearTimeout, performanceNow, setTimeout } from '../timers.js';

/** Resolves with all addresses of a host name; with none if it has none, or if they are not known in time. */
export type Resolve = (host: string) => Promise<string[]>;

/** Milliseconds that a look-up may take before an attempt to send. */
const TIMEOUT = 5_000;
/** A look-up holds a thread of the process, of which there are four, and which also hash passwords. */
const MOST_LOOKUPS = 2;
/** How many of them may be of names whose look-up took too long before, so that those never keep all others waiting. */
const MOST_SLOW = 1;
/** Milliseconds in which a name without an address is not looked up again: many deliveries may wait for the same host. */
const UNKNOWN = 5_000;
/** The most names that are remembered as unknown, and as slow. */
const MOST_NAMES = 1_000;

/**
 * Resolves names as other programs of this machine do, with its file of hosts, within `timeout` milliseconds. A name without an
 * address is not looked up again for `pause` milliseconds.
 */
export function createResolve(timeout = TIMEOUT, find: Resolve = findAddresses, pause = UNKNOWN): Resolve {
  let running = 0;
  let slowRunning = 0;
  const waiting: (() => void)[] = [];
  const slowWaiting: (() => void)[] = [];
  /** Names whose last look-up took longer than `timeout`. */
  const slow = new Set<string>();
  /** Look-ups under way or waiting. Who asks for the same name meanwhile gets the same answer. */
  const lookups = new Map<string, Promise<string[]>>();
  /** Names without an address, and until when that holds. */
  const unknown = new Map<string, number>();

  const isFree = (isSlow: boolean) => running < MOST_LOOKUPS && !(isSlow && slowRunning >= MOST_SLOW);

  function end(isSlow: boolean): void {
    count(isSlow, -1);
    const isNextSlow = waiting.length === 0;
    const next = isFree(isNextSlow) ? (isNextSlow ? slowWaiting : waiting).shift() : undefined;
    if (next === undefined) return;
    count(isNextSlow, 1);
    next();
  }

  function count(isSlow: boolean, change: 1 | -1): void {
    running += change;
    if (isSlow) slowRunning += change;
  }

  async function lookUp(host: string): Promise<string[]> {
    const isSlow = slow.has(host);
    if (isFree(isSlow)) count(isSlow, 1);
    else await new Promise<void>((resolve) => (isSlow ? slowWaiting : waiting).push(resolve));
    const start = performanceNow();
    try {
      return await find(host);
    } catch {
      return [];
    } finally {
      slow.delete(host);
      if (slow.size >= MOST_NAMES) slow.clear();
      if (performanceNow() - start >= timeout) slow.add(host);
      lookups.delete(host);
      end(isSlow);
    }
  }

  return async (host) => {
    if ((unknown.get(host) ?? 0) > performanceNow()) return [];
    let looking = lookups.get(host);
    if (looking === undefined) {
      looking = lookUp(host);
      lookups.set(host, looking);
    }
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string[]>((resolve) => {
      timer = setTimeout(() => {
        resolve([]);
      }, timeout);
    });
    const addresses = await Promise.race([looking, late]);
    clearTimeout(timer);
    if (addresses.length === 0) {
      if (unknown.size >= MOST_NAMES) unknown.clear();
      unknown.set(host, performanceNow() + pause);
    }
    return addresses;
  };
}

async function findAddresses(host: string): Promise<string[]> {
  return (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address);
}
