import type { IncomingMessage } from 'node:http';
import { isIP, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Config } from '../config/config.js';
import type { Log } from '../log/log.js';
import { remembering } from '../remembering.js';

// Reads `X-Forwarded-*` headers of proxies that the operator trusts. `Forwarded` (RFC 7239) is ignored.

type ForwardedConfig = Pick<Config, 'trustProxy' | 'publicUrl'>;

const READERS = {
  'x-forwarded-for': toAddress,
  'x-forwarded-host': toHost,
  'x-forwarded-proto': toScheme,
} as const;

type ForwardedHeader = keyof typeof READERS;

/** The most characters of a host name (RFC 1035, section 2.3.4) with a port. */
const LONGEST_HOST = 253 + ':65535'.length;

/** The value that the outermost trusted proxy sent in `header`; undefined if it sent none, or a malformed one. */
export function readForwarded(request: IncomingMessage, header: ForwardedHeader, proxies: number): string | undefined {
  const entry = entryOf(request, header, proxies);
  return entry === undefined ? undefined : READERS[header](entry);
}

/**
 * Warns once for each header in which a trusted proxy sends a malformed value: the proxy, or the configured number of
 * proxies, is wrong. The log does not contain the value, because a client may have chosen it.
 */
export function createForwardedWatch(
  { trustProxy, publicUrl }: ForwardedConfig,
  log: Log,
): (request: IncomingMessage) => void {
  const watched = new Set<ForwardedHeader>(trustProxy === 0 ? [] : ['x-forwarded-for']);
  if (trustProxy > 0 && publicUrl === null) watched.add('x-forwarded-host').add('x-forwarded-proto');
  /** The last well-formed value of each header. Most proxies always send the same host and scheme. */
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
      log.warn(
        { header },
        'ignored a malformed value in this header of a trusted proxy: check the proxy and LATCHKEY_TRUST_PROXY',
      );
    }
  };
}

/**
 * The address in its canonical form, without port, brackets and zone. An IPv4-mapped IPv6 address becomes IPv4. Undefined
 * if `text` is no address.
 */
export function toAddress(text: string): string | undefined {
  return canonicalAddress(text);
}

const canonicalAddress = remembering((text) => {
  const [, bracketed] = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text) ?? [];
  const [, withPort] = /^([\d.]+):\d{1,5}$/.exec(text) ?? [];
  const [bare = ''] = (bracketed ?? withPort ?? text).split('%', 1);
  if (bracketed === undefined ? isIP(bare) === 0 : !isIPv6(bare)) return undefined;
  return ipaddr.process(bare).toString();
});

/** Returns `text` unchanged if it is the host of a URL, with or without a port; otherwise undefined. */
export function toHost(text: string): string | undefined {
  const looksRight = text.length <= LONGEST_HOST && /^([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i.test(text);
  return looksRight && URL.canParse(`http://${text}`) ? text : undefined;
}

function toScheme(text: string): string | undefined {
  const scheme = text.toLowerCase();
  return scheme === 'http' || scheme === 'https' ? scheme : undefined;
}

/**
 * The entry of the outermost trusted proxy. Each proxy appends one entry, so entries before the last `proxies` ones are a
 * client's own. Undefined if the header or the entry is empty.
 */
function entryOf({ headers }: IncomingMessage, header: ForwardedHeader, proxies: number): string | undefined {
  const value = headers[header];
  if (proxies === 0 || typeof value !== 'string') return undefined;
  const entries = value.split(',').map((entry) => entry.trim());
  return entries.at(Math.max(-proxies, -entries.length)) || undefined;
}
