import { BlockList, isIP } from 'node:net';
import { isNetwork } from '../config/webhook-targets.js';
import type { DeliveryError } from '../database/index.js';
import { isPublic, toPlain } from './addresses.js';
import type { Resolve } from './resolve.js';

/** Ports that a URL may have unless the operator allows its target. */
const PORTS = [443, 8_443, 80];

/** Why nothing must be sent to a URL, or cannot be. */
export class TargetRefused extends Error {
  override name = 'TargetRefused';

  constructor(
    readonly code: Extract<DeliveryError, 'forbidden_target' | 'unknown_host'>,
    message: string,
  ) {
    super(message);
  }
}

/** A URL that may be sent to, with the addresses to connect to: no other address may be used, so nothing resolves the name again. */
export interface Target {
  url: URL;
  addresses: readonly string[];
}

/** Checks targets by `allowed`, the networks and hosts that the operator allows. */
export function createTargets(allowed: readonly string[], resolve: Resolve) {
  const networks = new BlockList();
  const hosts = new Set<string>();
  for (const target of allowed) {
    if (!isNetwork(target)) {
      hosts.add(target);
      continue;
    }
    const [address = '', bits] = target.split('/');
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
    networks.addSubnet(address, bits === undefined ? (family === 'ipv4' ? 32 : 128) : Number(bits), family);
  }

  function isAllowed(address: string): boolean {
    const plain = toPlain(address);
    return plain !== undefined && networks.check(plain, isIP(plain) === 4 ? 'ipv4' : 'ipv6');
  }

  /**
   * Returns the target of `text`. Every address of the host must be public, or allowed. Rejects with `TargetRefused`: if the URL
   * or an address is not allowed, and if the host has no address.
   */
  return async function targetOf(text: string): Promise<Target> {
    const url = parsed(text);
    const host = hostOf(url);
    const isNamed = hosts.has(host);
    const isOrdinary = url.protocol === 'https:' && PORTS.includes(Number(url.port || 443));
    const addresses = isIP(host) === 0 ? await resolve(host) : [host];
    if (addresses.length === 0) {
      if (!isNamed && !isOrdinary) throw notAllowed();
      throw new TargetRefused('unknown_host', 'the host has no address');
    }
    for (const address of addresses) {
      if (isNamed || isAllowed(address)) continue;
      if (!isPublic(address)) throw new TargetRefused('forbidden_target', 'an address of the host is not public');
      if (!isOrdinary) throw notAllowed();
    }
    return { url, addresses };
  };
}

function notAllowed(): TargetRefused {
  return new TargetRefused('forbidden_target', 'the URL must be https, with port 443, 8443 or 80');
}

/** The host without brackets, in lower case. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

/** Parses as browsers do, which turns every spelling of an address into the usual one. */
function parsed(text: string): URL {
  const refuse = (message: string) => new TargetRefused('forbidden_target', message);
  // Parsers disagree about what a backslash and white space mean.
  if (!URL.canParse(text) || /[\\\s]/.test(text)) throw refuse('the URL is not valid');
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw notAllowed();
  if (url.username !== '' || url.password !== '') throw refuse('the URL must have no user and no password');
  if (text.includes('#')) throw refuse('the URL must have no fragment');
  if (url.hostname.endsWith('.')) throw refuse('the host must not end with a dot');
  return url;
}
