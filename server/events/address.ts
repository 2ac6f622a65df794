import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Config } from '../config/config.js';
import { remembering } from '../remembering.js';

/** Bits of an address that tell the network, but not the household or the person. */
const IPV4_BITS = 24;
const IPV6_BITS = 48;

/** What events keep of an address: all of it, its network such as `203.0.113.0/24`, or null. */
export function recordedAddress(address: string | null, kept: Config['auditIp']): string | null {
  if (address === null || kept === 'none') return null;
  return kept === 'full' ? address : networkOf(address);
}

const networkOf = remembering((address) => {
  const bits = isIPv6(address) ? IPV6_BITS : IPV4_BITS;
  const cidr = `${address}/${String(bits)}`;
  const network = isIPv6(address) ? ipaddr.IPv6.networkAddressFromCIDR(cidr) : ipaddr.IPv4.networkAddressFromCIDR(cidr);
  return `${network.toString()}/${String(bits)}`;
});
