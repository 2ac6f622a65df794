import { lookup } from 'node:dns/promises';
import { clearTimeout, setTimeout } from '../timers.js';

/** Resolves with all addresses of a host name; with none if it has none, or if they are not known in time. */
export type Resolve = (host: string) => Promise<string[]>;

/** Milliseconds. */
const TIMEOUT = 5_000;
/** A look-up holds a thread of the process, of which there are four, and which also hash passwords. */
const MOST_LOOKUPS = 2;

/** Resolves names as other programs of this machine do, with its file of hosts. */
export function createResolve(): Resolve {
  let running = 0;
  const waiting: (() => void)[] = [];

  async function addressesOf(host: string): Promise<string[]> {
    if (running >= MOST_LOOKUPS) await new Promise<void>((resolve) => waiting.push(resolve));
    running += 1;
    try {
      return (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address);
    } catch {
      return [];
    } finally {
      running -= 1;
      waiting.shift()?.();
    }
  }

  return async (host) => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string[]>((resolve) => {
      timer = setTimeout(() => {
        resolve([]);
      }, TIMEOUT);
    });
    const addresses = await Promise.race([addressesOf(host), late]);
    clearTimeout(timer);
    return addresses;
  };
}
