import type { IncomingMessage } from 'node:http';
import { isIP, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Config } from '../config/config.js';
import type { Log } from '../log/log.js';

// What proxies that the operator trusts say of a request, by `X-Forwarded-*`. `Forwarded` (RFC 7239) is ignored.

type ForwardedConfig = Pick<Config, 'trustProxy' | 'publicUrl'>;

const READERS = {
  'x-forwarded-for': toAddress,
  'x-forwarded-host': toHost,
  'x-forwarded-proto': toScheme,
} as const;

type ForwardedHeader = keyof typeof READERS;

/** Characters of the longest host name (RFC 1035, section 2.3.4), with a port. */
const LONGEST_HOST = 253 + ':65535'.length;

/** What the outermost trusted proxy says in `header`; undefined where it says nothing that makes sense there. */
export function readForwarded(request: IncomingMessage, header: ForwardedHeader, proxies: number): string | undefined {
  const entry = entryOf(request, header, proxies);
  return entry === undefined ? undefined : READERS[header](entry);
}

/**
 * Warns once for each header in which a trusted proxy sends what makes no sense there: the proxy, or the number of
 * proxies, is set up wrongly. The value stays out of the log, since a client may have chosen it.
 */
export function createForwardedWatch(
  { trustProxy, publicUrl }: ForwardedConfig,
  log: Log,
): (request: IncomingMessage) => void {
  const watched = new Set<ForwardedHeader>(trustProxy === 0 ? [] : ['x-forwarded-for']);
  if (trustProxy > 0 && publicUrl === null) watched.add('x-forwarded-host').add('x-forwarded-proto');
  /** Most proxies send one host and one scheme for ever. */
  const known = new Map<ForwardedHeader, string>();
  return (request) => {
    for (const header of watched) {
      const entry = entryOf(request, header, trustProxy);
      if (entry === undefined || known.get(header) === entry) continue;
      if (READERS[header](entry) !== undefined) {
        known.set(header, entry);
        continue;
      }
      watched.delete(header);
      log.warn({ header }, 'a trusted proxy sent no host, address or scheme in this header: such values are ignored');
    }
  };
}

/** An address without port, brackets and zone in its one canonical form, IPv4 where it is mapped; undefined for no address. */
export function toAddress(text: string): string | undefined {
  const [, bracketed] = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text) ?? [];
  const [, withPort] = /^([\d.]+):\d{1,5}$/.exec(text) ?? [];
  const [bare = ''] = (bracketed ?? withPort ?? text).split('%', 1);
  if (bracketed === undefined ? isIP(bare) === 0 : !isIPv6(bare)) return undefined;
  return ipaddr.process(bare).toString();
}

/** The host and port as they stand; undefined for what is no host in a URL. */
export function toHost(text: string): string | undefined {
  const looksRight = text.length <= LONGEST_HOST && /^([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i.test(text);
  return looksRight && URL.canParse(`http://${text}`) ? text : undefined;
}

function toScheme(text: string): string | undefined {
  const scheme = text.toLowerCase();
  return scheme === 'http' || scheme === 'https' ? scheme : undefined;
}

/** Each proxy appends, so only as many entries as there are proxies count. An empty one is none. */
function entryOf({ headers }: IncomingMessage, header: ForwardedHeader, proxies: number): string | undefined {
  const value = headers[header];
  if (proxies === 0 || typeof value !== 'string') return undefined;
  const entries = value.split(',').map((entry) => entry.trim());
  return entries.at(Math.max(-proxies, -entries.length)) || undefined;
}
