import { isIP } from 'node:net';

/** Networks in CIDR notation, addresses without brackets, and host names, separated by commas; undefined if one is none of these. */
export function webhookTargets(text: string): string[] | undefined {
  const targets = text.split(',').map((entry) => entry.trim().toLowerCase());
  return targets.every((target) => isNetwork(target) || isHostName(target)) ? targets : undefined;
}

/** Whether `target` is an address, or one with the number of bits that its network has. */
export function isNetwork(target: string): boolean {
  const [address = '', bits, ...rest] = target.split('/');
  const most = isIP(address) === 4 ? 32 : isIP(address) === 6 && !address.includes('%') ? 128 : 0;
  return most > 0 && rest.length === 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most));
}

const LABELS = /^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

function isHostName(target: string): boolean {
  // The last part has a letter, so that a misspelt address is no name.
  return target.length <= 253 && LABELS.test(target) && /[a-z][^.]*$/.test(target);
}
