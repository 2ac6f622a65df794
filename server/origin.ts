import type { IncomingMessage } from 'node:http';
import { isIPv6, type Socket } from 'node:net';
import type { Config } from './config.js';

// Who sent a request and where they think they sent it. `X-Forwarded-*` counts only behind proxies that the operator has
// named, and `Host` for nothing but the comparison with `Origin`: anybody can write anything into them.

type OriginConfig = Pick<Config, 'trustProxy' | 'publicUrl'>;

/** The client's address for throttling; of IPv6 the network, since a client has a whole /64 to itself. */
export function clientAddress(request: IncomingMessage, { trustProxy }: OriginConfig): string {
  const address = forwarded(request, 'x-forwarded-for', trustProxy) ?? request.socket.remoteAddress ?? 'unknown';
  if (!isIPv6(address)) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  return mapped?.[1] ?? ipv6Network(address);
}

/** Scheme, host and port for absolute links, such as `https://tokens.example.org`. */
export function ownOrigin(request: IncomingMessage, config: OriginConfig): string {
  if (config.publicUrl !== null) return config.publicUrl;
  const host = forwarded(request, 'x-forwarded-host', config.trustProxy);
  if (host !== undefined && /^([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i.test(host)) {
    return `${isSecure(request, config) ? 'https' : 'http'}://${host}`;
  }
  return socketOrigin(request.socket);
}

/** Whether the client speaks https with the outermost proxy. */
export function isSecure(request: IncomingMessage, { trustProxy, publicUrl }: OriginConfig): boolean {
  if (publicUrl !== null) return publicUrl.startsWith('https:');
  return forwarded(request, 'x-forwarded-proto', trustProxy)?.toLowerCase() === 'https';
}

/**
 * Whether a browser sent the request from a page of this origin, or no browser sent it: then neither `Sec-Fetch-Site`
 * nor `Origin` is there, and nobody else's cookie either.
 */
export function isSameOrigin(request: IncomingMessage, config: OriginConfig): boolean {
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const { origin } = request.headers;
  if (origin === undefined) return true;
  if (origin === ownOrigin(request, config)) return true;
  const host = forwarded(request, 'x-forwarded-host', config.trustProxy) ?? request.headers.host;
  return config.publicUrl === null && origin === `${isSecure(request, config) ? 'https' : 'http'}://${String(host)}`;
}

/** What the outermost trusted proxy says: each proxy appends, so only as many entries as there are proxies count. */
function forwarded(request: IncomingMessage, header: string, proxies: number): string | undefined {
  if (proxies === 0) return undefined;
  const value = request.headers[header];
  if (typeof value !== 'string') return undefined;
  const entries = value.split(',').map((entry) => entry.trim());
  return entries.at(Math.max(-proxies, -entries.length));
}

function socketOrigin({ localAddress = '127.0.0.1', localPort = 0 }: Socket): string {
  const address = localAddress.replace(/^::ffff:(?=\d+\.)/i, '');
  return `http://${isIPv6(address) ? `[${address}]` : address}:${String(localPort)}`;
}

function ipv6Network(address: string): string {
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return `${[...left, ...zeros, ...right].slice(0, 4).join(':')}::/64`;
}
