import { lookup } from 'node:dns/promises';
import { clearTimeout, performanceNow, setTimeout } from '../timers.js';

/** Resolves with all addresses of a host name; with none if it has none, or if they are not known in time. */
export type Resolve = (host: string) => Promise<string[]>;

/** Milliseconds that a look-up may take before an attempt to send. */
const TIMEOUT = 5_000;
/** A look-up holds a thread of the process, of which there are four, and which also hash passwords. */
const MOST_LOOKUPS = 2;
/** Milliseconds in which a name without an address is not looked up again: many deliveries may wait for the same host. */
const UNKNOWN = 5_000;
/** The most names that are remembered. */
const MOST_NAMES = 1_000;

/** Resolves names as other programs of this machine do, with its file of hosts, within `timeout` milliseconds. */
export function createResolve(timeout = TIMEOUT, find: Resolve = findAddresses): Resolve {
  let running = 0;
  const waiting: (() => void)[] = [];
  /** Look-ups under way or waiting. Who asks for the same name meanwhile gets the same answer. */
  const lookups = new Map<string, Promise<string[]>>();
  /** Names without an address, and until when that holds. */
  const unknown = new Map<string, number>();

  async function lookUp(host: string): Promise<string[]> {
    if (running >= MOST_LOOKUPS) await new Promise<void>((resolve) => waiting.push(resolve));
    running += 1;
    try {
      return await find(host);
    } catch {
      return [];
    } finally {
      running -= 1;
      lookups.delete(host);
      waiting.shift()?.();
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
      unknown.set(host, performanceNow() + UNKNOWN);
    }
    return addresses;
  };
}

async function findAddresses(host: string): Promise<string[]> {
  return (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address);
}
