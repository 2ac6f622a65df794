import { credentialLabel, headerLabel, OTHER } from '../../contract/index.js';
import type { ContractFlags } from './flags.js';

/**
 * The command line that runs these tests again, without `--seed` and `--only`. `env:NAME` and `file:PATH` stay as they
 * are; a literal credential becomes a shell variable, as in the curl commands of a report.
 */
export function commandOf(flags: ContractFlags): string {
  const { url, spec, config, token, login, credential, other, header, time, maxResponseTime } = flags;
  const parts = ['latchkey contract'];
  const add = (flag: string, value: string | undefined) => {
    if (value !== undefined) parts.push(`${flag} ${quote(value)}`);
  };
  add('--config', config);
  add('--url', url);
  add('--spec', spec);
  if (token !== undefined) parts.push(`--token ${secret('', token, credentialLabel())}`);
  add('--login', login);
  for (const pair of credential) {
    const [name, value] = split(pair, '=');
    parts.push(`--credential ${secret(`${name}=`, value, credentialLabel(name))}`);
  }
  for (const value of other) parts.push(`--other ${secret('', value, credentialLabel(undefined, OTHER))}`);
  for (const pair of header) {
    const [name, value] = split(pair, ':');
    const label = headerLabel(name);
    parts.push(`--header ${label === undefined ? quote(pair) : secret(`${name}: `, value, label)}`);
  }
  if (flags.checks.length > 0) add('--checks', flags.checks.join(','));
  if (flags.excludeChecks.length > 0) add('--exclude-checks', flags.excludeChecks.join(','));
  add('--time', time);
  add('--max-response-time', maxResponseTime);
  if (flags.allowIncomplete === true) parts.push('--allow-incomplete');
  return parts.join(' ');
}

function split(pair: string, separator: string): [name: string, value: string] {
  const at = pair.indexOf(separator);
  return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
}

function secret(before: string, value: string, label: string): string {
  return /^(env|file):/.test(value) ? quote(`${before}${value}`) : `"${before.replace(/["\\`$]/g, '\\$&')}${label}"`;
}

function quote(text: string): string {
  return /^[\w./:@%,=+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
