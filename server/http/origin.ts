import type { IncomingMessage } from 'node:http';
import { isIPv6, type Socket } from 'node:net';
import type { Config } from '../config/config.js';
import { readForwarded, toAddress, toHost } from './forwarded.js';

// The address that sent a request, and the origin to which it was sent. Any client can write anything into `X-Forwarded-*`
// and `Host`. So `X-Forwarded-*` is read only behind trusted proxies, and `Host` is only compared with `Origin`.

type OriginConfig = Pick<Config, 'trustProxy' | 'publicUrl'>;

/** The client's address in its canonical form; undefined after the connection has closed. */
export function clientAddress(request: IncomingMessage, { trustProxy }: OriginConfig): string | undefined {
  return readForwarded(request, 'x-forwarded-for', trustProxy) ?? toAddress(request.socket.remoteAddress ?? '');
}

/** The service's own origin, for absolute links, such as `https://tokens.example.org`. */
export function ownOrigin(request: IncomingMessage, config: OriginConfig): string {
  if (config.publicUrl !== null) return config.publicUrl;
  const host = readForwarded(request, 'x-forwarded-host', config.trustProxy);
  return host === undefined ? socketOrigin(request.socket) : originAt(host, request, config);
}

/** Whether the client uses https, as the configuration or the outermost trusted proxy says. */
export function isSecure(request: IncomingMessage, { trustProxy, publicUrl }: OriginConfig): boolean {
  if (publicUrl !== null) return publicUrl.startsWith('https:');
  return readForwarded(request, 'x-forwarded-proto', trustProxy) === 'https';
}

/**
 * Whether the request comes from a page of this origin, or not from a browser. A request with neither `Sec-Fetch-Site`
 * nor `Origin` does not come from a browser, so its sender already knows the cookie that it sends.
 */
export function isSameOrigin(request: IncomingMessage, config: OriginConfig): boolean {
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const { origin } = request.headers;
  if (origin === undefined) return true;
  if (origin === ownOrigin(request, config)) return true;
  const host =
    readForwarded(request, 'x-forwarded-host', config.trustProxy) ?? toHost(request.headers.host?.trim() ?? '');
  return config.publicUrl === null && host !== undefined && origin === originAt(host, request, config);
}

/** Whether a browser says that the request comes from a page of this origin. */
export function isFromOwnPage(request: IncomingMessage, config: OriginConfig): boolean {
  const { 'sec-fetch-site': site, origin } = request.headers;
  // On plain http, browsers send `Sec-Fetch-Site` only to this machine, but `Origin` with every POST.
  return site === undefined ? origin !== undefined && isSameOrigin(request, config) : site === 'same-origin';
}

function originAt(host: string, request: IncomingMessage, config: OriginConfig): string {
  return new URL(`${isSecure(request, config) ? 'https' : 'http'}://${host}`).origin;
}

function socketOrigin({ localAddress = '127.0.0.1', localPort = 0 }: Socket): string {
  const address = toAddress(localAddress) ?? localAddress;
  return `http://${isIPv6(address) ? `[${address}]` : address}:${String(localPort)}`;
}
