import { BlockList, isIPv4 } from 'node:net';
import ipaddr from 'ipaddr.js';

// Addresses that are not on the public internet. A request to one of them would come from inside the operator's network, and
// may reach what trusts that network, such as the metadata service of a cloud.

const V4: readonly [network: string, bits: number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  // The service of Azure that answers virtual machines.
  ['168.63.129.16', 32],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];

/** Parts of 2000::/3 that are not public: protocols, Teredo, documentation, 6to4. */
const V6: readonly [network: string, bits: number][] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

const special = new BlockList();
for (const [network, bits] of V4) special.addSubnet(network, bits, 'ipv4');
for (const [network, bits] of V6) special.addSubnet(network, bits, 'ipv6');

/** All public IPv6 addresses are in this network. */
const global = new BlockList();
global.addSubnet('2000::', 3, 'ipv6');

/** Ways to write an IPv4 address as an IPv6 address: mapped, and NAT64. The last 32 bits are the IPv4 address. */
const embedding = new BlockList();
embedding.addSubnet('64:ff9b::', 96, 'ipv6');

/** Whether an address without a zone is on the public internet. */
export function isPublic(address: string): boolean {
  const plain = toPlain(address);
  if (plain === undefined) return false;
  if (isIPv4(plain)) return !special.check(plain, 'ipv4');
  return global.check(plain, 'ipv6') && !special.check(plain, 'ipv6');
}

/**
 * The address that a connection to `address` reaches: the IPv4 address, if one is embedded. Undefined for what is no address, and
 * for one with a zone.
 */
export function toPlain(address: string): string | undefined {
  if (isIPv4(address)) return address;
  if (address.includes('%') || !ipaddr.IPv6.isValid(address)) return undefined;
  const parsed = ipaddr.IPv6.parse(address);
  if (parsed.isIPv4MappedAddress()) return parsed.toIPv4Address().toString();
  const bytes = parsed.toByteArray();
  return embedding.check(parsed.toString(), 'ipv6') ? bytes.slice(12).join('.') : parsed.toString();
}
