import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Bits of an IPv6 address that one client has to itself. */
const NETWORK_BITS = 64;

/** The network by which failures are counted: an IPv4 address, or the /64 of an IPv6 address, which one client has alone. */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const network = ipaddr.IPv6.networkAddressFromCIDR(`${address}/${String(NETWORK_BITS)}`);
  return `${network.toString()}/${String(NETWORK_BITS)}`;
}
